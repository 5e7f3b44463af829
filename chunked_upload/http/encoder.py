"""JSON as django-chunked-upload writes it: the default of ``CHUNKED_UPLOAD_ENCODER``."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


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
