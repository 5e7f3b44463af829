"""Answers: the JSON of the protocol and the headers that tell a client where its upload stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.model import ChunkedUploadMixin
from chunked_upload.settings.keys import Settings

from ..encoder import encode
from ..schemas import ErrorSchema

_errors = ErrorSchema()


def json_reply(settings: Settings, content: Any, status: int = 200) -> Response:
    """Answer with the settings' encoder and content type."""
    encoder: Callable[[Any], str] = settings.encoder or encode
    content_type = settings.mimetype or settings.content_type
    return Response(encoder(content), status, content_type=content_type)


def error_reply(settings: Settings, error: ChunkedUploadError) -> Response:
    """Answer a refusal.

    :raises TypeError: for an error that no dialect has given a status.
    """
    if error.status_code is None:
        raise TypeError(f"{error!r} has no status; Dialect.refusal gives it one")
    response = json_reply(settings, _errors.dump(error.data), error.status_code)
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
