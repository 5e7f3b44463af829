"""Many slow clients and huge chunks: they cost threads and time, not the service or its memory."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.client import (
    BOUNDARY,
    FORM_TYPE,
    call,
    complete,
    connect,
    create,
    head,
    put,
    read_answer,
)
from tests.server.waiting import eventually
from tests.support.server import Server

CLIENTS = 1000
SECONDS = 2.0

#: Seconds between two probes: without them half of the processors' time would go into probing.
PAUSE = 0.02
DATA = bytes(range(256)) * 4000

#: Bytes of the one huge chunk; CHUNK_GIB=1 makes it the size that the figures are given for.
HUGE = int(float(os.environ.get("CHUNK_GIB", "0.125")) * 2**30)


@pytest.fixture
def usual_server(tmp_path: Path) -> Iterator[Server]:
    """A server as a login shell starts it: with a soft limit of 1,024 open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        server = Server(tmp_path).start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    yield server
    server.kill()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Allow this process a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CLIENTS + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.fail(f"needs {wanted} open files (ulimit -Hn is {hard})")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_slow_uploads_do_not_hold_up_the_others(
    usual_server: Server, many_descriptors: None
) -> None:
    server = usual_server
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(server)) for _ in range(CLIENTS)]
        for number, connection in enumerate(slow):
            connection.sendall(
                head(
                    "POST",
                    f"/uploads/?filename=slow-{number}",
                    Content_Length=1_000_000,
                    Content_Range="bytes 0-999999/1000000",
                )
            )
        parts = server.root / ".incoming"
        eventually(lambda: len(list(parts.glob("*/*.part"))) == CLIENTS, seconds=60, every=0.25)

        with trickling(slow):
            waits = []
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline:
                waits.append(timed(lambda: call(server, "GET", "/healthz").status == 200))
                time.sleep(PAUSE)
            upload = timed(lambda: upload_normally(server))
        print(
            f"{CLIENTS} slow uploads; {len(waits)} probes beside them:"
            f" median {statistics.median(waits) * 1000:.1f} ms, worst {max(waits) * 1000:.1f} ms;"
            f" an upload of 1 MB in 10 chunks: {upload * 1000:.0f} ms;"
            f" peak memory {peak_mib(server)} MiB"
        )
        assert statistics.median(waits) < 1
        assert max(waits) < 5


@contextlib.contextmanager
def trickling(connections: list[socket.socket]) -> Iterator[None]:
    """Send a byte on one connection after the other, round and round."""
    ended = threading.Event()

    def trickle() -> None:
        while not ended.is_set():
            for connection in connections:
                connection.send(b"x")
                if ended.wait(0.003):
                    return

    thread = threading.Thread(target=trickle)
    thread.start()
    yield
    ended.set()
    thread.join()


def upload_normally(server: Server) -> bool:
    step = len(DATA) // 10
    upload_id = create(server, DATA[:step], len(DATA))
    for start in range(step, len(DATA), step):
        assert put(server, upload_id, DATA[start : start + step], start, len(DATA)).status == 200
    return complete(server, upload_id, DATA).status == 200


def timed(action: Callable[[], bool]) -> float:
    """Return how many seconds a successful action took."""
    began = time.monotonic()
    assert action()
    return time.monotonic() - began


def test_one_huge_chunk_in_a_form_takes_no_memory(make_server: Callable[..., Server]) -> None:
    server = make_server(WORKERS="2")
    before = max(peak_mib(server))  # with the pages that it shares with the process it comes from
    block = b"x" * 2**20
    begin = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="huge"\r\n\r\n'
    ).encode()
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    with connect(server, timeout=120) as connection:
        connection.sendall(
            head("POST", "/uploads/", Content_Length=len(begin) + HUGE + len(end), **FORM_TYPE)
        )
        connection.sendall(begin)
        for _ in range(HUGE // len(block)):
            connection.sendall(block)
        connection.sendall(end)
        answer = read_answer(connection)
    assert (answer.status, answer.json["offset"]) == (200, HUGE)
    print(f"one chunk of {HUGE / 2**20:.0f} MiB: peak memory {before} -> {peak_mib(server)} MiB")
    assert max(peak_mib(server)) - before <= 40  # it was 9


def peak_mib(server: Server) -> list[int]:
    """Return the peak resident memory of each worker, in MiB."""
    peaks = []
    for pid in server.workers():
        if pid != server.pid:
            status = Path(f"/proc/{pid}/status").read_text()
            line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
            peaks.append(int(line.split()[1]) // 1024)
    return peaks
