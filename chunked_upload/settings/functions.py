"""Settings that may be, or must be, a function of one argument."""

from __future__ import annotations

import inspect
from typing import Any

from .fields import Imported, Size, Text


class SizeOrFunction(Size):
    """A number of bytes, or a function of one argument that returns it."""

    def read(self, value: Any) -> Any:
        if not callable(value):
            return super().read(value)
        if not _takes_one(value):
            raise ValueError("must be a function of one argument, the request")
        return value


class TextOrFunction(Text):
    """Text, or a function of one argument that returns it.

    :param argument: what the function gets.
    """

    def __init__(self, *, argument: str, **more: Any) -> None:
        super().__init__(**more)
        self._argument = argument

    def read(self, value: Any) -> Any:
        if not callable(value):
            return super().read(value)
        if not _takes_one(value):
            raise ValueError(f"must be a function of one argument, {self._argument}")
        return value


class UploadTo(Imported):
    """A function of a record that returns a relative path."""

    def __init__(self) -> None:
        super().__init__(what="a function of one argument, the upload, that returns a path")

    def read(self, value: Any) -> Any:
        function = super().read(value)
        if not _takes_one(function):
            raise ValueError("must be a function of one argument, the upload")
        return function


class LimitsOf(Imported):
    """A function of an owner that returns their limits."""

    def __init__(self) -> None:
        super().__init__(what="a function of one argument, the owner, that returns Limits")

    def read(self, value: Any) -> Any:
        function = super().read(value)
        if not _takes_one(function):
            raise ValueError("must be a function of one argument, the owner")
        return function


class AdminLoader(Imported):
    """A function of a request that returns an administrator's name."""

    def __init__(self) -> None:
        super().__init__(what="a function of one argument, the request, that returns a name")

    def read(self, value: Any) -> Any:
        function = super().read(value)
        if not _takes_one(function):
            raise ValueError("must be a function of one argument, the request")
        return function


def _takes_one(function: Any) -> bool:
    """Return whether a function can be called with one argument."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a built-in function that does not tell its signature
        pass
    return True
