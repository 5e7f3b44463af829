"""Clients that stop in the middle by the thousand, and what a fast client sees beside them.

The fast client opens a connection for each request: it asks for ``/healthz``, and uploads a small
file. Each answer must be the right one and come within :data:`PATIENCE`; the figures say how fast
it came, before the others were there, while they came, and beside them.
"""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.faults.test_hostile_crowds import Dribble
from tests.support.scorecard import SQLITE, Run, row
from tests.support.site import Site, wait_until
from tests.support.wire import Wire, raw_chunk, request

#: Seconds that an answer may take on a machine that does other things too.
PATIENCE = 10.0

SMALL = b"s" * 20_000


class FastClient:
    """Asks and uploads in a thread of its own as long as the block lasts.

    :param run: where the figures go.
    """

    def __init__(self, run: Run, at: Site) -> None:
        self.run, self._port = run, at.port
        #: What the figures are called.
        self.when = "alone"
        self._asked = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> FastClient:
        self._thread.start()
        self.watch()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def watch(self, when: str = "alone") -> None:
        """Go on for a while; the figures are called so from now on."""
        self.when, seen = when, self._asked
        wanted = self.run.amount(reduced=5, full=400)
        seconds = 4 * wanted * PATIENCE
        wait_until(lambda: self._asked >= seen + wanted, seconds, "the fast client is answered")

    def _go_on(self) -> None:
        while not self._stop.is_set():
            self._ask("/healthz", bytes(request("GET", "/healthz")), "GET")
            self._ask("upload", bytes(raw_chunk(SMALL, 0, len(SMALL))), "POST")
            self._asked += 1
            self._stop.wait(0.02)

    def _ask(self, what: str, asked: bytes, method: str) -> None:
        when, began = self.when, time.perf_counter()
        self.run.tried()
        try:
            with Wire(self._port, timeout=PATIENCE) as wire:
                status = str(wire.ask(asked, method).status)
        except OSError as error:
            status = repr(error)
        self.run.sample(f"{what} {when}", (time.perf_counter() - began) * 1000)
        self.run.check(status == "200", f"{what} {when} got {status}")


def allow_descriptors() -> None:
    """Allow this process as many connections as it may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def opened(count: int, begin: Callable[[Wire], None], port: int) -> Iterator[list[Wire]]:
    """Open connections, each of which begins something and then stops."""
    allow_descriptors()
    wires: list[Wire] = []
    try:
        for _ in range(count):
            wires.append(Wire(port))
            with suppress(ConnectionError):  # the server may have had enough
                begin(wires[-1])
        yield wires
    finally:
        for wire in wires:
            wire.close()


def beside(
    run: Run, at: Site, count: int, begin: Callable[[Wire], None], what: str, said: bytes = b""
) -> None:
    """Measure a fast client beside so many others.

    :param said: what each of them has been told.
    """
    with FastClient(run, at) as client:
        client.when = "while they come"
        with opened(count, begin, at.port) as wires:
            run.count(what, count)
            client.watch("while they come")
            client.watch("beside them")
            if said:
                told = [wire.socket.recv(len(said)) for wire in wires]
                run.check(told == [said] * count, f"they were told {set(told)}")
    at.check_log()


def half_a_head(wire: Wire) -> None:
    wire.send(b"POST /uploads/ HTTP/1.1\r\nHost: x\r\nX-Slow: ")


@row("half heads, a fast client beside them", databases=(SQLITE,))
def test_half_heads(run: Run) -> None:
    with Site(run, workers=2) as at:
        beside(run, at, run.amount(reduced=200, full=2000), half_a_head, "half heads")


@row("stalled bodies, a fast client beside them", databases=(SQLITE,))
def test_stalled_bodies(run: Run) -> None:
    whole = raw_chunk(b"s" * 1_000_000, 0, 1_000_000)
    stalled = whole.head + whole.body[:1000]
    with Site(run, workers=2) as at:
        count = run.amount(reduced=60, full=1500)
        beside(run, at, count, lambda wire: wire.send(stalled), "stalled bodies")


@row("unread downloads, a fast client beside them", databases=(SQLITE,))
def test_unread_downloads(run: Run) -> None:
    content = b"d" * 30_000_000

    def ask(wire: Wire) -> None:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.send(request("GET", f"/uploads/{upload_id}/file"))

    with Site(run, workers=2) as at, at.client() as client:
        upload_id = client.create(content, len(content))
        client.complete(upload_id, content)
        beside(run, at, run.amount(reduced=20, full=200), ask, "unread downloads", b"HTTP/1.1 200")


@row("as many slow bodies as threads, a fast client beside them", databases=(SQLITE,))
def test_as_many_slow_bodies_as_threads(run: Run) -> None:
    threads = run.amount(reduced=8, full=1024)
    environment = {"THREADS": str(threads)}
    allow_descriptors()
    with Site(run, workers=1, environment=environment) as at, FastClient(run, at) as client:
        client.when = "while they come"
        with Dribble(at, threads) as crowd:
            run.count("slow bodies", threads)
            wait_until(lambda: at.stored.count() >= threads, 120, "all have begun")
            client.watch("beside them")
            run.count("slow bytes", crowd.sent)
    at.check_log()


@row("an address has all its connections, one more from it", databases=(SQLITE,))
def test_an_address_that_has_all_its_connections(run: Run) -> None:
    """The connection that has been silent for longest gives way."""
    most = run.amount(reduced=50, full=2048)
    environment = {"CHUNKED_UPLOAD_MAX_CONNECTIONS_PER_ADDRESS": str(most)}
    with Site(run, workers=1, environment=environment) as at:
        beside(run, at, most + most // 4, half_a_head, "half heads")
