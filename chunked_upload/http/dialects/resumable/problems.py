"""Refusals as problem details (RFC 9457), with the draft's problem types.

A refusal also has the fields of the contract (``detail``, ``error``, ``offset``), so that a client
of any dialect can show it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response
from marshmallow import fields

from chunked_upload.engine import errors
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.dialect import REFUSALS, Refusal
from chunked_upload.http.schemas import ErrorSchema
from chunked_upload.http.wire.replies import json_reply
from chunked_upload.settings.keys import Settings

MEDIA_TYPE = "application/problem+json"

_TYPES = "https://iana.org/assignments/http-problem-types#"
MISMATCHING_OFFSET = f"{_TYPES}mismatching-upload-offset"
INCONSISTENT_LENGTH = f"{_TYPES}inconsistent-upload-length"

#: The engine's errors as the draft has them.
WORDS = {
    **REFUSALS,
    errors.OffsetMismatch: Refusal(409, "Offsets do not match"),
    errors.BeyondLength: Refusal(400, "The upload has more bytes than its length says"),
    errors.TotalMismatch: Refusal(400, "Lengths of the upload are inconsistent"),
    errors.FileTooLarge: Refusal(413, "Size of file exceeds the limit ({error.limit} bytes)"),
}

_fields = ErrorSchema()


class ProblemSchema(ErrorSchema):
    """A refusal as problem details; only described by it."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    expected_offset = fields.Integer(data_key="expected-offset")
    provided_offset = fields.Integer(data_key="provided-offset")


class InconsistentLength(ChunkedUploadError):
    """400: a request's own headers, or its bytes, tell two lengths."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, detail="Lengths of the upload are inconsistent", reason=reason)


_INCONSISTENT = (INCONSISTENT_LENGTH, "Inconsistent length values for upload")

#: Types and titles of problems by the error.
_KINDS: dict[type[Exception], tuple[str, str]] = {
    errors.OffsetMismatch: (
        MISMATCHING_OFFSET,
        "Offset from request does not match offset of resource",
    ),
    errors.BeyondLength: _INCONSISTENT,
    errors.TotalMismatch: _INCONSISTENT,
    InconsistentLength: _INCONSISTENT,
}


def problem_reply(
    settings: Settings, error: ChunkedUploadError, *, provided_offset: int | None = None
) -> Response:
    """Return a refusal as problem details.

    :param error: with its status and words; its cause is the engine's error, if it was one.
    :param provided_offset: the offset that the request gave.
    """
    status = error.status_code or 500
    cause = error.__cause__ if isinstance(error.__cause__, errors.UploadError) else error
    kind, title = _KINDS.get(type(cause), ("about:blank", _phrase(status)))
    problem: dict[str, Any] = {"type": kind, "title": title, "status": status}
    if isinstance(cause, errors.OffsetMismatch):
        problem["expected-offset"] = cause.data["offset"]
        if provided_offset is not None:
            problem["provided-offset"] = provided_offset
    response = json_reply(settings, {**problem, **_fields.dump(error.data)}, status)
    response.content_type = MEDIA_TYPE
    response.headers.extend(error.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _phrase(status: int) -> str:
    """Return the status's phrase, the title of a problem without a type (RFC 9457 4.2.1)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # one of the app's own
        return "Refused"
