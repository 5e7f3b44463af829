"""The client's connection, where a server lets the app have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Where servers put it: gunicorn and the bundled server, and Werkzeug's.
_KEYS = ("gunicorn.socket", "werkzeug.socket")


def client_socket(environ: Mapping[str, Any]) -> Any | None:
    """Return the socket of a request's client, or None from a server that keeps it to itself."""
    return next((environ[key] for key in _KEYS if environ.get(key)), None)
