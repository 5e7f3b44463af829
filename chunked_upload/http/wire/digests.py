"""The checksums that a client sends with a file, or to complete an upload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Request

from chunked_upload.checksum import registry

from .incoming import Incoming


def read_digests(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the checksums among fields or parameters, in the order of their names."""
    sent = {name: fields.get(name) for name in sorted(registry.names())}
    return {
        name: value.strip()
        for name, value in sent.items()
        if isinstance(value, str) and value.strip()
    }


def read_file_digests(request: Request, incoming: Incoming) -> dict[str, str]:
    """Return the checksums that came with a file: as form fields, or in a raw body's query."""
    sent = read_digests(incoming.fields)
    return {**read_digests(request.args), **sent} if incoming.raw else sent
