"""The bundled server's worker: gunicorn's threads, fitted for clients that send chunk after chunk.

These things differ from ``gunicorn -k gthread``:

- A thread that has answered goes on with whichever connection has its next request, and waits for
  all of them for a moment. A client that uploads sends its next chunk at once, and to hand
  connections from thread to thread costs as much as reading them.
- A client that asks first (``Expect: 100-continue``, as curl does) is told to go on when the body
  is read, not before: a chunk that is refused is never sent (RFC 9110 10.1.1).
- It is no longer the main thread, which takes new connections, that waits for a client to close.
- The head of a request must come in :data:`_HEAD_SECONDS`, or a client that sends it byte by byte
  would keep a thread for good. Bodies may take as long as they like.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import TConn, ThreadWorker

from chunked_upload.support.blocking import wrap_blocking

from . import request_gate
from .body import ConnectionBody
from .idle import IdleConnections
from .unreader import PassingUnreader

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: How long the head of a request may take to arrive.
_HEAD_SECONDS = 30.0

#: How long a thread waits for the first request of a connection, before gunicorn waits for it.
_FIRST_SECONDS = 0.5

#: How long threads wait for the next request of connections, before gunicorn waits for it.
_STAY_SECONDS = 0.2

#: The same on a worker whose threads have other connections to serve all the time.
_LONG_SECONDS = 1.0

#: How often the main thread looks whether requests go on, while there are connections.
_LOOK_SECONDS = 0.1

#: An answer whose length has at most so many digits goes out at once, whatever its client does.
_SMALL_DIGITS = 4

#: What is wrong with a request that has another answer than 400.
_STATUSES = {
    LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
}

#: Outcome of a job whose connections have each been seen to.
_SETTLED = object()


class UploadWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads; see above."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        #: When the request heads that are being read must have come.
        self._heads: dict[TConn, float] = {}
        #: Threads that wait at the gate with a request.
        self._entering: set[int] = set()
        #: Whether a thread has been sent for to see to idle connections.
        self._is_followed = False
        #: Requests that threads have taken up.
        self._served = 0

    def load_wsgi(self) -> None:
        self._idle = IdleConnections()
        request_gate.hand_over(self._take_over)
        wrap_blocking(request_gate.stepping_out)
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
        """Serve a connection, and then whichever goes on."""
        if not conn.initialized and not conn.wait_for_data(_FIRST_SECONDS):
            return super().handle(conn)  # puts it aside until something comes
        self._attend(conn)
        return _SETTLED

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception() is not None or fs.result() is not _SETTLED:
            super().finish_request(conn, fs)

    def _attend(self, conn: TConn | None = None) -> None:
        """Serve connections as long as there is one that goes on."""
        self._is_followed = False
        conn = conn or self._watch()
        if conn is None:
            return
        self._enter()
        try:
            while conn is not None:
                self._settle(conn, self._serve(conn))
                conn = self._next()
        finally:
            request_gate.step_out()

    def _enter(self) -> None:
        thread = threading.get_ident()
        self._entering.add(thread)
        try:
            request_gate.enter()
        finally:
            self._entering.discard(thread)

    def _serve(self, conn: TConn) -> Any:
        """Serve one request; return what gunicorn is to do with the connection."""
        self._heads[conn] = time.monotonic() + _HEAD_SECONDS
        self._served += 1
        try:
            if not conn.initialized and not self.cfg.is_ssl:
                conn.init()
                PassingUnreader.replace(conn)
            return super().handle(conn)
        except BaseException:  # an app's sys.exit(), say: it ends this connection, no other
            self.log.exception("Error handling request")
            return False
        finally:
            self._heads.pop(conn, None)

    def _settle(self, conn: TConn, outcome: Any) -> None:
        """Let a connection wait for its next request, or end it."""
        if outcome is False:
            with (
                request_gate.stepping_out(),
                suppress(OSError),
            ):  # it waits for the client to close as well
                conn.close(graceful=True)
            self.method_queue.defer(self._forget, conn)
        elif outcome is not True or not self.alive or not self._idle.add(conn):
            self._hand_back(conn, outcome)

    def _forget(self, conn: TConn) -> None:
        self.nr_conns -= 1

    def _hand_back(self, conn: TConn, outcome: Any = True) -> None:
        """Let gunicorn's main thread wait for the connection."""
        done: Future[Any] = Future()
        done.set_result(outcome)
        self.method_queue.defer(self.finish_request, conn, done)

    def _next(self) -> TConn | None:
        """Return a connection that goes on; None when others see to them."""
        if self._entering:
            return None  # it has a request to answer, and then looks here
        # One alone is hardly there already; and who waits in front has been waiting longer.
        if len(self._idle) > 1 and not request_gate.others_wait() and (conn := self._idle.ready()):
            return conn
        request_gate.step_out(hands_over=False)
        conn = self._watch()
        if conn is not None:
            self._enter()
        return conn

    def _watch(self) -> TConn | None:
        """Wait for a connection that goes on; None when another thread does, or none is left."""
        while len(self._idle) and not self._idle.is_watched:
            if conn := self._idle.wait(_STAY_SECONDS):
                return conn
            self._leave(_STAY_SECONDS)
        return None

    def _leave(self, seconds: float) -> None:
        """Leave connections to gunicorn that have been idle for so long."""
        for conn in self._idle.leave(seconds if self.alive else 0):
            self._hand_back(conn)

    def _take_over(self) -> None:
        """Have another thread see to the connections, since the one that did waits."""
        if len(self._idle) and not (self._is_followed or self._idle.is_watched):
            self._is_followed = True
            with suppress(RuntimeError):  # the worker ends
                self.tpool.submit(self._attend)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        before = self._served
        super().wait_for_and_dispatch_events(
            min(timeout, _LOOK_SECONDS) if self.nr_conns else timeout
        )
        if self._served == before:
            # A request may be in an app's hook for long, which does not step aside.
            self._take_over()

    def handle_request(self, req: Any, conn: TConn) -> Any:
        self._heads.pop(conn, None)
        asks, req._expected_100_continue = req._expected_100_continue, False
        req.body = ConnectionBody(req, conn.sock, asks=asks)
        stays = super().handle_request(req, conn)
        # Whether a client that has not been told to continue sends the body all the same is
        # unknown.
        return stays and not req.body.asking

    def _keepalive_after(self, conn: TConn, keepalive: Any) -> bool:
        # The usual case, in which gunicorn would set and reset timeouts to read nothing.
        body = conn.parser.mesg.body
        if keepalive and getattr(body.reader, "length", None) == 0 and not body.failed:
            conn.parser.mesg = None  # or its body would be looked for again
            return True
        return bool(super()._keepalive_after(conn, keepalive))

    def murder_keepalived(self, force: bool = False) -> None:
        """Close what has been idle for too long; called about once a second."""
        super().murder_keepalived(force)
        self._leave(_LONG_SECONDS)
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


def _answering(app: WSGIApplication) -> WSGIApplication:
    """Wrap an app so that others pass the gate while a long answer is sent."""

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
        if isinstance(stream, ConnectionBody):
            stream.answered()
        if not small:
            request_gate.step_out()
        return answer

    return call
