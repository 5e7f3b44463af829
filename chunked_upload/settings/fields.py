"""The kinds of value that a setting can have, as marshmallow fields.

Each field reads Python values and text in the same way, so that ``app.config``, a keyword, the
environment of the stand-alone server and Flask's ``FLASK_``-prefixed environment agree:
``"off"`` is off and ``"10G"`` is a size wherever it stands. Reading a value that was read before
changes nothing.

:meth:`SettingField.read` raises ValueError with what would do: ``must be …``, ``expected …`` or
``cannot be …``, perhaps with advice after a semicolon. schema.py puts the key and the value before
it.
"""

from __future__ import annotations

import json
import os
import pkgutil
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field

from .text import parse_bool, parse_duration, parse_mode, parse_size, parse_tokens

#: The largest number of bytes that a database column holds.
_MOST_BYTES = 2**63 - 1

_LONGEST_DURATION = timedelta(days=365_000)

_STRFTIME = frozenset("aAbBcdfGHIjmMpSuUVwWxXyYzZ%")


class SettingField(Field[Any]):
    """Base of the fields below.

    :param secret: messages must not show the value.
    """

    def __init__(self, *, secret: bool = False) -> None:
        super().__init__(error_messages={"null": "must not be None"})
        self.secret = secret

    def read(self, value: Any) -> Any:
        """Return what a value means.

        :raises ValueError: saying what was expected instead.
        """
        return value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.read(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Switch(SettingField):
    """True or False; as text ``on``, ``off`` and the like."""

    def read(self, value: Any) -> bool:
        if isinstance(value, str):
            return parse_bool(value)
        if isinstance(value, int) and value in (0, 1):  # FLASK_…=0 arrives as a number
            return bool(value)
        raise ValueError("must be True or False")


class Count(SettingField):
    """A whole number; as text, ``none`` is None where that means no limit.

    :param least: the smallest that makes sense.
    :param most: the largest that makes sense.
    """

    def __init__(self, *, least: int = 1, most: int = 2**31 - 1) -> None:
        super().__init__()
        self._least = least
        self._most = most

    def read(self, value: Any) -> int | None:
        if self.allow_none and isinstance(value, str) and value.strip().lower() == "none":
            return None
        return self._in_range(self._number(value))

    def _number(self, value: Any) -> Any:
        """Return what text says as a number; anything else as it is."""
        if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,30}\s*", value):
            return int(value)
        return value

    def _in_range(self, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < self._least:
            advice = "; None means no limit" if self.allow_none else ""
            some = "a positive number" if self._least == 1 else f"a number, {self._least} or more"
            raise ValueError(f"must be {some}{advice}")
        if value > self._most:
            raise ValueError(f"must be at most {self._most}")
        return value


class Size(Count):
    """A number of bytes, or text as ``10G``."""

    def __init__(self) -> None:
        super().__init__(most=_MOST_BYTES)

    def _number(self, value: Any) -> Any:
        return parse_size(value) if isinstance(value, str) else value


class Duration(SettingField):
    """A timedelta; as a number, seconds; as text also ``1d 12h``.

    :param shortest: the shortest that makes sense.
    """

    def __init__(self, *, shortest: timedelta = timedelta(0)) -> None:
        super().__init__()
        self._shortest = shortest

    def read(self, value: Any) -> timedelta:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        span = parse_duration(value) if isinstance(value, str) else value
        if not isinstance(span, timedelta):
            raise ValueError("must be a timedelta or text; write timedelta(hours=12) or '12h'")
        if not self._shortest <= span <= _LONGEST_DURATION:
            least = f"{self._shortest.seconds} seconds" if self._shortest else "0"
            raise ValueError(f"must be from {least} to {_LONGEST_DURATION.days} days")
        return span


class FileMode(SettingField):
    """Permissions: a number as ``0o640``, or octal text as ``640``.

    :param needed: bits without which the service could not use its own files.
    :param most: the largest mode that makes sense.
    """

    def __init__(self, *, needed: int, most: int) -> None:
        super().__init__()
        self._needed = needed
        self._most = most

    def read(self, value: Any) -> int:
        mode = parse_mode(value) if isinstance(value, str) else value
        if not isinstance(mode, int) or isinstance(mode, bool) or not 0 <= mode <= self._most:
            raise ValueError(f"must be a file mode up to 0o{self._most:o}{_octal_advice(value)}")
        if mode & self._needed != self._needed:
            raise ValueError(
                f"must let the service use its own files, which takes 0o{self._needed:o}"
                f"{_octal_advice(value)}"
            )
        return mode


def _octal_advice(value: Any) -> str:
    """Say how a mode is written, to those who have left out the ``0o``."""
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and re.fullmatch("[0-7]+", f"{value}")
    ):
        return f"; write 0o{value} or '{value}', since {value} is a decimal number"
    return "; write it as 0o640 or '640'"


class Text(SettingField):
    """Text on one line.

    :param pattern: what the whole of it must match.
    :param problem: what to say if it does not.
    """

    def __init__(
        self, *, pattern: str = r".+", problem: str = "must be text on one line", **more: Any
    ) -> None:
        super().__init__(**more)
        self._pattern = re.compile(pattern)
        self._problem = problem

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or not self._pattern.fullmatch(value):
            raise ValueError(self._problem)
        if not value.isprintable():
            raise ValueError("must not have control characters in it")
        return value


class Directory(SettingField):
    """The path of a directory, as text or any ``os.PathLike``; empty text is None."""

    def read(self, value: Any) -> str | None:
        path = os.fspath(value) if isinstance(value, os.PathLike) else value
        if not isinstance(path, str) or "\0" in path:
            raise ValueError("must be the path of a directory, as '/srv/uploads'")
        if path.startswith("~"):
            raise ValueError("must be a whole path; ~ is not expanded")
        return path or None


class PathPattern(SettingField):
    """A strftime pattern of a relative directory."""

    def read(self, value: Any) -> str:
        pattern = os.fspath(value) if isinstance(value, os.PathLike) else value
        if not isinstance(pattern, str) or "\0" in pattern:
            raise ValueError("must be a relative path, as files/%Y/%m/%d")
        for directive in re.findall(r"%(.?)", pattern, re.DOTALL):
            if directive not in _STRFTIME or not directive:
                raise ValueError(
                    f"must be a strftime pattern, and %{directive} means nothing there; write %%"
                    " for a percent sign"
                )
        path = datetime(2000, 12, 30, tzinfo=UTC).strftime(pattern)
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/") or ".." in parts:
            raise ValueError(
                "must be a relative path that stays inside the root, as files/%Y/%m/%d"
            )
        if parts[:1] == [".incoming"]:
            raise ValueError("must not be where unfinished uploads lie")
        if any(len(part.encode(errors="replace")) > 255 for part in parts):
            raise ValueError("must not have names longer than 255 bytes")
        return pattern


class Imported(SettingField):
    """A class or function, or its dotted name.

    :param what: what it must be.
    """

    def __init__(self, *, what: str) -> None:
        super().__init__()
        self._what = what

    def read(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = pkgutil.resolve_name(value)
            except (ImportError, AttributeError, ValueError) as error:
                raise ValueError(f"cannot be imported: {error}") from error
        if not callable(value):
            raise ValueError(f"must be {self._what}, or its dotted name")
        return value


class Encoder(Imported):
    """A function that makes text of an answer's data."""

    def __init__(self) -> None:
        super().__init__(what="a function of one argument that returns JSON text")

    def read(self, value: Any) -> Any:
        encoder = super().read(value)
        if isinstance(encoder, type) and issubclass(encoder, json.JSONEncoder):
            name = encoder.__name__
            raise ValueError(
                f"must be a function; write lambda content: json.dumps(content, cls={name})"
            )
        return encoder


class Options(SettingField):
    """A dict of names and values; as text, a JSON object."""

    def read(self, value: Any) -> dict[str, Any]:
        try:
            options = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValueError('expected a JSON object, as {"max_files": 3}') from error
        if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
            raise ValueError("expected a dict of names and values")
        return dict(options)


class UploadSets(Options):
    """Upload sets by their names, each a dict of settings; as text, a JSON object."""

    def read(self, value: Any) -> dict[str, Any]:
        upload_sets = super().read(value)
        for name, options in upload_sets.items():
            if not (name.isascii() and name.isalnum()):
                raise ValueError(f"must have names of letters and digits; {name!r} is none")
            if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
                raise ValueError(
                    f"must have the settings of each set as a dict; write {{'{name}':"
                    " {'max_bytes': '10M'}}"
                )
        return upload_sets


class Tokens(SettingField):
    """Names of API tokens, and the SHA-256 of each; as text ``name:digest`` with commas."""

    def __init__(self) -> None:
        super().__init__(secret=True)

    def read(self, value: Any) -> dict[str, str]:
        tokens = parse_tokens(value) if isinstance(value, str) else value
        if not isinstance(tokens, Mapping) or not tokens:
            tokens = {"": ""}  # an empty value would let everybody in
        read = {}
        for name, digest in tokens.items():
            plain = digest.lower() if isinstance(digest, str) else ""
            if not isinstance(name, str) or not name or not re.fullmatch("[0-9a-f]{64}", plain):
                raise ValueError(
                    "must map names to SHA-256 hex digests, as text NAME:DIGEST; `chunked-upload"
                    " create-token NAME` makes one"
                )
            read[name] = plain
        return read
