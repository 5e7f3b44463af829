"""Crowds: slow bodies by the thousand, thousands of tiny chunks, thousands of open uploads."""

from __future__ import annotations

import resource
import threading
import time
from pathlib import Path

from tests.support.concurrency import Latencies, spread
from tests.support.protocol import md5_of
from tests.support.scorecard import BOTH, SQLITE, Run, row
from tests.support.server import Server
from tests.support.site import Site, wait_until
from tests.support.wire import Client, Wire, raw_chunk, request

MEBIBYTE = 1024 * 1024


def memory(server: Server) -> int:
    """Return the resident bytes of all processes of a server."""
    pages = 0
    for pid in server.workers():
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:  # it ended meanwhile
            continue
    return pages * resource.getpagesize()


class Dribble:
    """Connections that send a chunk's body a byte at a time, all of them again and again."""

    def __init__(self, at: Site, count: int) -> None:
        rest = raw_chunk(b"s" * 100_000, 0, 100_000)
        self.wires = [Wire(at.port, timeout=120) for _ in range(count)]
        for wire in self.wires:
            wire.send(rest.head + b"s")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drip)
        self.sent = 0

    def __enter__(self) -> Dribble:
        self._thread.start()
        return self

    def _drip(self) -> None:
        pause = 1 / len(self.wires)
        while not self._stop.is_set():
            for wire in self.wires:
                wire.try_send(b"s")
                self.sent += 1
                if self._stop.wait(pause):
                    return

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        for wire in self.wires:
            wire.close()


def measure_chunks(run: Run, client: Client, count: int, name: str) -> Latencies:
    """Upload chunk after chunk; note how long each took."""
    size = 20_000
    latencies = Latencies()
    upload_id = client.create(b"f" * size, (count + 1) * size)
    for number in range(1, count + 1):
        run.tried()
        with latencies.measured():
            reply = client.put(upload_id, b"f" * size, number * size, (count + 1) * size)
        run.check(reply.status == 200, f"a chunk {name} got {reply}")
        run.sample(f"chunk {name}", latencies.seconds[-1] * 1000)
    reply = client.complete(upload_id, md5_of(b"f" * size * (count + 1)))
    run.check(reply.status == 200, f"the completion {name} got {reply}")
    return latencies


@row("slow bodies, a fast client beside them", databases=BOTH)
def test_slow_bodies_do_not_stop_a_fast_client(run: Run) -> None:
    slow, chunks = run.amount(reduced=100, full=1000), run.amount(reduced=20, full=1000)
    with Site(run) as at, at.client() as client:
        measure_chunks(run, client, chunks, "alone")
        with Dribble(at, slow) as crowd:
            wait_until(lambda: at.stored.count() >= slow + 1, 60, "all slow uploads have begun")
            beside = measure_chunks(run, client, chunks, f"beside {slow} slow ones")
            run.count("slow bodies", slow)
            run.sample("p99 beside", beside.quantile(0.99) * 1000)
            bound = run.amount(reduced=10, full=1)
            run.check(beside.quantile(0.99) < bound, f"beside {slow} slow bodies: {beside}")
            run.count("slow bytes", crowd.sent)
        wait_until(lambda: at.stored.count() == 2, 60, "what broke off is gone")
        run.check(not at.stored.parts(), f"left: {at.stored.parts()[:5]}")
        at.check_log()


@row("thousands of tiny chunks", databases=BOTH)
def test_tiny_chunks_cost_nothing_that_stays(run: Run) -> None:
    count = run.amount(reduced=150, full=10_000)
    content = bytes(number % 251 for number in range(count))
    with Site(run) as at, at.client() as client:
        upload_id = client.create(content[:1], count)
        files, before = len(at.stored.files()), memory(at.server)
        for number in range(1, count):
            run.tried()
            began = time.perf_counter()
            reply = client.put(upload_id, content[number : number + 1], number, count)
            run.sample("chunk of one byte", (time.perf_counter() - began) * 1000)
            if not run.check(reply.status == 200, f"chunk {number} got {reply}"):
                return
        run.check(len(at.stored.files()) == files and at.stored.count() == 1, "more files or rows")
        grown = (memory(at.server) - before) / MEBIBYTE
        run.sample("memory grown", grown, "MiB")
        run.check(grown < 50, f"memory grew by {grown:.0f} MiB")
        began = time.perf_counter()
        reply = client.complete(upload_id, content)
        run.sample("completion", (time.perf_counter() - began) * 1000)
        run.check(reply.status == 200, f"the completion got {reply}")
        run.check([f.read_bytes() for f in at.stored.finished()] == [content], "other bytes")
        at.check_log()


@row("thousands of open uploads", databases=BOTH)
def test_list_and_cleaner_cope_with_many_open_uploads(run: Run) -> None:
    count = run.amount(reduced=120, full=5000)
    with Site(run) as at, at.client() as client:
        first = client.ask(raw_chunk(b"x", 0, 2))
        cookie = {"Cookie": first.headers["set-cookie"].partition(";")[0]}
        head = raw_chunk(b"x", 0, 2).head.replace(
            b"\r\n\r\n", b"\r\nCookie: %s\r\n\r\n" % cookie["Cookie"].encode()
        )

        def begin(one: Client) -> None:
            for _ in range((count - 1) // 4):
                reply = one.connection().ask(head + b"x")
                run.check(reply.status == 200, f"one of many got {reply}")

        spread(at.clients(4), begin, 4)
        began = at.stored.count()
        run.tried(began)
        for page in ("", "?page=2", f"?page={began // 100}&per_page=100", "?file=upload"):
            clock = time.perf_counter()
            reply = client.ask(request("GET", f"/uploads/{page}", headers=cookie), "GET")
            run.sample("list", (time.perf_counter() - clock) * 1000)
            run.check(reply.status == 200, f"the list {page} got {reply}")
            if "file" not in page:
                run.check(reply.json.get("total") == began, f"the list has {reply.json['total']}")
        at.stored.expire()
        clock = time.perf_counter()
        said = at.command("delete-expired-uploads").result(timeout=300)
        run.sample("cleaner", time.perf_counter() - clock, "s")
        run.check(f"{began} incomplete" in said.stdout, f"the cleaner said {said}")
        run.check(at.stored.nothing_left(), "the cleaner left something")
        at.check_log()


@row("connections that never send a request", databases=(SQLITE,))
def test_idle_and_half_sent_heads_do_not_stop_a_fast_client(run: Run) -> None:
    idle, chunks = run.amount(reduced=100, full=1000), run.amount(reduced=20, full=500)
    with Site(run) as at, at.client() as client:
        wires = [Wire(at.port) for _ in range(idle)]
        try:
            for number, wire in enumerate(wires):
                wire.send(b"POST /uploads/ HTTP/1.1\r\nHost: x\r\nX-Slow: "[: number % 40])
            beside = measure_chunks(run, client, chunks, f"beside {idle} idle ones")
            bound = run.amount(reduced=10, full=1)
            run.check(beside.quantile(0.99) < bound, f"beside idle connections: {beside}")
        finally:
            for wire in wires:
                wire.close()
