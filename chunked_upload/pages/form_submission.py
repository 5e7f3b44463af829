"""What happens to a form's uploads when the form is validated.

A field cannot know whether the others are valid, but only a form that is valid throughout may claim
its uploads. So the form's ``validate`` is followed by this, after all checks of the app's own: the
files that came with the form are stored, then all uploads are claimed, all or none. Uploads of a
form that is refused stay unclaimed, and the form shows them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from wtforms.csrf.core import CSRFTokenField


class _Field(Protocol):
    """A field with uploads (upload_field.py)."""

    claimed: bool
    errors: Any

    def store(self) -> bool: ...
    def claim(self) -> bool: ...
    def release(self) -> None: ...
    def settle(self) -> None: ...
    def close(self) -> None: ...


class _Validation:
    """A form's ``validate``, followed by what becomes of the uploads.

    :param form: the form.
    :param check: its own ``validate``.
    """

    def __init__(self, form: Any, check: Callable[..., bool]) -> None:
        self._form = form
        self._check = check

    def __call__(self, *arguments: Any, **options: Any) -> bool:
        fields: list[_Field] = [field for field in self._form if hasattr(field, "claimed")]
        if any(field.claimed for field in fields):
            return True  # it was valid before, and its uploads are the app's
        try:
            if not self._check(*arguments, **options):
                self._keep(fields)
                return False
            stored = [field.store() for field in fields]  # so that each says what is wrong
            return all(stored) and _claim_all(fields)
        finally:
            for field in fields:
                field.close()

    def _keep(self, fields: list[_Field]) -> None:
        """Store the good files of a form that is refused otherwise, so that it can show them."""
        if any(field.errors for field in self._form if isinstance(field, CSRFTokenField)):
            return  # another site may have sent it
        for field in fields:
            if not field.errors:
                field.store()


def watch(form: Any) -> None:
    """Have a form's ``validate`` claim the uploads of its fields; call it for each such field."""
    if not isinstance(form.validate, _Validation):
        form.validate = _Validation(form, form.validate)


def _claim_all(fields: list[_Field]) -> bool:
    for number, field in enumerate(fields):
        if not field.claim():
            for claimed in fields[:number]:
                claimed.release()
            return False
    for field in fields:
        field.settle()
    return True
