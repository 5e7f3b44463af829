"""Makes the upload sets of ``CHUNKED_UPLOAD_SETS``: no code, so the server has them too."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from typing import Any

from flask import Flask

from ..errors import ConfigurationError
from ..extension import ChunkedUpload
from ..settings.fields import Imported
from ..settings.keys import Settings
from ..settings.names import Extensions
from ..support.presets import ALL, AllExcept
from .upload_set import UploadSet

#: What may stand among a set's settings beside them: functions, or their dotted names.
_HOOKS = (
    "user_loader",
    "user_name",
    "check_permissions",
    "validate",
    "on_completion",
    "on_delete",
)

_EXTENSIONS = ("allowed_extensions", "denied_extensions")

#: Arguments of an upload set that are no settings: its name, and what it shares with the first.
_NO_SETTINGS = frozenset(
    {*inspect.signature(ChunkedUpload).parameters, *inspect.signature(UploadSet).parameters}
) - {"settings", "dialects"}


def add_configured(app: Flask, uploads: ChunkedUpload) -> None:
    """Add the sets of the app's config, when its first :class:`ChunkedUpload` is added.

    They share its database, model and views. Until they have hooks of their own, its hooks tell who
    a caller is and who may upload.

    :raises ConfigurationError: naming the set that cannot work.
    """
    bound = app.extensions["chunked_upload"][uploads.name]
    settings = bound.settings
    place = settings.root or os.path.join(app.instance_path, "uploads")
    for name, options in (settings.sets or {}).items():
        given = {"root": os.path.join(place, name), "url_prefix": f"{settings.url_prefix}/{name}"}
        if "root" not in options:
            given |= {key: f"{url.rstrip('/')}/{name}/" for key, url in _urls(settings).items()}
        try:
            _add(app, uploads, name, given | dict(options))
        except ConfigurationError as error:
            raise ConfigurationError(f"CHUNKED_UPLOAD_SETS[{name!r}]: {error}") from error


def _urls(settings: Settings) -> dict[str, str]:
    """Return the settings with the URL at which a front server has the app's root."""
    urls = {"public_url": settings.public_url, "x_accel_redirect": settings.x_accel_redirect}
    return {key: url for key, url in urls.items() if url is not None}


def _add(app: Flask, uploads: ChunkedUpload, name: str, options: dict[str, Any]) -> None:
    if refused := sorted(_NO_SETTINGS & options.keys()):
        raise ConfigurationError(
            f"{refused[0]} is not a setting; write an UploadSet in code for a set with its own"
        )
    hooks = {hook: _function(hook, options.pop(hook)) for hook in _HOOKS if hook in options}
    extensions = _extensions(app, options)
    settings = {key: options[key] for key in options if key not in _EXTENSIONS}
    made = UploadSet(name, extensions, **uploads.shared(app), **settings)
    made.inherit(uploads)
    for hook, function in hooks.items():
        getattr(made, hook)(function)
    made.init_app(app)


def _extensions(app: Flask, options: Mapping[str, Any]) -> Any:
    """Return a set's extensions; the app's, where the set has none of its own."""
    allowed, denied = (
        options.get(key, app.config.get(f"CHUNKED_UPLOAD_{key.upper()}")) for key in _EXTENSIONS
    )
    refused = _read("denied_extensions", denied or ())
    if not allowed:
        return AllExcept(refused) if refused else ALL
    return tuple(one for one in _read("allowed_extensions", allowed) if one not in refused)


def _read(key: str, value: Any) -> tuple[str, ...]:
    try:
        return Extensions().read(value)
    except ValueError as error:
        raise ConfigurationError(f"{key} {error}, not {value!r}") from error


def _function(hook: str, value: Any) -> Any:
    try:
        return Imported(what="a function").read(value)
    except ValueError as error:
        raise ConfigurationError(f"{hook}={value!r} {error}") from error
