"""Finds the storage that a setting names, by URL scheme or by class.

A module in this folder registers its class with :func:`register_storage`. Another package uses the
entry point group ``chunked_upload.storages``, with the scheme as the entry point's name.
"""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from chunked_upload.errors import ConfigurationError
from chunked_upload.support.plugins import entry_points

from .base import Storage
from .stores import Stores

if TYPE_CHECKING:
    from chunked_upload.settings.keys import Settings

#: Group of entry points.
GROUP = "chunked_upload.storages"

#: The URL of the local disk, in the place that other settings say.
_LOCAL = "file:"

_by_scheme: dict[str, type[Storage]] = {}


def register_storage(scheme: str) -> Callable[[type[Storage]], type[Storage]]:
    """Register a class for URLs of a scheme (decorator)."""

    def register(kind: type[Storage]) -> type[Storage]:
        _by_scheme[scheme] = kind
        return kind

    return register


def storage_class(settings: Settings) -> type[Storage]:
    """Return the class of the storage that the settings ``storage`` or ``storage_class`` mean.

    :raises ConfigurationError: when there is no such storage.
    """
    if settings.storage is not None and settings.storage_class is not None:
        raise ConfigurationError(
            "CHUNKED_UPLOAD_STORAGE and CHUNKED_UPLOAD_STORAGE_CLASS exclude each other; set one"
        )
    if settings.storage is not None:
        return _by_url(settings.storage)
    return _class(settings.storage_class or registered()["file"])


def old_storage_class(settings: Settings) -> type[Storage] | None:
    """Return the class of the storage that files are moved from; None without one.

    :raises ConfigurationError: when there is no such storage.
    """
    if settings.old_storage is None:
        return None
    if settings.old_storage == _LOCAL:
        return registered()["file"]
    return _by_url(settings.old_storage, key="CHUNKED_UPLOAD_OLD_STORAGE")


def make_storage(settings: Settings, default_root: str) -> Storage:
    """Make the storage that the settings mean.

    :param default_root: where to keep bytes when the settings name no place.
    :raises ConfigurationError: when there is no such storage, or it refuses the settings.
    """
    return storage_class(settings).from_settings(settings, default_root)


def make_stores(settings: Settings, default_root: str) -> Stores:
    """Make the storages that the settings mean: the one for new uploads, and the old one, if any.

    :param default_root: where to keep bytes when the settings name no place.
    :raises ConfigurationError: when there is no such storage, or it refuses the settings.
    """
    current = make_storage(settings, default_root)
    kind = old_storage_class(settings)
    if kind is None:
        return Stores(current)
    url = None if settings.old_storage == _LOCAL else settings.old_storage
    old = kind.from_settings(replace(settings, storage=url, storage_class=None), default_root)
    if old.known_as == current.known_as:
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_STORAGE and CHUNKED_UPLOAD_OLD_STORAGE are both {old.known_as!r} in"
            " records, so uploads cannot be told apart. Between two places on local disks, move the"
            " directory itself while no server runs; between two object stores, give the new one a"
            " name, as s3://bucket/prefix?name=second, and keep it from then on"
        )
    return Stores(current, old)


def storage_settings(settings: Settings) -> set[type | None]:
    """Return the classes of the settings of the storages that the settings mean."""
    old = old_storage_class(settings)
    return {storage_class(settings).settings, None if old is None else old.settings}


def all_storages() -> set[type[Storage]]:
    """Return every storage class there is: the registered ones, and the subclasses of apps."""
    found: set[type[Storage]] = set()
    waiting = [*registered().values(), *Storage.__subclasses__()]
    while waiting:
        kind = waiting.pop()
        if kind not in found:
            found.add(kind)
            waiting.extend(kind.__subclasses__())
    return found


def _by_url(url: str, *, key: str = "CHUNKED_UPLOAD_STORAGE") -> type[Storage]:
    parts = urlsplit(url)
    kind = registered().get(parts.scheme)
    if kind is None:
        known = ", ".join(sorted(registered()))
        raise ConfigurationError(f"{key}={url!r} has no known scheme; known are {known}")
    unknown = dict(parse_qsl(parts.query, keep_blank_values=True)).keys() - kind.options
    if unknown:
        raise ConfigurationError(
            f"{key}={url!r} has unknown option(s) {sorted(unknown)};"
            f" {parts.scheme} knows {sorted(kind.options)}"
        )
    return kind


def _class(kind: Any) -> type[Storage]:
    if isinstance(kind, str):
        module, _, name = kind.replace(":", ".").rpartition(".")
        try:
            kind = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigurationError(
                f"CHUNKED_UPLOAD_STORAGE_CLASS={kind!r} cannot be imported"
            ) from error
    if not (isinstance(kind, type) and issubclass(kind, Storage)):
        raise ConfigurationError(
            "CHUNKED_UPLOAD_STORAGE_CLASS must be a subclass of chunked_upload.Storage,"
            f" or its dotted name, not {kind!r}"
        )
    return kind


@functools.cache
def registered() -> dict[str, type[Storage]]:
    """Import the modules of this folder, and return the registered classes by scheme."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")
    for point in entry_points(group=GROUP):
        _by_scheme.setdefault(point.name, _class(point.load()))
    return _by_scheme
