"""The bundled server's worker: gunicorn's threads, fitted for clients that send chunk after chunk.

These things differ from ``gunicorn -k gthread``:

- A thread stays with its connection for a moment after a reply. A client that uploads sends its
  next chunk at once, and to hand the connection back and forth costs as much as reading it.
- Reply heads and bodies leave in one packet.
- A client that asks first (``Expect: 100-continue``, as curl does) is told to go on when the body
  is read, not before: a chunk that is refused is never sent (RFC 9110 10.1.1).
- It is no longer the main thread, which takes new connections, that waits for a client to close.
- The head of a request must come in :data:`_HEAD_SECONDS`, or a client that sends it byte by byte
  would keep a thread for good. Bodies may take as long as they like.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn.http.body import Body
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import TConn, ThreadWorker

from . import turnstile
from .heap import keep_buffers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: How long the head of a request may take to arrive.
_HEAD_SECONDS = 30.0

#: How long a thread waits for the first request of a connection, before gunicorn waits for it.
_FIRST_SECONDS = 0.5

#: An answer whose length has so many digits goes out at once, whatever its client does.
_SMALL_DIGITS = 4

#: How long a thread waits for the next request of its connection.
_STAY_SECONDS = 0.2

#: What is wrong with a request that has another answer than 400.
_STATUSES = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}


class UploadWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads; see above."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        #: When the request heads that are being read must have come.
        self._heads: dict[TConn, float] = {}

    def load_wsgi(self) -> None:
        keep_buffers()
        super().load_wsgi()
        self.wsgi: WSGIApplication = _answering(self.wsgi)
        # gunicorn looks some twenty settings up for every request, each by several calls. They do
        # not change: a reload starts new workers.
        for name, setting in self.cfg.settings.items():
            self.cfg.__dict__.setdefault(name, setting.get())

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            # Or who connects now would wait for nobody until the last upload has ended.
            for listener in self.sockets:
                listener.close()

    def handle(self, conn: TConn) -> Any:
        """Serve a connection's requests as long as each follows soon on the one before."""
        outcome = self._serve_all(conn)
        if outcome is False:
            # Here, since it waits for the client to close as well, and the main thread has others.
            conn.close(graceful=True)
        return outcome

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        if not fs.cancelled() and fs.exception() is None and fs.result() is False:
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)

    def _serve_all(self, conn: TConn) -> Any:
        if not conn.initialized and not conn.wait_for_data(_FIRST_SECONDS):
            return super().handle(conn)  # puts it aside until something comes
        while True:
            with turnstile.through():
                outcome = self._serve(conn)
                if outcome is not True or not self.alive or not self._stays(conn):
                    return outcome

    def _serve(self, conn: TConn) -> Any:
        self._heads[conn] = time.monotonic() + _HEAD_SECONDS
        try:
            return super().handle(conn)
        finally:
            self._heads.pop(conn, None)

    def _stays(self, conn: TConn) -> bool:
        """Wait a moment for the next request; return whether it is there."""
        if conn.parser.unreader.buf.getvalue():
            return True
        if self.nr_conns > self.cfg.threads:
            return False  # others wait for a thread
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        turnstile.step_out()
        return bool(poll.poll(_STAY_SECONDS * 1000))

    def handle_request(self, req: Any, conn: TConn) -> Any:
        self._heads.pop(conn, None)
        if req._expected_100_continue:
            req._expected_100_continue = False
            req.body = AskingBody(req, conn.sock)
        try:
            stays = super().handle_request(req, conn)
        finally:
            _cork(conn.sock, False)
        # Whether a client that has not been told to go on sends the body all the same is unknown.
        return stays and not getattr(req.body, "asking", False)

    def _keepalive_after(self, conn: TConn, keepalive: Any) -> bool:
        # The usual case, in which gunicorn would set and reset timeouts to read nothing.
        body = conn.parser.mesg.body
        if keepalive and getattr(body.reader, "length", None) == 0 and not body.failed:
            return True
        return bool(super()._keepalive_after(conn, keepalive))

    def murder_keepalived(self, force: bool = False) -> None:
        """Close what has been idle for too long; called about once a second."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, deadline in list(self._heads.items()):
            if now > deadline:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)  # its thread reads the end of input

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what is not a request, in JSON as every other error."""
        if req is not None or not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Not a request, from %s: %s", addr and addr[0], exc)
        status = _STATUSES.get(type(exc), HTTPStatus.BAD_REQUEST)
        detail = "Error in request headers" if status == HTTPStatus.BAD_REQUEST else status.phrase
        body = json.dumps({"detail": detail, "error": detail, "reason": str(exc)}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with suppress(OSError):
            client.sendall(head.encode() + body)


class AskingBody(Body):  # type: ignore[misc]
    """The body of a client that waits to be told to go on."""

    def __init__(self, req: Any, connection: socket.socket) -> None:
        super().__init__(req.body.reader)
        #: Whether it still waits.
        self.asking = getattr(req.body.reader, "length", None) != 0
        self._req = req
        self._connection = connection
        self._answered = False
        self._closes = req.must_close
        req.must_close = self._closes or self.asking

    def announce(self) -> bool:
        """Have the client go on; return False when it has had its answer instead."""
        if self.asking and not self._answered:
            self.asking, self._req.must_close = False, self._closes
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return not self.asking

    def answered(self) -> None:
        """Say that the answer goes out: a client that still waits will send nothing."""
        self._answered = True

    def _read_reader(self, size: int) -> bytes:
        data: bytes = super()._read_reader(size) if self.announce() else b""
        return data


def _answering(app: WSGIApplication) -> WSGIApplication:
    """Have the head of an answer wait for its body, so that both leave in one packet (tcp(7))."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        large = True

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal large
            large = not any(
                name == "Content-Length" and len(value) <= _SMALL_DIGITS for name, value in headers
            )
            return start_response(status, headers, *error)

        answer = app(environ, start)
        stream = environ["wsgi.input"]
        if isinstance(stream, AskingBody):
            stream.answered()
        if large:
            turnstile.step_out()
        _cork(environ["gunicorn.socket"], True)
        return answer

    return call


def _cork(connection: socket.socket, holds: bool) -> None:
    if connection.family != socket.AF_UNIX and hasattr(socket, "TCP_CORK"):
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, holds)
