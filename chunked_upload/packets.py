"""How answers leave a worker: head and body in one packet (tcp(7)).

gunicorn sends the head of an answer by itself, so that a client is woken twice for it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gunicorn.http.wsgi import Response

from . import turnstile
from .asking import AskingBody

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: An answer whose length has so many digits goes out at once, whatever its client does.
_SMALL_DIGITS = 4


def answering(app: WSGIApplication) -> WSGIApplication:
    """Wrap an app so that the head of an answer waits for its body."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        small = False

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal small
            small = any(
                name == "Content-Length" and len(value) <= _SMALL_DIGITS for name, value in headers
            )
            return start_response(status, headers, *error)

        answer = app(environ, start)
        stream = environ["wsgi.input"]
        if isinstance(stream, AskingBody):
            stream.answered()
        response: Response = start_response.__self__  # type: ignore[attr-defined]
        if not small:
            turnstile.step_out()
            response.req.is_corked = cork(response.sock, True)
        elif not (response._omits_body or response.headers_sent):  # by start_response's write()
            answer = _SmallAnswer(answer)
            if answer.body:
                response.sock = _OnePacket(response.sock)
        return answer

    return call


def cork(connection: socket.socket, holds: bool) -> bool:
    """Hold back what does not fill a packet, or let it go; return whether that was possible."""
    if connection.family == socket.AF_UNIX or not hasattr(socket, "TCP_CORK"):
        return False
    with suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, holds)
    return True


class _SmallAnswer:
    """An answer with its body in one piece."""

    def __init__(self, answer: Iterable[bytes]) -> None:
        self._answer = answer
        try:
            self.body = b"".join(answer)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        yield self.body

    def close(self) -> None:
        close = getattr(self._answer, "close", None)
        if close is not None:
            close()


class _OnePacket:
    """A connection that sends the head of an answer together with its body."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._head: bytes | None = None

    def sendall(self, data: bytes) -> None:
        if self._head is None:
            self._head = data
        else:
            self._connection.sendall(self._head + data)
