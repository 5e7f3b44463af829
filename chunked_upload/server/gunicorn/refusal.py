"""The bundled server's own answers: to what is not a request, and to what cannot be served."""

from __future__ import annotations

import json
from http import HTTPStatus

from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)

from .connection import Connection

#: What is wrong with a request that has another answer than 400.
_STATUSES = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}


def status_of(error: ParseException) -> HTTPStatus:
    """Return the status that says what is wrong with a request."""
    return _STATUSES.get(type(error), HTTPStatus.BAD_REQUEST)


def refuse(connection: Connection, status: int, reason: str) -> None:
    """Answer what is not a request, or cannot be served, in JSON as every other error."""
    phrase = HTTPStatus(status).phrase
    detail = "Error in request headers" if status == HTTPStatus.BAD_REQUEST else phrase
    body = json.dumps({"detail": detail, "error": detail, "reason": reason or phrase}).encode()
    head = (
        f"HTTP/1.1 {int(status)} {phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.refuse(head.encode() + body)
