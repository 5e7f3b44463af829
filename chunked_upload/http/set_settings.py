"""Reads and checks the settings of one upload set, when the app starts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from flask import Flask

from chunked_upload.checksum import registry
from chunked_upload.errors import ConfigurationError
from chunked_upload.settings.events import check_events
from chunked_upload.settings.keys import Settings
from chunked_upload.settings.sources import Sources
from chunked_upload.storage.registry import all_storages, storage_settings

from .access import csrf
from .dialect import Dialects
from .dialect import registered as registered_dialects


def load_settings(app: Flask, overrides: Mapping[str, Any], dialects: Dialects) -> Settings:
    """Read and check the settings, the storage's and the dialects' own among them.

    :raises ConfigurationError: for one that is unknown or cannot work.
    """
    sources = Sources(app.config, overrides)
    settings = sources.read(Settings)
    for own in (*storage_settings(settings), *(dialect.settings for dialect in dialects)):
        if own is not None:
            settings = settings.with_own(sources.read(own))
    of_others = {kind.settings for kind in all_storages()}
    for others in of_others | {kind.settings for kind in registered_dialects().values()}:
        if others is not None:
            sources.leave_to_others(others)
    sources.refuse_unknown()
    check_events(settings)
    for name in settings.kept_checksums:
        registry.find(name)
    taken = {"upload_id", *registry.names(), *settings.field_name, *dialects.fields}
    if settings.set_field in taken:
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_SET_FIELD is {settings.set_field!r}, which means something else in"
            " uploads; choose another name"
        )
    if settings.csrf:
        csrf.check_installed()
    if settings.mimetype is not None:
        warnings.warn(
            "CHUNKED_UPLOAD_MIMETYPE is deprecated; set CHUNKED_UPLOAD_CONTENT_TYPE instead",
            DeprecationWarning,
            stacklevel=4,
        )
    return settings
