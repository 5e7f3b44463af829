"""Tells those who listen to the signals about requests of an answer."""

from __future__ import annotations

import time

from flask import Request, Response

from chunked_upload.hooks import request_answered, request_refused

from ..dialect import Dialect
from ..upload_set import BoundUploadSet


def answered(
    response: Response,
    request: Request,
    upload_set: BoundUploadSet,
    dialect: Dialect,
    *,
    begun: float,
    error: Exception | None,
) -> Response:
    """Send the signals, and return the response.

    :param begun: when the request reached its view, on ``time.perf_counter``'s clock.
    :param error: why it was refused, if it was.
    """
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
