"""gunicorn's reads: they step aside when they have to wait, and only then."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from chunked_upload.server.gunicorn import request_gate, unreader
from chunked_upload.server.gunicorn.unreader import PassingUnreader
from tests.server.waiting import eventually


@pytest.fixture
def pair() -> Iterator[tuple[TConn, socket.socket]]:
    """A new connection, and its client's end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = TConn(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
        connection.init()
        yield connection, theirs


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_a_read_that_waits_lets_others_pass(
    pair: tuple[TConn, socket.socket], timeout: float | None
) -> None:
    """With a timeout as well, as gunicorn sets one to throw the rest of a body away."""
    connection, client = pair
    PassingUnreader.replace(connection)
    connection.sock.settimeout(timeout)
    got: list[bytes] = []

    def read() -> None:
        with request_gate.through():
            got.append(connection.parser.unreader.chunk())
            got.append(b"inside" if request_gate._lock.locked() else b"outside")

    reading = Thread(target=read)
    reading.start()
    eventually(lambda: bool(request_gate._lock.acquire(blocking=False)))
    request_gate._lock.release()
    client.sendall(b"GET")
    reading.join()
    assert got == [b"GET", b"inside"]


def test_what_has_come_is_read_without_stepping_aside(
    pair: tuple[TConn, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, client = pair
    PassingUnreader.replace(connection)
    monkeypatch.setattr(unreader, "stepping_out", lambda: pytest.fail("there was no need to wait"))
    client.sendall(b"GET")
    assert connection.parser.unreader.chunk() == b"GET"
    client.close()
    assert connection.parser.unreader.chunk() == b""


def test_no_more_is_read_than_was_asked_for(pair: tuple[TConn, socket.socket]) -> None:
    connection, client = pair
    PassingUnreader.replace(connection)
    client.sendall(bytes(20_000))
    there = connection.parser.unreader
    assert len(there.chunk()) == there.mxchunk
    assert len(there.chunk(10_000)) == 10_000


def test_what_was_read_ahead_is_kept(pair: tuple[TConn, socket.socket]) -> None:
    connection, client = pair
    connection.parser.unreader.unread(b"GE")
    PassingUnreader.replace(connection)
    client.sendall(b"T /")
    assert connection.parser.unreader.read(5) == b"GET /"


def test_a_connection_of_another_kind_is_left_alone(pair: tuple[TConn, socket.socket]) -> None:
    connection, _ = pair
    there = connection.parser.unreader
    connection.sock = object()  # TLS, which has no such looks
    PassingUnreader.replace(connection)
    assert type(there) is not PassingUnreader
    connection.parser = object()  # HTTP/2, which has no unreader
    PassingUnreader.replace(connection)
