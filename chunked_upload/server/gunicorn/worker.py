"""The bundled server's worker: threads for requests, and none for connections that wait.

It differs from gunicorn's own workers in these things:

- A request gets a thread when its head has arrived as a whole (:mod:`.waiting`). Half a head, an
  idle connection and the rest of a refused body cost none.
- A thread that has answered goes on with whichever connection has its next request. A client that
  uploads sends its next chunk at once, and to hand connections from thread to thread costs as much
  as reading them. One thread at a time watches the connections; if it goes on to serve a request
  and that request has to wait for something, another one takes over.
- A client is waited for no longer than the idle limit (:mod:`.connection`), whether it sends or
  reads.
- A client that asks first (``Expect: 100-continue``, as curl does) is told to continue when the
  body is read, not before: a chunk that is refused is never sent (RFC 9110 10.1.1).
"""

from __future__ import annotations

import os
import re
import select
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Any

from gunicorn.http import wsgi
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData, ParseException
from gunicorn.http.message import Request
from gunicorn.workers.base import Worker

from chunked_upload.http.wire.linger import LINGERS_KEY
from chunked_upload.http.wire.trailers import TRAILERS_KEY
from chunked_upload.server.access_log import shown
from chunked_upload.server.buffer_memory import keep_buffers
from chunked_upload.settings.keys import Settings
from chunked_upload.settings.sources import Sources
from chunked_upload.support.blocking import wrap_blocking

from . import request_gate, stop_signals
from .body import ConnectionBody
from .connection import MAX_HEAD, Connection
from .limits import Limits
from .refusal import refuse, status_of
from .unreader import ConnectionUnreader
from .waiting import WaitingConnections

#: How often the main thread looks whether requests go on, while there are connections and not.
_LOOK_SECONDS, _REST_SECONDS = 0.1, 1.0

#: What requests that are cut off when the server stops have to record what has arrived.
_COMMIT_SECONDS = 2.0

#: An answer up to so many bytes is sent without stepping out of the gate before.
_SMALL_ANSWER = 10_000

#: Answers without a body, and so without a length (RFC 9110 8.6).
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

#: RFC 3986 3.2.2 and 3.2.3: a name, an address or one in brackets, and a port.
_HOST = re.compile(r"([\w.~!$&'()*+,;=%-]*|\[[0-9a-fA-F:.]+\])(:[0-9]*)?", re.ASCII)


class InvalidHost(ParseException):  # type: ignore[misc]
    """A request that does not say which host it is for."""


class UploadWorker(Worker):  # type: ignore[misc]
    """gunicorn's worker; see above. ``threads`` is how many slow bodies it receives at a time."""

    alive: bool

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker cannot do; called by gunicorn at the start."""
        if cfg.is_ssl:
            raise SystemExit(
                "UploadWorker does not speak TLS: let a proxy do that, or serve with -k gthread"
            )

    def init_process(self) -> None:
        """Set up what a worker has of its own after the fork, and run."""
        # One for each connection at most, and made when they are needed.
        self._pool = ThreadPoolExecutor(self.cfg.worker_connections)
        #: Threads that wait at the gate with a request.
        self._entering: set[int] = set()
        #: Whether a thread has been sent for to watch.
        self._is_followed = False
        #: Whether threads are to end.
        self._has_ended = False
        #: Whether to end at once.
        self._quits = False
        keep_buffers()
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the app, and take the limits from its settings."""
        super().load_wsgi()
        settings = Sources(getattr(self.wsgi, "config", {}), {}).read(Settings)
        # Behind a proxy, all connections come from its address.
        per_address = None if settings.proxy_hops else settings.max_connections_per_address
        limits = Limits(
            connections=self.cfg.worker_connections,
            per_address=per_address,
            slow_bodies=self.cfg.threads,
            keepalive=self.cfg.keepalive,
            idle=settings.idle_timeout.total_seconds(),
        )
        self._waiting = WaitingConnections(limits, refuse)
        # gunicorn looks up some twenty settings for every request, each by several calls, which
        # costs 50 microseconds. They do not change, since a reload starts new workers.
        self.cfg.__dict__.update(
            (name, setting.get()) for name, setting in self.cfg.settings.items()
        )
        request_gate.when_free(self._take_over)
        wrap_blocking(request_gate.stepping_out)

    def run(self) -> None:
        """Serve until told to stop, and then until running requests have ended."""
        self._waiting.listen(self.sockets)
        self._take_over()  # or the first client would wait for the first look
        while self.alive and self.ppid == os.getppid():
            self._rest()
        self.alive = False
        self._waiting.stop()
        # Earlier than the main process, which then kills: requests that are cut off commit what
        # has arrived, where their dialect keeps it.
        grace = self.cfg.graceful_timeout
        deadline = time.monotonic() + grace - min(_COMMIT_SECONDS, grace / 2)
        while len(self._waiting) and not self._quits and time.monotonic() < deadline:
            self._rest()
        self._has_ended = True
        self._waiting.cut_off()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once.

        gunicorn's own raises SystemExit wherever the main thread is just then. While it starts a
        thread, that leaves one which nobody ends, and which the process waits for.
        """
        if not self.booted:  # it loads the app, and has no connections
            os._exit(0)
        self._quits, self.alive = True, False
        self.cfg.worker_int(self)

    def init_signals(self) -> None:
        """Handle signals, also one that came before."""
        super().init_signals()
        stop_signals.release()

    def _rest(self) -> None:
        """Wait for a signal for a moment, and look after the threads."""
        self.notify()
        served = self.nr
        seconds = _LOOK_SECONDS if len(self._waiting) else _REST_SECONDS
        if select.select([self.PIPE[0]], [], [], seconds)[0]:
            os.read(self.PIPE[0], 4096)
        if self.nr == served:
            # A request may be in an app's hook for long, which does not step out of the gate.
            self._take_over()

    # Threads

    def _take_over(self) -> None:
        """Have a thread watch the connections if none does."""
        if not (self._is_followed or self._waiting.is_watched):
            self._is_followed = True
            with suppress(RuntimeError):  # the worker ends
                self._pool.submit(self._work)

    def _work(self) -> None:
        """Serve requests as long as others do not."""
        self._is_followed = False
        connection = self._watch()
        if connection is None:
            return
        self._enter()
        try:
            while connection is not None:
                self._serve(connection)
                connection = self._next()
        finally:
            request_gate.step_out()

    def _watch(self) -> Connection | None:
        """Wait for a request; return None when another thread does."""
        while not self._has_ended:
            if connection := self._waiting.wait(_REST_SECONDS):
                return connection
            if self._waiting.is_watched:
                return None
        return None

    def _enter(self) -> None:
        thread = threading.get_ident()
        self._entering.add(thread)
        try:
            request_gate.enter()
        finally:
            self._entering.discard(thread)

    def _next(self) -> Connection | None:
        """Return the next connection to serve; None when others see to them."""
        if self._entering:
            return None  # that thread has a request to answer, and then looks here
        # One alone has hardly sent its next request; and who waits at the gate comes first.
        several = request_gate.is_inside() and self._waiting.has_several
        if several and not request_gate.others_wait() and (connection := self._waiting.wait(0)):
            return connection
        request_gate.step_out(tells=False)
        connection = self._watch()
        if connection is not None:
            self._enter()
        return connection

    # Requests

    def _serve(self, connection: Connection) -> None:
        """Serve one request, and let the connection wait for the next one."""
        request, stays = None, False
        too_long = connection.has_too_long_head
        unreader = ConnectionUnreader(connection)
        try:
            if too_long:
                raise LimitRequestHeaders(f"the head is longer than {MAX_HEAD} bytes")
            request = self._parse(connection, unreader)
            stays = self._answer(request, connection)
        except (NoMoreData, StopIteration, ConnectionError, TimeoutError) as error:
            self.log.debug("A client left or was left: %s", error)
        except ParseException as error:
            self.log.warning("Not a request, from %s: %s", connection.client, error)
            refuse(connection, status_of(error), str(error))
        except Exception:
            self.log.exception("Error handling request")
            refuse(connection, HTTPStatus.INTERNAL_SERVER_ERROR, "")
        except BaseException:  # an app's sys.exit(), say: it ends this connection, no other
            self.log.exception("Error handling request")
        self._let_wait(connection, unreader, request, stays=stays)

    def _parse(self, connection: Connection, unreader: ConnectionUnreader) -> Request:
        request = Request(self.cfg, unreader, connection.client, connection.number)
        host = next((value for name, value in request.headers if name == "HOST"), None)
        if host is None and request.version >= (1, 1):
            raise InvalidHost("HTTP/1.1 requires the header Host (RFC 9112 3.2)")
        if host is not None and not _HOST.fullmatch(host):
            raise InvalidHost("the header Host is not a host (RFC 9112 3.2)")
        return request

    def _answer(self, request: Request, connection: Connection) -> bool:
        """Run the app and send its answer; return whether another request may follow."""
        asks, request._expected_100_continue = request._expected_100_continue, False
        body = request.body = ConnectionBody(request, connection, asks=asks)
        began, response, environ = datetime.now(), None, {}
        try:
            self.cfg.pre_request(self, request)
            response, environ = wsgi.create(
                request, connection, connection.client, connection.server, self.cfg
            )
            environ["wsgi.multithread"] = environ[LINGERS_KEY] = True
            environ[TRAILERS_KEY] = body.trailers
            self._count(response)
            content = self.wsgi(environ, response.start_response)
            try:
                self._send(response, content, body, environ, connection)
            finally:
                self.log.access(response, request, environ, datetime.now() - began)
                if hasattr(content, "close"):
                    content.close()
        except (OSError, StopIteration):
            raise
        except BaseException:
            if response is None or not response.headers_sent:
                raise
            self.log.exception("Error while answering %s %s", request.method, shown(request.path))
            return False
        finally:
            self.cfg.post_request(self, request, environ, response)
        return body.unread is not None and not response.should_close()

    def _count(self, response: Any) -> None:
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        if not self.alive or not self.cfg.keepalive:
            response.force_close()

    def _send(
        self,
        response: Any,
        content: Any,
        body: ConnectionBody,
        environ: Any,
        connection: Connection,
    ) -> None:
        body.answered()
        if body.unread is None:
            response.force_close()  # where the next request begins is unknown
        is_file = isinstance(content, environ["wsgi.file_wrapper"])
        if not is_file and _is_small(response):
            with connection.one_packet():
                self._write(response, content)
            return
        request_gate.step_out()
        if is_file:
            response.write_file(content)
            response.close()
        else:
            self._write(response, content)

    def _write(self, response: Any, content: Any) -> None:
        for part in content:
            response.write(part)
        response.close()

    def _let_wait(
        self,
        connection: Connection,
        unreader: ConnectionUnreader,
        request: Request | None,
        *,
        stays: bool,
    ) -> None:
        ahead = unreader.take_buffered()
        unread = request.body.unread if request is not None else None
        if stays and unread is not None:
            connection.give_back(ahead[unread:])
            unread = max(0, unread - len(ahead))
        connection.unwanted = unread
        self._waiting.add(connection, closes=not stays)


def _is_small(response: Any) -> bool:
    """Return whether an answer is so short that sending it does not have to be waited for."""
    length = 0 if response.status_code in _BODILESS else response.response_length
    return length is not None and length < _SMALL_ANSWER
