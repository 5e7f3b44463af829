"""Gives a request an id, for its answer and for every line of its log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Request, Response

from chunked_upload.support.log_context import REQUEST_ID, begin, end, request_id

_Identify = Callable[[Response], Response]


@contextmanager
def request_log(request: Request) -> Iterator[_Identify]:
    """Have what is logged in the block tell the request; yield what puts its id on the answer.

    The stand-alone server has done so already, for what is no endpoint of an upload set too.
    """
    if REQUEST_ID in request.environ:
        yield _as_it_is
        return
    identifier = request_id(request.headers.get("X-Request-ID"))

    def identify(response: Response) -> Response:
        response.headers.setdefault("X-Request-ID", identifier)
        return response

    token = begin(identifier)
    try:
        yield identify
    finally:
        end(token)


def _as_it_is(response: Response) -> Response:
    return response
