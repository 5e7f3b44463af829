"""Read on for a while after refusing a request, so that its sender gets to see the answer.

A refusal is often sent while the client is still sending the body. A server that then closes the
connection with unread bytes in it makes TCP reset it, and the reset may overtake the answer: the
client reports a broken connection instead of, say, the offset to go on from. So the rest of the
body is read and thrown away once the answer is out (RFC 9112 9.6; nginx calls it lingering_close).
A client that reads while it sends stops by itself and costs nothing.

One that stalls costs a thread, and a stranger may be refused as often as they like, so only a few
requests may linger at a time; the others take their chance.
"""

from __future__ import annotations

import threading
import time

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from chunked_upload.errors import ChunkedUploadError

from .body import BUFFER_SIZE, Body

#: Where the environment of a request says that its server does this by itself.
LINGERS_KEY = "chunked_upload.server_lingers"

#: How long a client may go on sending what nobody wants.
_SECONDS = 30.0

#: Requests of one process that may linger at a time.
_PLACES = threading.BoundedSemaphore(16)


def linger(response: Response, request: Request) -> Response:
    """Read the rest of the request's body after ``response`` has been sent."""
    if request.environ.get(LINGERS_KEY):
        return response
    # Not Flask's proxy, which has let go of the request by then.
    itself: Request = request.environ["werkzeug.request"]
    response.call_on_close(lambda: _discard_body(itself))
    return response


def _discard_body(request: Request) -> None:
    if _PLACES.acquire(blocking=False):
        try:
            _read_on(request)
        finally:
            _PLACES.release()


def _read_on(request: Request) -> None:
    deadline = time.monotonic() + _SECONDS
    # A client's connection that breaks here, or a body that cannot be delimited: nothing to save.
    try:
        if "stream" in request.__dict__:  # Flask has begun to read, its stream knows how far
            while request.stream.read(BUFFER_SIZE) and time.monotonic() < deadline:
                pass
            return
        body = Body.of(request.environ)
        body.require_end(framed=True)
        for _ in body:
            if time.monotonic() > deadline:
                return
    except (ChunkedUploadError, HTTPException, OSError, EOFError):
        return
