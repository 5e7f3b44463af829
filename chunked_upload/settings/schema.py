"""Classes of settings: frozen dataclasses whose every field says how it is read and checked.

::

    @dataclass(frozen=True, kw_only=True)
    class ToySettings:
        toy_place: str | None = setting(fields.Directory(), "Where toys are kept.", default=None)

:func:`read` makes one from what was given, by a marshmallow schema derived from the class. The
service's own settings (keys.py), those of a storage, and the options of an upload zone are such
classes.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

from marshmallow import Schema, ValidationError

from chunked_upload.errors import ConfigurationError

from .fields import SettingField

_T = TypeVar("_T")

Spec = dataclasses.Field[Any]


class Given(NamedTuple):
    """A value that the user has set.

    :param label: how messages name it, such as ``CHUNKED_UPLOAD_MAX_BYTES``.
    """

    label: str
    value: Any


def setting(field: SettingField, meaning: str, *, default: Any, **more: Any) -> Any:
    """Declare one setting of such a class.

    :param field: how it is read and checked. None is allowed where it is the default.
    :param meaning: for the documentation.
    :param more: further metadata of the field.
    """
    field.allow_none = default is None
    return dataclasses.field(default=default, metadata={"field": field, "meaning": meaning, **more})


def specs(kind: type) -> dict[str, Spec]:
    """Return the settings of a class, by name."""
    return {spec.name: spec for spec in dataclasses.fields(kind) if "field" in spec.metadata}


def read(kind: type[_T], given: Mapping[str, Given]) -> _T:
    """Make an object of a class of settings; what is not given has its default.

    :raises ConfigurationError: naming the setting, its value and what would do.
    """
    try:
        schema = _schema(kind)  # type: ignore[arg-type]
        values = schema.load({name: item.value for name, item in given.items()})
    except ValidationError as error:
        name, [problem, *_] = next(iter(error.messages_dict.items()))
        secret = specs(kind)[name].metadata["field"].secret
        raise ConfigurationError(_sentence(given[name], problem, secret=secret)) from error
    return kind(**values)


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that was probably meant."""
    return next(iter(difflib.get_close_matches(name, known, 1)), None)


@cache
def _schema(kind: Any) -> Schema:
    fields = {name: spec.metadata["field"] for name, spec in specs(kind).items()}
    return Schema.from_dict(fields, name=kind.__name__)()


def _sentence(given: Given, message: str, *, secret: bool) -> str:
    if message.startswith("must"):
        problem, semicolon, advice = message.partition("; ")
        found = " (its value is not shown here)" if secret else f", not {given.value!r}"
        return f"{given.label} {problem}{found}{semicolon}{advice}"
    joint = " " if message.startswith("cannot") else ": "
    shown = "…" if secret else repr(given.value)
    return f"{given.label}={shown}{joint}{message}"
