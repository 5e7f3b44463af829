"""What a refused client still sends is read for a while, and not for longer."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from chunked_upload.http.wire import linger

DATA = b"x" * 1000


class Input:
    """A body as servers give it that read until they have what was asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, size: int) -> bytes:
        read = b""
        while len(read) < size and (data := self._connection.recv(size - len(read))):
            read += data
        return read


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def refuse(app: Flask, server: socket.socket) -> None:
    """Refuse a request of 10,000 bytes, as under gunicorn."""
    given = {"wsgi.input": Input(server), "CONTENT_LENGTH": "10000", "gunicorn.socket": server}
    environ = EnvironBuilder(method="PUT").get_environ() | given
    with app.request_context(environ) as context:
        response = linger.linger(app.response_class("no", 404), context.request)
        response.close()


@pytest.fixture
def app() -> Flask:
    return Flask(__name__)


def test_a_sender_that_goes_on_is_read_to_its_end(
    app: Flask, ends: tuple[socket.socket, socket.socket]
) -> None:
    client, server = ends
    client.sendall(DATA * 10 + b"next")
    refuse(app, server)
    assert server.recv(10) == b"next"
    assert server.gettimeout() is None


def test_a_sender_that_stalls_is_left(
    app: Flask, ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linger, "_SILENT_SECONDS", 0.1)
    client, server = ends
    client.sendall(DATA)
    refuse(app, server)
    assert server.recv(10) == b""  # and the server will not wait for it either


def test_a_sender_that_sends_a_byte_now_and_then_is_left(
    app: Flask, ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linger, "_SECONDS", 0.3)
    client, server = ends
    left = threading.Event()

    def trickle() -> None:
        with contextlib.suppress(BrokenPipeError):  # it is left between two looks at the event
            while not left.wait(0.02):
                client.send(b"x")

    sending = threading.Thread(target=trickle)
    sending.start()
    began = time.monotonic()
    try:
        refuse(app, server)
    finally:
        left.set()
        sending.join()
    assert time.monotonic() - began < 30


def test_more_senders_that_stall_than_there_were_places_change_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linger, "_SILENT_SECONDS", 10.0)
    pairs = [socket.socketpair() for _ in range(31)]
    threads = [threading.Thread(target=refuse, args=(app, server)) for _, server in pairs]
    try:
        for thread in threads[1:]:
            thread.start()
        client, server = pairs[0]
        client.sendall(DATA * 10 + b"next")
        refuse(app, server)
        assert server.recv(10) == b"next"
    finally:
        for client, _ in pairs:
            client.close()
        for thread in threads[1:]:
            thread.join(30)
        for _, server in pairs:
            server.close()
