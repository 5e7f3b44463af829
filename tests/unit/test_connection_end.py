"""Requests whose clients have left them in mid-body: they end in turn."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from chunked_upload.server.gunicorn.connection import Connection
from tests.server.waiting import eventually

CROWD = 10


class Crowd:
    """Requests that wait for bytes, each in its thread."""

    def __init__(self, stack: ExitStack) -> None:
        #: Those whose wait has ended, one way or the other.
        self.ended: list[Connection] = []
        self.clients, self.connections = [], []
        for _ in range(CROWD):
            client, served = socket.socketpair()
            stack.enter_context(client)
            connection = Connection(served, None, None, set())
            stack.callback(connection.close)
            self.clients.append(client)
            self.connections.append(connection)
        threads = [
            threading.Thread(target=self._wait_for, args=(connection,))
            for connection in self.connections
        ]
        for thread in threads:
            thread.start()
            stack.callback(thread.join, 30)
        eventually(lambda: all(connection.is_waiting for connection in self.connections))

    def _wait_for(self, connection: Connection) -> None:
        with suppress(TimeoutError):
            connection.receive(1_000_000, whole=True)
        self.ended.append(connection)

    def all_end(self) -> bool:
        for connection in list(self.ended):
            connection.end_request()
        return len(self.ended) == CROWD

    def hang_up(self) -> None:
        for client in self.clients:
            client.close()

    def send_some_and_hang_up(self) -> None:
        for client in self.clients:
            client.send(b"some")
        self.hang_up()

    def be_silent(self) -> None:
        for connection in self.connections:
            connection.idle_seconds = -1.0

    def give_way(self) -> None:
        for connection in self.connections:
            connection.give_way()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ExitStack() as stack:
        made = Crowd(stack)
        yield made
        made.hang_up()
        eventually(made.all_end)


@pytest.mark.parametrize(
    "leave", [Crowd.hang_up, Crowd.send_some_and_hang_up, Crowd.be_silent, Crowd.give_way]
)
def test_of_a_crowd_that_is_left_two_end_at_a_time(
    crowd: Crowd, leave: Callable[[Crowd], None]
) -> None:
    leave(crowd)
    for done in range(0, CROWD, 2):
        eventually(lambda so_far=done: len(crowd.ended) == so_far + 2)  # type: ignore[misc]
        time.sleep(0.05)
        assert len(crowd.ended) == done + 2
        for connection in crowd.ended[done:]:
            connection.end_request()


def test_who_sends_is_not_held_up_by_them(crowd: Crowd) -> None:
    *leaving, staying = crowd.clients
    for client in leaving:
        client.close()
    eventually(lambda: len(crowd.ended) == 2)
    staying.sendall(b"x" * 100)
    eventually(lambda: crowd.connections[-1] in crowd.ended)
