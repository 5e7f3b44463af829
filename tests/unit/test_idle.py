"""Connections between two requests: each goes to one thread, when it goes on."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from chunked_upload.server.gunicorn.idle import IdleConnections

Pair = tuple[TConn, socket.socket]


@pytest.fixture
def idle() -> Iterator[IdleConnections]:
    made = IdleConnections()
    yield made
    made.close()


@pytest.fixture
def connect() -> Iterator[Callable[[], Pair]]:
    """Make a connection: the worker's side and the client's."""
    with ExitStack() as stack:

        def make() -> Pair:
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            stack.enter_context(theirs)
            connection = TConn(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2))
            connection.init()
            return connection, theirs

        yield make


def test_a_connection_goes_on_when_its_client_sends(
    idle: IdleConnections, connect: Callable[[], Pair]
) -> None:
    (first, _), (second, client) = connect(), connect()
    assert idle.add(first)
    assert idle.add(second)
    assert (len(idle), idle.ready()) == (2, None)
    client.send(b"GET")
    assert idle.ready() is second
    assert (len(idle), idle.ready()) == (1, None)


def test_a_client_that_hangs_up_is_seen(idle: IdleConnections, connect: Callable[[], Pair]) -> None:
    connection, client = connect()
    idle.add(connection)
    client.close()
    assert idle.wait(30) is connection


def test_a_request_that_has_been_read_already_waits_for_nothing(
    idle: IdleConnections, connect: Callable[[], Pair]
) -> None:
    connection, _ = connect()
    connection.parser.unreader.unread(b"GET")
    idle.add(connection)
    assert idle.ready() is connection


def test_one_that_comes_back_waits_anew(idle: IdleConnections, connect: Callable[[], Pair]) -> None:
    connection, client = connect()
    for _ in range(3):
        idle.add(connection)
        assert idle.ready() is None
        client.send(b"G")
        again = idle.ready()
        assert again is connection
        assert again.sock.recv(1) == b"G"


def test_who_has_waited_long_leaves(idle: IdleConnections, connect: Callable[[], Pair]) -> None:
    connection, client = connect()
    idle.add(connection)
    assert idle.leave(60) == []
    assert idle.leave(0) == [connection]
    client.send(b"GET")
    assert (idle.ready(), len(idle)) == (None, 0)


def test_one_thread_waits_for_all(idle: IdleConnections, connect: Callable[[], Pair]) -> None:
    connection, client = connect()
    idle.add(connection)
    got: list[TConn | None] = []
    waiting = Thread(target=lambda: got.append(idle.wait(30)))
    waiting.start()
    while not idle.is_watched:
        pass
    assert idle.wait(30) is None  # at once
    client.send(b"GET")
    waiting.join(30)
    assert got == [connection]
    assert not idle.is_watched


def test_each_goes_to_one_thread(idle: IdleConnections, connect: Callable[[], Pair]) -> None:
    pairs = [connect() for _ in range(40)]
    clients = dict(pairs)
    for connection, client in pairs:
        client.send(b"request")
        idle.add(connection)
    taken: Counter[TConn] = Counter()

    def take() -> None:
        while len(idle):
            connection = idle.ready() or idle.wait(0.01)
            if connection is None:
                continue
            assert connection.sock.recv(100) == b"request"
            taken[connection] += 1
            if taken[connection] < 10:
                clients[connection].send(b"request")
                idle.add(connection)

    threads = [Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert taken == {connection: 10 for connection, _ in pairs}
