"""Log lines for machines (JSON) and for people, with the request that they are about.

The standard library's logging, with these few lines: structlog and python-json-logger would want an
app to log through them, or bring no redaction, and JSON is all that is needed of them.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from chunked_upload.support.log_context import current

from .redaction import redacted

#: What a log record has without ``extra``.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

#: What a request's lines have in common.
_CONTEXT = ("request_id", "upload_id", "owner")


class RequestFilter(logging.Filter):
    """Adds ``request_id``, ``upload_id`` and ``owner`` to each record, as far as they are known."""

    def filter(self, record: logging.LogRecord) -> bool:
        context = current()
        for name in _CONTEXT:
            if getattr(record, name, None) is None:
                setattr(record, name, getattr(context, name, None))
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the request, and what is ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        extra = {name: value for name, value in vars(record).items() if name not in _OWN}
        entry |= {name: _plain(value) for name, value in extra.items() if value is not None}
        if (trace := _trace(self, record)) is not None:
            entry["exception"] = trace
        return json.dumps(entry)


class TextFormatter(logging.Formatter):
    """A line for people: time, level, message, and the request at its end."""

    def format(self, record: logging.LogRecord) -> str:
        said = _on_one_line(redacted(record.getMessage()))
        parts = [f"{_time(record):%H:%M:%S}", f"{record.levelname:<7}", said]
        shown = [(name, getattr(record, name, None)) for name in _CONTEXT]
        parts += [f"{name}={_on_one_line(str(value))}" for name, value in shown if value]
        trace = _trace(self, record)
        return "\n  ".join([" ".join(parts), *map(_on_one_line, (trace or "").splitlines())])


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _plain(value: Any) -> Any:
    return value if _is_json(value) else redacted(str(value))


def _is_json(value: Any) -> bool:
    return isinstance(value, (int, float, bool))


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    if not record.exc_info:
        return None
    return redacted(formatter.formatException(record.exc_info))


def _on_one_line(text: str) -> str:
    """Return text that cannot forge a second line, nor control a terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
