"""What an upload set accepts, as ``Upload-Limit`` tells it (section 4.1.4 of the draft)."""

from __future__ import annotations

from datetime import datetime

from flask import Request

from chunked_upload.http.views.receiving import ReceivingView
from chunked_upload.http.wire.structured import MAX_INTEGER, write_dictionary
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record

from .versions import NEWEST, Version

LIMIT_HEADER = "Upload-Limit"


def upload_limit(
    rules: ReceivingView, request: Request, record: Record | None, version: Version = NEWEST
) -> str:
    """Return the value of ``Upload-Limit``.

    :param rules: the upload set's chunk view.
    :param record: the upload; None for those that may be created.
    """
    limits = {
        "max-size": rules.told_max_bytes(request),
        "max-append-size": largest_append(rules, request),
        version.lifetime: None if record is None else _seconds_left(record, rules.engine.now()),
    }
    told = {key: min(value, MAX_INTEGER) for key, value in limits.items() if value is not None}
    # The field must not be empty.
    return write_dictionary(told or {"min-size": 0})


def largest_append(rules: ReceivingView, request: Request) -> int | None:
    """Return the most bytes that one request may bring; None for no limit."""
    limits = (rules.max_chunk, request.max_content_length)
    return min((limit for limit in limits if limit is not None), default=None)


def _seconds_left(record: Record, now: datetime) -> int | None:
    """Return how long an upload lives if nothing more of it arrives; None when it is complete."""
    if record.status == Status.COMPLETE:
        return None
    return max(0, int((record.expires_on - now).total_seconds()))
