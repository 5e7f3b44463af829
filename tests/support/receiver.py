"""A program that gets webhooks, on a free port of this host, and answers what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

#: Allows what listens on this host to get webhooks.
LOOPBACK = "127.0.0.0/8"

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW_SECRET = "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


#: Of the requests that fail.
_SHARE = 0.1


@dataclass
class Received:
    """One request."""

    body: bytes
    headers: dict[str, str]


@dataclass
class Receiver:
    """What has been received, and what is answered."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    #: Those that were answered with :attr:`status`.
    taken: list[Received] = field(default_factory=list)
    #: Decides which requests fail, one in ten; None for none.
    failing: Random | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: Answers in place of all that, by writing to the connection.
    answer: Callable[[Any], None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver for as long as the block lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received = Received(body, dict(self.headers))
            receiver.received.append(received)
            if receiver.answer is not None:
                receiver.answer(self.wfile)
                return
            fails = receiver.failing is not None and receiver.failing.random() < _SHARE
            if not fails:
                receiver.taken.append(received)
            self.send_response(500 if fails else receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:  # the sender has had enough
                self.close_connection = True

        def finish(self) -> None:
            with suppress(ConnectionError):
                super().finish()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
