"""Read on for a while after refusing a request, so that its sender gets to see the answer.

A refusal is often sent while the client is still sending the body. A server that then closes the
connection with unread bytes in it makes TCP reset it, and the reset may overtake the answer: the
client reports a broken connection instead of, say, the offset to go on from. So the rest of the
body is read and thrown away once the answer is out (RFC 9112 9.6; nginx calls it lingering_close).
A client that reads while it sends stops by itself and costs nothing.

One that stalls must not cost a thread for long, however many of them there are. The bundled server
needs no thread for it. gunicorn and Werkzeug give the app the socket, whose timeout ends a read.
Granian gives nothing to end one with, so a thread aside reads, and the request's own thread leaves
it when nothing comes. It stays until its client hangs up, so only a few may; the others take their
chance. Other servers have a body whole before they call the app (waitress), or a timeout of their
own (uWSGI, mod_wsgi).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from chunked_upload.errors import ChunkedUploadError

from .body import BUFFER_SIZE, Body
from .client_socket import client_socket

#: Where the environment of a request says that its server does this by itself.
LINGERS_KEY = "chunked_upload.server_lingers"

#: How long a client may go on sending what nobody wants, and how long it may send nothing.
_SECONDS, _SILENT_SECONDS = 30.0, 3.0

#: Threads aside that read at a time.
_places_aside = threading.BoundedSemaphore(16)


def linger(response: Response, request: Request) -> Response:
    """Read the rest of the request's body after ``response`` has been sent."""
    if request.environ.get(LINGERS_KEY):
        return response
    # Not Flask's proxy, which has let go of the request by then.
    itself: Request = request.environ["werkzeug.request"]
    response.call_on_close(lambda: _discard_body(itself))
    return response


def _discard_body(request: Request) -> None:
    environ = request.environ
    if environ.get("SERVER_SOFTWARE", "").startswith("Granian"):
        _read_aside(request)
        return
    connection = client_socket(environ)
    if connection is None:
        _has_end(_rest(request))
        return
    with _bounded(connection):
        if not _has_end(_rest(request)):
            _hang_up(connection)  # or the server would wait for the rest, to find the next request


@contextmanager
def _bounded(connection: Any) -> Iterator[None]:
    """End reads from a socket that take too long."""
    with suppress(OSError):
        before = connection.gettimeout()
        # A server may read until it has what was asked for, a byte at a time.
        watchdog = threading.Timer(_SECONDS, _hang_up, [connection])
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.settimeout(_SILENT_SECONDS)
            yield
            connection.settimeout(before)
        finally:
            watchdog.cancel()


def _hang_up(connection: Any) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _read_aside(request: Request) -> None:
    if not _places_aside.acquire(blocking=False):
        return
    heard, has_ended = threading.Event(), threading.Event()

    def read() -> None:
        try:
            for _ in _rest(request):
                heard.set()
        finally:
            _places_aside.release()
            has_ended.set()
            heard.set()

    threading.Thread(target=read, name="linger", daemon=True).start()
    while heard.wait(_SILENT_SECONDS) and not has_ended.is_set():
        heard.clear()


def _has_end(rest: Generator[None, None, bool]) -> bool:
    while True:
        try:
            next(rest)
        except StopIteration as stopped:
            return bool(stopped.value)


def _rest(request: Request) -> Generator[None, None, bool]:
    """Read what is left of a body, for a while; yield whenever something has come.

    :return: whether its end has come.
    """
    deadline = time.monotonic() + _SECONDS
    # A client's connection that breaks here, or a body that cannot be delimited: nothing to save.
    with suppress(ChunkedUploadError, HTTPException, OSError, EOFError):
        for _ in _pieces(request):
            yield
            if time.monotonic() > deadline:
                return False
        return True
    return False


def _pieces(request: Request) -> Iterator[bytes]:
    if "stream" in request.__dict__:  # Flask has begun to read, its stream knows how far
        return iter(lambda: request.stream.read(BUFFER_SIZE), b"")
    body = Body.of(request.environ)
    body.require_end(framed=True)
    return iter(body)
