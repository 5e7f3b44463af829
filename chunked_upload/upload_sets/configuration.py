"""An upload set's configuration in an app, read from Flask-Uploads' keys."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from chunked_upload.errors import ConfigurationError
from chunked_upload.settings.fields import Directory
from chunked_upload.settings.names import Extensions


@dataclass(frozen=True)
class UploadConfiguration:
    """An upload set's configuration in one app, as in Flask-Uploads.

    :param destination: directory of the files; None where the keywords of the set name its place.
    :param base_url: URL of the files, with a slash at its end; None if the app serves them.
    :param allow: extensions that are taken in addition to the set's own.
    :param deny: extensions of the set's own that are not taken.
    """

    destination: str | None
    base_url: str | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


def read_configuration(
    app: Flask, name: str, *, default_dest: Callable[[Flask], str] | None, needs_place: bool
) -> UploadConfiguration:
    """Read Flask-Uploads' keys for an upload set, in its order.

    :param needs_place: False when the set's keywords say where its files are.
    :raises ConfigurationError: when no place is named, or a key is wrong.
    """
    key = f"UPLOADED_{name.upper()}_"
    destination, by_default = _directory(f"{key}DEST", app.config.get(f"{key}DEST")), False
    if destination is None and default_dest is not None:
        destination = _directory(f"default_dest of {name!r}", default_dest(app))
    if destination is None and needs_place:
        default = _directory("UPLOADS_DEFAULT_DEST", app.config.get("UPLOADS_DEFAULT_DEST"))
        if default is None:
            raise ConfigurationError(
                f"no destination for set {name!r}; set {key}DEST or UPLOADS_DEFAULT_DEST"
                " in the app's config, or give UploadSet a default_dest="
            )
        destination, by_default = os.path.join(default, name), True
    url = _url(app, f"{key}URL")
    if url is None and by_default and (base := _url(app, "UPLOADS_DEFAULT_URL")):
        url = f"{base}{name}/"
    return UploadConfiguration(
        destination,
        url,
        _extensions(app, f"{key}ALLOW"),
        _extensions(app, f"{key}DENY"),
    )


def addslash(url: str) -> str:
    """Return a URL with a slash at its end."""
    return url if url.endswith("/") else f"{url}/"


def _directory(label: str, value: Any) -> str | None:
    try:
        return None if value is None else Directory().read(value)
    except ValueError as error:
        raise ConfigurationError(f"{label} {error}, not {value!r}") from error


def _url(app: Flask, key: str) -> str | None:
    value = app.config.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not re.match(r"(?:https?:)?//|/", value):
        raise ConfigurationError(
            f"{key} must be a URL or a path, as https://cdn.example.org/photos/, not {value!r}"
        )
    return addslash(value)


def _extensions(app: Flask, key: str) -> tuple[str, ...]:
    try:
        return Extensions().read(app.config.get(key, ()))
    except ValueError as error:
        raise ConfigurationError(f"{key} {error}, not {app.config[key]!r}") from error
