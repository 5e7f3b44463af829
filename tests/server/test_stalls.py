"""Clients that stop in the middle: they are left at the idle limit, and hold up nobody."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.client import (
    call,
    complete,
    connect,
    content_range,
    create,
    head,
    put,
    read_answer,
    state,
    stored_files,
)
from tests.server.conftest import other_server
from tests.server.waiting import eventually
from tests.support.server import Server, measured

DATA = bytes(range(256)) * 4000
HALF = len(DATA) // 2

#: More than the buffers of a connection hold.
LONG = bytes(20_000_000)

#: Seconds of silence.
LIMIT = 1

THREADS = 4


@pytest.fixture
def strict(make_server: Callable[..., Server]) -> Server:
    """A server that waits for no client for long."""
    return make_server(CHUNKED_UPLOAD_IDLE_TIMEOUT=str(LIMIT))


@pytest.fixture
def small(make_server: Callable[..., Server]) -> Server:
    """A server with few threads."""
    return make_server(THREADS=str(THREADS))


def half_a_chunk(upload_id: str) -> bytes:
    """The second half of DATA up to its middle."""
    size = len(DATA) - HALF
    span = content_range(HALF, DATA[HALF:], len(DATA))["Content-Range"]
    return chunk_head(upload_id, size, span) + DATA[HALF : HALF + size // 2]


def chunk_head(upload_id: str, size: int, span: str) -> bytes:
    return head("PUT", f"/uploads/{upload_id}", Content_Length=size, Content_Range=span)


def is_established(server: Server, client: socket.socket) -> bool:
    """Whether the server has its end of a connection open, by the kernel's table."""
    return kernel_entry(server, client)[3] == "01"


def kernel_entry(server: Server, client: socket.socket) -> list[str]:
    """Return the fields of the line in /proc/net/tcp for the server's end of a connection."""
    ends = [f"{server.port:04X}", f"{client.getsockname()[1]:04X}"]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if [field.partition(":")[2] for field in fields[1:3]] == ends:
            return fields
    return [""] * 6


def read_to_the_end(client: socket.socket) -> bytes:
    said = b""
    with contextlib.suppress(ConnectionError):
        while data := client.recv(65536):
            said += data
    return said


def finished_file(server: Server) -> str:
    upload_id = create(server, LONG, len(LONG))
    assert complete(server, upload_id, LONG).status == 200
    return upload_id


@contextlib.contextmanager
def without_reading(server: Server, upload_id: str, times: int = 1) -> Iterator[socket.socket]:
    """Download, but take nothing of the answer."""
    with connect(server) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(head("GET", f"/uploads/{upload_id}/file") * times)
        yield client


# The idle limit


def test_a_body_that_stalls_ends_and_a_chunk_dialect_drops_it(strict: Server) -> None:
    upload_id = create(strict, DATA[:HALF], len(DATA))
    with connect(strict) as client:
        client.sendall(half_a_chunk(upload_id))
        assert b" 200 " not in read_to_the_end(client)
        eventually(lambda: not is_established(strict, client))
    assert state(strict, upload_id)["offset"] == HALF
    assert put(strict, upload_id, DATA[HALF:], HALF, len(DATA)).status == 200
    assert complete(strict, upload_id, DATA).status == 200


def test_a_first_chunk_that_stalls_leaves_nothing(strict: Server) -> None:
    before = stored_files(strict)
    span = content_range(0, DATA, len(DATA))["Content-Range"]
    with connect(strict) as client:
        client.sendall(
            head("POST", "/uploads/?filename=a", Content_Length=len(DATA), Content_Range=span)
            + DATA[:HALF]
        )
        read_to_the_end(client)
    eventually(lambda: stored_files(strict) == before)


def test_who_sends_a_little_now_and_then_is_waited_for(strict: Server) -> None:
    upload_id = create(strict, DATA[:HALF], len(DATA))
    sent = half_a_chunk(upload_id)
    with connect(strict) as client:
        client.sendall(sent)
        at = HALF + (len(DATA) - HALF) // 2
        for byte in range(at, at + 10):
            time.sleep(LIMIT / 3)
            client.sendall(DATA[byte : byte + 1])
        client.sendall(DATA[at + 10 :])
        assert read_answer(client).json["offset"] == len(DATA)


#: An app that notes what it is given of a body, until that ends.
NOTING_APP = """
from pathlib import Path

class App:
    config = {"CHUNKED_UPLOAD_IDLE_TIMEOUT": 1}

    def __call__(self, environ, start_response):
        if environ["REQUEST_METHOD"] == "PUT":
            with open("body", "ab", buffering=0) as file:
                try:
                    while data := environ["wsgi.input"].read(1_000_000):
                        file.write(data)
                except OSError as error:
                    Path("ended").write_text(type(error).__name__)
        start_response("200 OK", [("Content-Length", "0")])
        return []

app = App()
"""


def test_what_arrived_reaches_the_app_before_the_limit_does(tmp_path: Path) -> None:
    """So that a dialect that counts in offsets keeps it."""
    (tmp_path / "noting.py").write_text(NOTING_APP)
    worker = "chunked_upload.server.gunicorn.worker.UploadWorker"
    command = [
        *(sys.executable, "-m", "gunicorn", "-k", worker, "--threads", "4"),
        *("--no-control-socket", "-b", "127.0.0.1:{port}", "noting:app"),
    ]
    with Server(tmp_path, measured(), command) as server, connect(server) as client:
        client.sendall(head("PUT", "/", Content_Length=2 * len(DATA)) + DATA)
        eventually((tmp_path / "ended").exists)
        assert (tmp_path / "ended").read_text() == "TimeoutError"
        assert (tmp_path / "body").read_bytes() == DATA


def test_an_answer_that_nobody_reads_ends(strict: Server) -> None:
    upload_id = finished_file(strict)
    with without_reading(strict, upload_id) as client:
        assert is_established(strict, client)
        eventually(lambda: not is_established(strict, client))
    assert call(strict, "GET", f"/uploads/{upload_id}/file").body == LONG


def test_who_reads_a_little_now_and_then_is_served(strict: Server) -> None:
    upload_id = finished_file(strict)
    with connect(strict) as client:
        client.sendall(head("GET", f"/uploads/{upload_id}/file", Connection="close"))
        said = b""
        for _ in range(10):
            time.sleep(LIMIT / 3)
            said += client.recv(100_000)
        said += read_to_the_end(client)
    assert said.endswith(b"\r\n\r\n" + LONG)


def test_connections_are_kept_alive_by_the_kernel(small: Server) -> None:
    """So that a client whose network has gone away is noticed."""
    with connect(small) as client:
        client.sendall(head("GET", "/healthz"))
        assert read_answer(client).status == 200
        timer = kernel_entry(small, client)[5]
        assert timer.startswith("02:"), "the timer is the one of SO_KEEPALIVE"


# More of them than threads


def assert_serves_others(server: Server) -> None:
    assert call(server, "GET", "/healthz", timeout=20).status == 200
    upload_id = create(server, DATA[:20_000], 40_000)
    assert state(server, upload_id)["offset"] == 20_000
    assert put(server, upload_id, DATA[20_000:40_000], 20_000, 40_000).status == 200
    assert complete(server, upload_id, DATA[:40_000]).status == 200


def test_half_heads_take_no_thread(small: Server) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(10 * THREADS):
            client = stack.enter_context(connect(small))
            client.sendall(head("GET", "/healthz")[: 1 + number])
        assert_serves_others(small)


def test_more_stalled_bodies_than_threads(small: Server) -> None:
    """They also give way to an upload that is too long to be short."""
    with contextlib.ExitStack() as stack:
        for number in range(THREADS + 2):
            client = stack.enter_context(connect(small))
            asked = head("POST", f"/uploads/?filename={number}", Content_Length=len(DATA))
            client.sendall(asked + DATA[:HALF])
        assert_serves_others(small)
        upload_id = create(small, DATA, len(DATA))
        assert complete(small, upload_id, DATA).status == 200


def test_more_unread_downloads_than_threads(small: Server) -> None:
    upload_id = finished_file(small)
    with contextlib.ExitStack() as stack:
        for _ in range(3 * THREADS):
            stack.enter_context(without_reading(small, upload_id))
        assert_serves_others(small)


def test_who_sends_requests_and_reads_no_answer_holds_up_nobody(small: Server) -> None:
    upload_id = finished_file(small)
    with contextlib.ExitStack() as stack:
        for _ in range(2 * THREADS):
            stack.enter_context(without_reading(small, upload_id, times=50))
        assert_serves_others(small)
        # Also short answers, of which there are more than a connection's buffers hold.
        with connect(small, timeout=2) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with contextlib.suppress(TimeoutError):
                for _ in range(200):
                    client.sendall(head("GET", f"/uploads/{upload_id}") * 100)
            assert_serves_others(small)


# Refused while they send


@pytest.fixture(scope="module", params=["bundled", "gunicorn"])
def refusing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("server")
    other = request.param != "bundled"
    with other_server(directory, request.param) if other else Server(directory) as server:
        yield server


def refused_head() -> bytes:
    return chunk_head("0" * 32, len(LONG), f"bytes 0-{len(LONG) - 1}/{len(LONG)}")


def test_refused_senders_that_stall_keep_nobody_from_reading_why(refusing: Server) -> None:
    """However many they are, and as often as it is tried."""
    with contextlib.ExitStack() as stack:
        for _ in range(70):  # more than threads
            stalled = stack.enter_context(connect(refusing))
            stalled.sendall(refused_head() + DATA[:1000])
        for _ in range(5):
            with connect(refusing) as client:
                client.sendall(refused_head())
                client.sendall(LONG)  # all of it before the answer is looked at
                assert read_answer(client).status == 404
        assert call(refusing, "GET", "/healthz", timeout=20).status == 200
