"""The headers with which tus answers: where an upload stands, and what the server can do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from flask import Response
from werkzeug.http import http_date

from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record

from .declared import Declared
from .problems import VERSION

Headers = dict[str, str]


def versioned(response: Response) -> Response:
    """Add the version, which every answer has."""
    response.headers["Tus-Resumable"] = VERSION
    return response


def capabilities(extensions: Iterable[str], algorithms: Iterable[str], most: int | None) -> Headers:
    """Return the headers of the answer to OPTIONS.

    :param most: largest file in bytes; None for no limit.
    """
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(extensions),
        "Tus-Checksum-Algorithm": ",".join(algorithms),
    }
    return headers if most is None else headers | {"Tus-Max-Size": str(most)}


def progress(record: Record) -> Headers:
    """Return where the next byte goes, and until when an unfinished upload takes it."""
    return {"Upload-Offset": str(record.offset)} | expiry(record)


def expiry(record: Record) -> Headers:
    """Return when an unfinished upload expires; a complete one does not."""
    if record.status != Status.UPLOADING:
        return {}
    return {"Upload-Expires": _date(record.expires_on)}


def state(record: Record) -> Headers:
    """Return the headers of the answer to HEAD."""
    said = Declared.of(record)
    headers = progress(record)
    if record.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(record.length)
    if said.metadata:
        headers["Upload-Metadata"] = said.metadata
    if said.concat:
        headers["Upload-Concat"] = said.concat
    return headers | {"Cache-Control": "no-store"}


def waiting(record: Record, length: int | None) -> Headers:
    """Return the headers of the answer to HEAD for a final upload that is not complete.

    :param length: as its partial uploads tell it; None for not yet.
    """
    headers = state(record)
    del headers["Upload-Offset"]  # there is none before all bytes have been put together
    if length is not None:
        headers.pop("Upload-Defer-Length", None)
        headers["Upload-Length"] = str(length)
    return headers


def _date(time: datetime) -> str:
    """Return a time as HTTP writes it (RFC 9110 5.6.7)."""
    return http_date(time)


def empty(status: int, headers: Headers, **more: Any) -> Response:
    """Return an answer without a body."""
    response = Response(status=status, headers=headers | more)
    del response.headers["Content-Type"]  # of what is not there
    return response
