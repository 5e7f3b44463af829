"""Where bodies are read from: gunicorn's connection, counted as gunicorn counts it."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.server.gunicorn import connection as module
from chunked_upload.server.gunicorn import request_gate
from chunked_upload.server.gunicorn.body import ConnectionBody
from chunked_upload.server.gunicorn.connection import Connection
from chunked_upload.server.gunicorn.unreader import ConnectionUnreader
from tests.server.waiting import eventually

HEAD = b"PUT /first HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(autouse=True)
def turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker ends these requests."""
    monkeypatch.setattr(module, "_left", threading.Semaphore(1000))


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def body_of(server: socket.socket) -> ConnectionBody:
    """Return the body of the next request, as the worker gives it to the app."""
    connection = Connection(server, ("127.0.0.1", 1), ("127.0.0.1", 2), set())
    while not connection.has_head():
        select.select([connection], [], [])
        connection.take_in()
    request = Request(Config(), ConnectionUnreader(connection), connection.client, 1)
    return ConnectionBody(request, connection, asks=False)


def send(client: socket.socket, sent: bytes, cuts: list[int]) -> threading.Thread:
    """Send in pieces, from a thread."""

    def work() -> None:
        with suppress(OSError):  # where hypothesis breaks off
            for start, stop in zip([0, *cuts], [*cuts, len(sent)], strict=True):
                client.sendall(sent[start:stop])

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@given(data=st.data(), size=st.integers(0, 300_000), lines=st.integers(0, 2))
def test_body_and_next_request_are_told_apart_however_they_arrive(
    data: st.DataObject, size: int, lines: int
) -> None:
    body = (b"line\nabc" * (size // 8 + 1))[:size]
    sent = HEAD % size + body + NEXT
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=4)))
    client, server = socket.socketpair()
    with client, server:
        thread = send(client, sent, cuts)
        source = body_of(server)
        read = b"".join(source.readline() for _ in range(lines))
        take = data.draw(st.sampled_from([source.read, source.read1]))
        least = size // 50 + 1  # each draw takes longer than what it asks for
        while piece := take(data.draw(st.integers(least, 400_000))):
            read += piece
        assert read == body
        assert source.unread == 0
        assert Request(Config(), source.reader.unreader, ("127.0.0.1", 1), 2).path == "/next"
        thread.join()


def test_a_connection_that_ends_in_the_middle_gives_what_came(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    client.sendall(HEAD % 100 + b"x" * 60)
    source = body_of(server)
    client.shutdown(socket.SHUT_WR)
    assert source.read(1000) == b"x" * 60
    assert source.read(1000) == b""


def test_a_large_body_comes_in_pieces_as_large_as_asked_for(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    size = 3 * 2**20
    thread = send(client, HEAD % size + bytes(size), [])
    source = body_of(server)
    assert [len(source.read(2**20)) for _ in range(3)] == [2**20] * 3
    thread.join()


@pytest.mark.parametrize("ahead", [b"", b"x" * 60])
def test_what_has_arrived_is_read_without_the_rest(
    ends: tuple[socket.socket, socket.socket], ahead: bytes
) -> None:
    client, server = ends
    client.sendall(HEAD % 4_000_000 + ahead)
    source = body_of(server)
    if ahead:
        assert source.read1(2**20) == ahead
    client.sendall(b"y" * 100_000)
    assert source.read1(2**20) == b"y" * 100_000
    client.shutdown(socket.SHUT_WR)
    assert source.read1(2**20) == b""


def test_what_arrived_before_a_reset_is_read() -> None:
    """The kernel tells of the reset first, where it comes before the bytes have been read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with server:
        client.sendall(HEAD % 1000 + b"x" * 60)
        source = body_of(server)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert source.read1(1000) == b"x" * 60
        with suppress(ConnectionError):
            assert source.read1(1000) == b""


def test_a_large_body_that_comes_fast_is_read_in_large_pieces(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    size = 8 * 2**20
    thread = send(client, HEAD % size + bytes(size), [])
    source = body_of(server)
    pieces = [len(piece) for piece in iter(lambda: source.read1(2**20), b"")]
    thread.join()
    assert sum(pieces) == size
    assert len(pieces) <= 16


def test_a_request_after_one_that_is_read_as_it_comes_is_read_in_whole_buffers(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    client.sendall(b"abc")
    connection = Connection(server, ("127.0.0.1", 1), ("127.0.0.1", 2), set())
    assert connection.receive_arrived(1000) == b"abc"
    sending = threading.Timer(0.1, client.sendall, [b"ef"])
    client.sendall(b"d")
    sending.start()
    assert connection.receive(3, whole=True) == b"def"


def test_a_broken_transfer_coding_is_a_broken_connection(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    client.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    source = body_of(server)
    with pytest.raises(OSError, match="chunk size"):
        source.read(10)


def test_a_body_that_has_to_be_waited_for_lets_others_pass(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    client.sendall(HEAD % 10 + b"some")
    body = body_of(server)
    got: list[bytes] = []

    def read() -> None:
        request_gate.enter()
        got.append(body.read(4))
        got.append(body.read(6))
        request_gate.step_out()

    reading = threading.Thread(target=read)
    reading.start()
    eventually(lambda: len(got) == 1)
    eventually(lambda: bool(request_gate._lock.acquire(blocking=False)))
    request_gate._lock.release()
    client.sendall(b" bytes")
    reading.join()
    assert got == [b"some", b" bytes"]


def test_a_small_answer_is_one_packet(ends: tuple[socket.socket, socket.socket]) -> None:
    client, server = ends
    connection = Connection(server, ("127.0.0.1", 1), ("127.0.0.1", 2), set())
    with connection.one_packet():
        connection.sendall(b"head ")
        connection.sendall(b"body")
        assert not select.select([client], [], [], 0)[0]
    assert client.recv(100) == b"head body"
    connection.sendall(b"next")
    assert client.recv(100) == b"next"
