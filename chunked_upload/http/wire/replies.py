"""Answers: the JSON of the protocol and the headers that tell a client where its upload stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.model import ChunkedUploadMixin
from chunked_upload.settings.keys import Settings


def format_time(moment: datetime) -> str:
    """Write a time as django-chunked-upload's encoder does: ``2026-11-20T04:42:22.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encode(content: Any) -> str:
    """Encode an answer as JSON; the default of ``CHUNKED_UPLOAD_ENCODER``."""
    return _encoder.encode(content)


def _encode_other(value: Any) -> Any:
    """Encode what Django's ``DjangoJSONEncoder`` encodes, in the same way."""
    match value:
        case datetime():
            return format_time(value if value.tzinfo else value.replace(tzinfo=UTC))
        case date():
            return value.isoformat()
        case time():
            if value.tzinfo is not None:
                raise ValueError("JSON can't represent timezone-aware times.")
            return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        case timedelta():
            return _duration(value)
        case Decimal() | UUID():
            return str(value)
    if hasattr(value, "__html__") or type(value).__name__ in ("LazyString", "_LazyString"):
        return str(value)  # a lazy translation (Flask-Babel, speaklater) or Markup
    raise TypeError(f"{type(value).__name__} cannot be encoded as JSON")


def _duration(value: timedelta) -> str:
    """Write a time span in ISO 8601 with days as the largest unit, as Django does."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}" if value.microseconds else ""
    return f"{sign}P{value.days}DT{hours:02d}H{minutes:02d}M{seconds:02d}{fraction}S"


_encoder = json.JSONEncoder(default=_encode_other)


def json_reply(settings: Settings, content: Any, status: int = 200) -> Response:
    """Answer with the settings' encoder and content type."""
    encoder: Callable[[Any], str] = settings.encoder or encode
    content_type = settings.mimetype or settings.content_type
    return Response(encoder(content), status, content_type=content_type)


def error_reply(settings: Settings, error: ChunkedUploadError) -> Response:
    """Answer a refusal. ``error`` repeats ``detail``, since Dropzone shows that field.

    :raises TypeError: for an error that no dialect has given a status.
    """
    if error.status_code is None:
        raise TypeError(f"{error!r} has no status; Dialect.refusal gives it one")
    content = dict(error.data)
    if "detail" in content:
        content = {"detail": content["detail"], "error": content["detail"]} | content
    response = json_reply(settings, content, error.status_code)
    response.headers.extend(error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def add_progress(response: Response, record: ChunkedUploadMixin) -> Response:
    """Add the headers with which clients resume; jQuery-File-Upload follows ``Range``."""
    progress = {"Upload-Offset": str(record.offset)}
    if record.length is not None:
        progress["Upload-Length"] = str(record.length)
    if record.offset:
        progress["Range"] = f"bytes=0-{record.offset - 1}"
    response.headers.extend(progress)
    response.headers["Cache-Control"] = "no-store"
    return response
