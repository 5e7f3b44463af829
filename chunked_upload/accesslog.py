"""The access log: one JSON object a line, safe whatever a client puts into its request.

Values are JSON-escaped, so a name or path with line breaks cannot forge a second entry, and no
header with a credential is among them.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime

from flask import Flask, Response, g, request

from .wire.body import BODY_KEY, Body

logger = logging.getLogger("chunked_upload.access")

_MAX_PATH = 500

_encoder = json.JSONEncoder(check_circular=False)


class _StdoutHandler(logging.Handler):
    """Writes bare messages to what is standard output at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        # One write for the line, so that those of several workers do not mix.
        sys.stdout.write(record.getMessage() + "\n")
        sys.stdout.flush()


def init_app(app: Flask) -> None:
    """Log every request of an app to the logger ``chunked_upload.access``, by default to stdout."""
    if not logger.handlers:
        logger.addHandler(_StdoutHandler())
        logger.setLevel(logging.INFO)
        logger.propagate = False

    @app.before_request
    def start_clock() -> None:
        g.access_log_start = time.perf_counter()

    @app.after_request
    def log(response: Response) -> Response:
        if logger.isEnabledFor(logging.INFO):
            # Not logger.info(), which would look for its caller on the stack every time.
            line = _encoder.encode(_entry(response))
            logger.handle(
                logging.LogRecord(logger.name, logging.INFO, __file__, 0, line, None, None)
            )
        return response


def _entry(response: Response) -> dict[str, object]:
    started = g.get("access_log_start")
    elapsed = None if started is None else round((time.perf_counter() - started) * 1000, 1)
    entry: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "remote": request.remote_addr,
        "method": request.method,
        "path": request.path[:_MAX_PATH],
        "status": response.status_code,
        "ms": elapsed,
        "received": _received(),
        "range": request.headers.get("Content-Range", "")[:80] or None,
        "offset": response.headers.get("Upload-Offset"),
        "agent": request.headers.get("User-Agent", "")[:200] or None,
    }
    return {key: value for key, value in entry.items() if value is not None}


def _received() -> int | None:
    """Return how many bytes of the body came: those counted, else those declared."""
    body: Body | None = request.environ.get(BODY_KEY)
    return request.content_length if body is None else body.received
