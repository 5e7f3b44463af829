"""The access log: one JSON object a line, safe whatever a client puts into its request.

Values are JSON-escaped, so a name or path with line breaks cannot forge a second entry, and no
header with a credential is among them.

It wraps the whole app instead of using Flask's hooks: every chunk has its line, and what it tells
stands in the environment and the answer's head, where it costs half as much to get at.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.wsgi import get_content_length, get_path_info

from chunked_upload.http.wire.body import BODY_KEY, Body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("chunked_upload.access")

_MAX_PATH = 500


class _StdoutHandler(logging.Handler):
    """Writes to what is standard output at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        # One write for the line, so that those of several workers do not mix.
        sys.stdout.write(self.format(record) + "\n")
        sys.stdout.flush()


def init_app(app: Flask) -> None:
    """Log every request of an app to the logger ``chunked_upload.access``, by default to stdout."""
    if not logger.handlers:
        logger.addHandler(_StdoutHandler())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    app.wsgi_app = _AccessLog(app.wsgi_app)  # type: ignore[method-assign]


class _AccessLog:
    """Logs what a WSGI app has answered, before its answer's body is sent."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        answered: tuple[str, list[tuple[str, str]]] | None = None

        def note(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal answered
            answered = status, headers
            return start_response(status, headers, *error)

        body = self._app(environ, note)
        if answered and logger.isEnabledFor(logging.INFO):
            seconds = time.perf_counter() - started
            logger.info("%s", json.dumps(_entry(environ, *answered, seconds)))
        return body


def _entry(
    environ: WSGIEnvironment, status: str, headers: list[tuple[str, str]], seconds: float
) -> dict[str, object]:
    entry: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "remote": environ.get("REMOTE_ADDR"),
        "method": environ["REQUEST_METHOD"],
        "path": get_path_info(environ)[:_MAX_PATH],
        "status": int(status[:3]),
        "ms": round(seconds * 1000, 1),
        "received": _received(environ),
        "range": environ.get("HTTP_CONTENT_RANGE", "")[:80] or None,
        "offset": next((value for name, value in headers if name == "Upload-Offset"), None),
        "agent": environ.get("HTTP_USER_AGENT", "")[:200] or None,
    }
    return {key: value for key, value in entry.items() if value is not None}


def _received(environ: WSGIEnvironment) -> int | None:
    """Return how many bytes of the body came: those counted, else those declared."""
    body: Body | None = environ.get(BODY_KEY)
    if body is not None:
        return body.received
    return get_content_length(environ)
