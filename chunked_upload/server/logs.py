"""The stand-alone server's log: JSON for machines, readable lines for a terminal."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

from chunked_upload.logs import JsonFormatter, RequestFilter, TextFormatter


def is_json(log_format: str, stream: TextIO) -> bool:
    """Return whether lines are JSON: ``auto`` means that they are, but on a terminal."""
    return log_format == "json" or (log_format == "auto" and not stream.isatty())


def set_up(log_format: str) -> None:
    """Send this process's log, and that of processes that it forks, to standard error."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(_dressed(logging.StreamHandler(sys.stderr), log_format))


def _dressed(handler: logging.StreamHandler[Any], log_format: str) -> logging.Handler:
    json = is_json(log_format, handler.stream)
    handler.setFormatter(JsonFormatter() if json else TextFormatter())
    handler.addFilter(RequestFilter())
    return handler
