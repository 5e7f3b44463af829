"""A form's fields beside its file: which of them are the protocol's, and how many there may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict

from chunked_upload.checksum.registry import names
from chunked_upload.http.errors import BadRequest, LimitExceeded

_ID = frozenset({"upload_id"})

_CSRF_TOKENS = frozenset({"csrf_token", "csrfmiddlewaretoken"})

#: Longest value of one of these, in bytes, and how many parts may be spent on them.
_MAX_OWN_FIELD = 8 * 1024
_MAX_OWN_PARTS = 20

#: Ends the name of a field with several files: ``file[]``, and Dropzone's ``file[0]``.
_NUMBERED = re.compile(r"\[\d{0,9}\]$")

_NO_FILES: ImmutableMultiDict[str, Any] = ImmutableMultiDict()


@dataclass(frozen=True)
class FormLimits:
    """What a form may hold besides the file.

    :param field_names: names under which the file part is accepted.
    :param max_fields: number of fields kept as metadata.
    :param max_bytes: bytes of their names and values in all.
    :param dialect_fields: further fields that belong to a dialect.
    :param max_files: number of files; with more than one, ``file[]`` and ``file[0]`` count as
        ``file``.
    """

    field_names: tuple[str, ...]
    max_fields: int
    max_bytes: int
    dialect_fields: frozenset[str] = frozenset()
    max_files: int = 1

    def accepts(self, name: str) -> bool:
        """Whether a file may be in the field ``name``."""
        if self.max_files > 1 and name not in self.field_names:
            name = _NUMBERED.sub("", name)
        return name in self.field_names

    @property
    def own_fields(self) -> frozenset[str]:
        """Fields that are not metadata."""
        return own_fields() | self.dialect_fields

    @property
    def max_parts(self) -> int:
        """How many parts the form may have."""
        return self.max_fields + _MAX_OWN_PARTS + self.max_files - 1


class Fields:
    """A form's fields, held to the limits while they arrive."""

    def __init__(self, limits: FormLimits) -> None:
        self.kept: dict[str, str] = {}
        self._limits = limits
        self._own = limits.own_fields
        self._decisive = self._own - _CSRF_TOKENS
        self._bytes = 0

    def count(self, name: str, size: int, *, so_far: int = 0) -> None:
        """Count bytes of a field's name or value, before more of them are read.

        :param so_far: the value's length with them.
        :raises LimitExceeded:
        """
        if name in self._own:
            if so_far > _MAX_OWN_FIELD:
                raise LimitExceeded(f"'{name}' exceeds the limit ({_MAX_OWN_FIELD} bytes)")
            return
        self._bytes += size
        if self._bytes > self._limits.max_bytes:
            raise LimitExceeded(f"Form fields exceed the limit ({self._limits.max_bytes} bytes)")

    def add(self, name: str, value: str) -> None:
        """Keep a field.

        :raises LimitExceeded: when it is one too many.
        """
        add_field(self.kept, name, value, decisive=self._decisive)
        if len(self.kept.keys() - self._own) > self._limits.max_fields:
            raise LimitExceeded(f"Form fields exceed the limit ({self._limits.max_fields} fields)")


def is_numbered(field_name: str) -> bool:
    """Whether a form field is named as one of several files that have numbers, ``file[0]``."""
    return re.search(r"\[\d{1,9}\]$", field_name) is not None


def own_fields() -> frozenset[str]:
    """Return the fields that carry the protocol or a CSRF token; others are the upload's metadata.

    Checksums are among them under any name that is known.
    """
    return _ID | _CSRF_TOKENS | names()


def decisive_fields() -> frozenset[str]:
    """Return those that decide what happens: they must not come twice with different values."""
    return _ID | names()


def add_field(fields: dict[str, Any], name: str, value: Any, *, decisive: frozenset[str]) -> None:
    """Keep a field.

    :param decisive: fields that must not come twice with different values.
    :raises BadRequest: when one does.
    """
    if name in decisive and fields.get(name, value) != value:
        raise BadRequest(f"'{name}' was submitted more than once, with different values")
    fields[name] = value


def expose_fields(request: Request, fields: dict[str, str]) -> None:
    """Let hooks read ``request.form``; asking Flask to parse the body again would find it empty."""
    request.__dict__["form"] = ImmutableMultiDict(fields)
    request.__dict__.setdefault("files", _NO_FILES)
