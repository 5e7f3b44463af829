"""Checksums by name: those of this package's modules, and those of installed entry points."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from typing import TypeVar

from chunked_upload.errors import ConfigurationError
from chunked_upload.support.plugins import entry_points

from .protocol import Checksum

#: The entry point group in which installed packages offer checksums, each by its name.
GROUP = "chunked_upload.checksums"

_Kind = TypeVar("_Kind", bound=type[Checksum])

_registered: dict[str, type[Checksum]] = {}


def register(kind: _Kind) -> _Kind:
    """Register a checksum class by its name (decorator).

    :raises ValueError: when the name cannot be a field name, or another class has it.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", kind.name):
        raise ValueError(f"a checksum's name is lower-case letters and digits, not {kind.name!r}")
    if _registered.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"there is a checksum {kind.name!r} already: {_registered[kind.name]}")
    return kind


def find(name: str) -> type[Checksum]:
    """Return the checksum of that name.

    :raises ConfigurationError: when there is none.
    """
    known = _known()
    if name not in known:
        raise ConfigurationError(f"unknown checksum {name!r}; known are {sorted(known)}")
    return known[name]


def names() -> frozenset[str]:
    """Return the names of all known checksums."""
    return frozenset(_known())


@functools.cache
def _known() -> dict[str, type[Checksum]]:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
    for entry in entry_points(group=GROUP):
        kind = entry.load()
        if kind.name != entry.name:
            raise ConfigurationError(
                f"the entry point {entry.name!r} of {GROUP} is a checksum named {kind.name!r};"
                " both names must be the same"
            )
        register(kind)
    return _registered
