"""Tells those who count or follow requests of an answer."""

from __future__ import annotations

import time
from typing import TypeAlias

from flask import Request, Response

from chunked_upload.errors import reason_of
from chunked_upload.hooks import request_answered, request_refused

from ..dialect import Dialect
from ..upload_set import BoundUploadSet

#: What is told of an answer: upload set, dialect, method, status, why it was refused (else None),
#: and seconds.
Answered: TypeAlias = tuple[str, str, str, int, str | None, float]


def answered(
    response: Response,
    request: Request,
    upload_set: BoundUploadSet,
    dialect: Dialect,
    *,
    begun: float,
    error: Exception | None,
) -> Response:
    """Tell the upload set's ``note_answer``, send the signals, and return the response.

    :param begun: when the request reached its view, on ``time.perf_counter``'s clock.
    :param error: why it was refused, if it was.
    """
    if (note := upload_set.note_answer) is not None:
        reason = None if error is None else reason_of(error)
        seconds = time.perf_counter() - begun
        note((upload_set.name, dialect.name, request.method, response.status_code, reason, seconds))
    for signal in (request_answered,) if error is None else (request_answered, request_refused):
        if signal.receivers:
            signal.send(
                upload_set.app,
                upload_set=upload_set.name,
                dialect=dialect.name,
                method=request.method,
                status=response.status_code,
                error=error,
                seconds=time.perf_counter() - begun,
            )
    return response
