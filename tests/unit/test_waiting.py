"""Connections without a whole request: they cost no thread, and limits tell which give way."""

from __future__ import annotations

import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from threading import Thread

import pytest

from chunked_upload.server.gunicorn import waiting as module
from chunked_upload.server.gunicorn.connection import MAX_HEAD, Connection
from chunked_upload.server.gunicorn.limits import Limits
from chunked_upload.server.gunicorn.waiting import WaitingConnections
from tests.server.client import head
from tests.server.waiting import eventually

REQUEST = head("GET", "/")
LIMITS = Limits(connections=50, per_address=None, slow_bodies=10, keepalive=60, idle=60)

Refused = list[tuple[int, str]]
Connect = Callable[[], socket.socket]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


class Worker:
    """Waiting connections that are watched when a test says so."""

    def __init__(self, stack: ExitStack, limits: Limits = LIMITS) -> None:
        self.refused: Refused = []
        self.waiting = WaitingConnections(limits, lambda _, status, why: self._note(status, why))
        self.listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        self.waiting.listen([self.listener])
        self._stack = stack
        stack.callback(self._close)

    def connect(self) -> socket.socket:
        """A client, whose connection has been accepted."""
        before = len(self.waiting)
        client = socket.create_connection(self.listener.getsockname(), timeout=30)
        self._stack.enter_context(client)
        deadline = time.monotonic() + 10
        while len(self.waiting) == before and time.monotonic() < deadline:
            self.waiting.wait(0.01)
            if self.refused or before:
                break
        return client

    def look(self) -> Connection | None:
        """Let everything arrive that is on its way; return a connection with a request."""
        for _ in range(5):
            if connection := self.waiting.wait(0.02):
                return connection
        return None

    def _note(self, status: int, why: str) -> None:
        self.refused.append((status, why))

    def _close(self) -> None:
        for connection in list(self.waiting._all):
            connection.close()
        self.waiting._selector.close()
        self.waiting._waker.close()
        self.waiting._woken.close()


@pytest.fixture
def worker(stack: ExitStack) -> Worker:
    return Worker(stack)


def is_closed(client: socket.socket) -> bool:
    if not select.select([client], [], [], 0)[0]:
        return False
    try:
        return client.recv(65536) == b""
    except ConnectionError:
        return True


def test_a_connection_is_served_when_its_client_has_sent_a_head(worker: Worker) -> None:
    first, second = worker.connect(), worker.connect()
    assert worker.look() is None
    second.send(REQUEST)
    connection = worker.look()
    assert connection is not None
    assert connection.client == second.getsockname()
    assert connection.take_ahead() == REQUEST
    assert worker.look() is None
    first.send(REQUEST)
    assert worker.look() is not None


def test_a_head_that_comes_byte_by_byte_is_waited_for_without_a_thread(worker: Worker) -> None:
    client = worker.connect()
    for at in range(len(REQUEST) - 1):
        client.send(REQUEST[at : at + 1])
        assert worker.waiting.wait(0.001) is None
    client.send(REQUEST[-1:])
    assert worker.look() is not None


def test_a_client_that_hangs_up_is_forgotten(worker: Worker) -> None:
    client = worker.connect()
    client.send(REQUEST[:10])
    client.close()
    eventually(lambda: worker.look() is None and not len(worker.waiting))


def test_requests_in_one_packet_wait_for_nothing(worker: Worker) -> None:
    worker.connect().send(REQUEST * 3)
    for left in (2, 1, 0):
        connection = worker.look()
        assert connection is not None
        ahead = connection.take_ahead()
        assert len(ahead) == len(REQUEST) * (left + 1)
        connection.give_back(ahead[len(REQUEST) :])
        worker.waiting.add(connection)
    assert worker.look() is None
    assert len(worker.waiting) == 1


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\nHost: a\n", b"GET /\r\nA: b\n", b"\n"])
def test_a_head_that_will_never_end_is_for_the_parser(worker: Worker, sent: bytes) -> None:
    client = worker.connect()
    client.send(sent)
    assert worker.look() is not None


@pytest.mark.parametrize("line", [b"A: b\r\n", b"x"])
def test_a_head_that_is_too_long_is_not_read_on(worker: Worker, line: bytes) -> None:
    client = worker.connect()
    client.sendall(b"GET / HTTP/1.1\r\n" + line * (2 * MAX_HEAD // len(line)))
    eventually(lambda: worker.look() is not None)


def test_a_long_head_costs_no_more_than_its_length(worker: Worker) -> None:
    """However many packets it comes in."""
    connection = Connection.__new__(Connection)
    connection.ahead, connection._searched = bytearray(b"GET / HTTP/1.1\r\n"), 0
    began = time.process_time()
    for _ in range(MAX_HEAD // 8):
        connection.ahead += b"a: bcd\r\n"
        connection.has_head()
    assert time.process_time() - began < 0.5


def test_half_a_head_is_given_up(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_HEAD_SECONDS", 0.1)
    client = worker.connect()
    client.send(REQUEST[:-3])
    eventually(lambda: worker.look() is None and is_closed(client))
    assert not len(worker.waiting)


def test_who_has_been_idle_for_too_long_is_closed(stack: ExitStack) -> None:
    worker = Worker(stack, replace(LIMITS, keepalive=0.1))
    client = worker.connect()
    client.send(REQUEST)
    connection = worker.look()
    assert connection is not None
    connection.take_ahead()
    worker.waiting.add(connection)
    eventually(lambda: worker.look() is None and is_closed(client))


def test_what_is_unwanted_is_thrown_away_and_then_the_next_request_served(worker: Worker) -> None:
    client = worker.connect()
    client.send(REQUEST)
    connection = worker.look()
    assert connection is not None
    connection.take_ahead()
    connection.unwanted = 3_000_000
    worker.waiting.add(connection)
    sending = Thread(target=client.sendall, args=(bytes(3_000_000) + REQUEST,))
    sending.start()
    eventually(lambda: worker.look() is connection)
    sending.join()
    assert connection.take_ahead() == REQUEST


@pytest.mark.parametrize("unwanted", [1000, None])
def test_a_refused_client_that_stalls_is_closed_in_the_end(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, unwanted: int | None
) -> None:
    monkeypatch.setattr(module, "_LINGER_SECONDS", 0.1)
    client = worker.connect()
    client.send(REQUEST)
    connection = worker.look()
    assert connection is not None
    connection.take_ahead()
    connection.unwanted = unwanted
    worker.waiting.add(connection, closes=unwanted is None)
    client.send(b"some")
    eventually(lambda: worker.look() is None and not len(worker.waiting))


def test_a_client_that_does_not_close_after_its_last_answer_is_closed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CLOSE_SECONDS", 0.1)
    client = worker.connect()
    client.send(REQUEST)
    connection = worker.look()
    assert connection is not None
    worker.waiting.add(connection, closes=True)
    assert client.recv(10) == b""
    eventually(lambda: worker.look() is None and not len(worker.waiting))


def test_one_thread_watches_for_all(worker: Worker) -> None:
    client = worker.connect()
    got: list[Connection | None] = []
    watching = Thread(target=lambda: got.append(worker.waiting.wait(30)))
    watching.start()
    eventually(lambda: worker.waiting.is_watched)
    assert worker.waiting.wait(30) is None  # at once
    client.send(REQUEST)
    watching.join(30)
    assert got[0] is not None
    assert not worker.waiting.is_watched


def test_each_request_goes_to_one_thread(worker: Worker) -> None:
    clients = {client.getsockname(): client for client in (worker.connect() for _ in range(30))}
    taken: Counter[socket.socket] = Counter()

    def serve() -> None:
        while sum(taken.values()) < 300:
            if connection := worker.waiting.wait(0.01):
                assert connection.take_ahead() == REQUEST
                client = clients[connection.client]
                taken[client] += 1
                if taken[client] < 10:
                    client.send(REQUEST)
                worker.waiting.add(connection)

    for client in clients.values():
        client.send(REQUEST)
    threads = [Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert taken == dict.fromkeys(clients.values(), 10)


# Limits


def test_for_one_connection_more_the_oldest_that_waits_is_closed(stack: ExitStack) -> None:
    worker = Worker(stack, replace(LIMITS, connections=4))
    clients = [worker.connect() for _ in range(4)]
    clients[1].send(REQUEST[:5])
    worker.look()
    newest = worker.connect()
    worker.look()
    assert [is_closed(client) for client in clients] == [True, False, False, False]
    newest.send(REQUEST)
    connection = worker.look()
    assert connection is not None
    assert connection.client == newest.getsockname()
    assert len(worker.waiting) == 4


def test_an_address_that_has_too_many_loses_its_own(stack: ExitStack) -> None:
    worker = Worker(stack, replace(LIMITS, per_address=2))
    neighbour = socket.create_connection(
        worker.listener.getsockname(), timeout=30, source_address=("127.0.0.2", 0)
    )
    stack.enter_context(neighbour)
    worker.look()
    clients = [worker.connect() for _ in range(4)]
    worker.look()
    assert [is_closed(client) for client in clients] == [True, True, False, False]
    assert not is_closed(neighbour)


def test_who_is_served_gives_way_only_when_silent_for_long(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(stack, replace(LIMITS, per_address=1))
    client = worker.connect()
    client.send(REQUEST)
    served = worker.look()
    assert served is not None
    served.take_ahead()
    outcome: list[BaseException | bytes] = []

    def serve() -> None:
        try:
            outcome.append(served.receive(10))
        except OSError as error:
            outcome.append(error)

    serving = Thread(target=serve)
    serving.start()
    eventually(lambda: served.can_give_way)
    newer = worker.connect()
    worker.look()
    assert worker.refused == [(503, "Too many connections at a time")]
    assert is_closed(newer)
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.0)
    newest = worker.connect()
    worker.look()
    serving.join(30)
    assert isinstance(outcome[0], TimeoutError)
    assert not is_closed(newest)


def test_slow_bodies_wait_for_a_place_and_whole_requests_do_not(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(stack, replace(LIMITS, slow_bodies=1))
    upload = head("PUT", "/", Content_Length=100_000)
    slow, held, quick = (worker.connect() for _ in range(3))
    slow.send(upload)
    served = worker.look()
    assert served is not None
    served.take_ahead()
    receiving = Thread(target=lambda: served.receive(10) and None)
    receiving.start()
    eventually(lambda: served.can_give_way)

    held.send(upload)
    assert worker.look() is None
    for whole in (REQUEST, head("PUT", "/", Content_Length=3) + b"abc"):
        quick.send(whole)
        connection = worker.look()
        assert connection is not None
        assert connection.take_ahead() == whole
        worker.waiting.add(connection)
    quick.send(head("PUT", "/", Content_Length=6) + b"abc")
    assert worker.look() is None
    quick.send(b"def")  # what is held and becomes whole
    assert worker.look() is connection
    held.sendall(bytes(90_000))
    assert worker.look() is None

    slow.send(b"x")
    receiving.join(30)
    worker.waiting.add(served)  # its place is free
    connection = worker.look()
    assert connection is not None
    assert connection.client == held.getsockname()


def test_who_comes_while_many_uploads_wait_is_served_before_they_all_are(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GLANCE_SECONDS", 0.0)
    worker = Worker(stack, replace(LIMITS, slow_bodies=50))
    uploads = [worker.connect() for _ in range(20)]
    for client in uploads:
        client.send(head("PUT", "/", Content_Length=1_000_000))
    assert worker.look() is not None
    quick = socket.create_connection(worker.listener.getsockname(), timeout=30)
    stack.enter_context(quick)
    quick.send(REQUEST)
    served = [worker.waiting.wait(0) for _ in range(5)]
    assert quick.getsockname() in [connection.client for connection in served if connection]


def test_in_a_long_line_a_small_body_that_has_come_goes_first(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GLANCE_SECONDS", 0.0)
    monkeypatch.setattr(module, "_LINE", 2)
    worker = Worker(stack)
    *uploads, quick = [worker.connect() for _ in range(11)]
    for client in uploads:
        client.send(head("PUT", "/", Content_Length=1_000_000))
    quick.send(head("PUT", "/", Content_Length=20_000))
    served = [worker.waiting.wait(0.1)]
    quick.sendall(bytes(20_000))
    served += [worker.waiting.wait(0) for _ in range(5)]
    assert quick.getsockname() in [connection.client for connection in served if connection]
    served += [worker.waiting.wait(0) for _ in range(20)]
    assert len([connection for connection in served if connection]) == 11


def test_a_silent_slow_body_gives_its_place_to_one_that_waits(
    stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.2)
    worker = Worker(stack, replace(LIMITS, slow_bodies=1))
    upload = head("PUT", "/", Content_Length=100_000)
    slow, held = worker.connect(), worker.connect()
    slow.send(upload)
    served = worker.look()
    assert served is not None
    served.take_ahead()

    def serve() -> None:
        with pytest.raises(TimeoutError):
            served.receive(10)
        worker.waiting.add(served, closes=True)

    serving = Thread(target=serve)
    serving.start()
    eventually(lambda: served.can_give_way)
    held.send(upload)
    got: list[Connection | None] = []
    eventually(lambda: got.append(worker.look()) or got[-1] is not None)  # type: ignore[func-returns-value]
    assert got[-1] is not None
    assert got[-1].client == held.getsockname()
    serving.join(30)


def test_who_waits_for_a_place_in_vain_is_told(stack: ExitStack) -> None:
    worker = Worker(stack, replace(LIMITS, slow_bodies=0, idle=0.1))
    worker.connect().send(head("PUT", "/", Content_Length=100_000))
    eventually(lambda: worker.look() is None and bool(worker.refused))
    assert worker.refused == [(503, "Too many slow requests at a time")]
    assert not len(worker.waiting)


def test_who_has_connected_before_the_server_stops_is_served(worker: Worker) -> None:
    """Also if nobody has accepted the connection yet: a reset would be a proxy's 502."""
    clients = [socket.create_connection(worker.listener.getsockname()) for _ in range(3)]
    for client in clients:
        client.send(REQUEST)
    worker.waiting.stop()
    for client in clients:
        connection = worker.look()
        assert connection is not None
        with client:
            assert not is_closed(client)


def test_stopping_refuses_new_connections_and_closes_idle_ones(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.1)
    idle, half = worker.connect(), worker.connect()
    half.send(REQUEST[:10])
    address = worker.listener.getsockname()
    worker.waiting.stop()
    with pytest.raises(ConnectionError):
        socket.create_connection(address, timeout=30)
    eventually(lambda: worker.look() is None and not len(worker.waiting))
    assert is_closed(idle)
    assert is_closed(half)
