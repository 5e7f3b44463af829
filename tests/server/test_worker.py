"""The bundled server's worker: how it treats connections and what is not a request."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import TConn

from chunked_upload import worker
from chunked_upload.worker import UploadWorker
from tests.server.client import (
    call,
    chunked,
    connect,
    content_range,
    create,
    head,
    read_answer,
    state,
)
from tests.support.server import Server

DATA = bytes(range(256)) * 4000
HALF = len(DATA) // 2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


def put_head(upload_id: str, size: int, **headers: str) -> bytes:
    """The head of a chunk that goes on at HALF."""
    span = content_range(HALF, DATA[HALF : HALF + size], len(DATA))["Content-Range"]
    return head("PUT", f"/uploads/{upload_id}", Content_Length=size, Content_Range=span, **headers)


def test_requests_that_come_in_one_packet_are_answered_in_turn(served: Server) -> None:
    upload_id = create(served, DATA[:HALF], len(DATA))
    ask = head("GET", f"/uploads/{upload_id}")
    with connect(served) as connection:
        connection.sendall(ask + put_head(upload_id, 1000) + DATA[HALF : HALF + 1000] + ask + ask)
        said = b""
        while len(offsets := re.findall(rb'"offset": (\d+)', said)) < 4:
            said += connection.recv(65536)
    assert list(map(int, offsets)) == [HALF, HALF + 1000, HALF + 1000, HALF + 1000]


@pytest.mark.parametrize("pause", [0.05, 0.5])
def test_a_connection_is_kept_from_chunk_to_chunk(served: Server, pause: float) -> None:
    """Also when its thread has left it meanwhile."""
    upload_id = create(served, DATA[:HALF], len(DATA))
    with connect(served) as connection:
        for _ in range(3):
            connection.sendall(head("GET", f"/uploads/{upload_id}"))
            assert read_answer(connection).status == 200
            time.sleep(pause)


def test_more_kept_connections_than_threads_are_all_served(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(THREADS="2")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(server)) for _ in range(8)]
        for _ in range(3):
            for connection in connections:
                connection.sendall(head("GET", "/healthz"))
            assert {read_answer(connection).status for connection in connections} == {200}


def test_a_refused_chunk_is_never_asked_for(served: Server) -> None:
    """RFC 9110 10.1.1: the final status instead of 100 Continue, and then no more requests."""
    with connect(served) as connection:
        connection.sendall(put_head("0" * 32, HALF, Expect="100-continue"))
        said = b""
        while piece := connection.recv(65536):
            said += piece
    assert said.startswith(b"HTTP/1.1 404 ")
    assert b"Connection: close\r\n" in said
    assert said.count(b"HTTP/1.1") == 1


def test_after_a_chunk_that_was_asked_for_the_connection_goes_on(served: Server) -> None:
    upload_id = create(served, DATA[:HALF], len(DATA))
    with connect(served) as connection:
        connection.sendall(put_head(upload_id, HALF, Expect="100-continue"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(DATA[HALF:])
        assert read_answer(connection).json["offset"] == len(DATA)
        connection.sendall(head("GET", f"/uploads/{upload_id}"))
        assert read_answer(connection).json["offset"] == len(DATA)


def test_a_chunked_body_is_asked_for_too(served: Server) -> None:
    upload_id = create(served, DATA[:HALF], len(DATA))
    span = content_range(HALF, DATA[HALF:], len(DATA))["Content-Range"]
    with connect(served) as connection:
        connection.sendall(
            head(
                "PUT",
                f"/uploads/{upload_id}",
                Transfer_Encoding="chunked",
                Content_Range=span,
                Expect="100-continue",
            )
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(chunked(DATA[HALF:]))
        assert read_answer(connection).json["offset"] == len(DATA)


def test_a_request_without_a_body_that_expects_is_just_answered(served: Server) -> None:
    with connect(served) as connection:
        for _ in range(2):
            connection.sendall(head("GET", "/healthz", Content_Length=0, Expect="100-continue"))
            assert read_answer(connection).status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nLong: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417),
    ],
)
def test_what_is_not_a_request_gets_a_reason_and_the_connection_ends(
    served: Server, sent: bytes, status: int
) -> None:
    with connect(served) as connection:
        connection.sendall(sent)
        answer = read_answer(connection)
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1) == b""
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["detail"] == answer.json["error"]
    assert answer.json["reason"]


def test_clients_that_do_not_close_hold_up_nobody(served: Server) -> None:
    with contextlib.ExitStack() as stack:
        # Two seconds for each, one after the other, if the main thread waited.
        connections = [stack.enter_context(connect(served)) for _ in range(12)]
        for connection in connections:
            connection.sendall(b"nonsense\r\n\r\n")
        assert {read_answer(connection).status for connection in connections} == {400}
        assert call(served, "GET", "/healthz", timeout=10).status == 200


def test_connections_that_were_closed_are_not_counted(make_server: Callable[..., Server]) -> None:
    """gunicorn counts them, to stop accepting at some thousand."""
    server = make_server()
    for _ in range(50):
        with connect(server) as connection:
            connection.sendall(head("GET", "/healthz", Connection="close"))
            assert read_answer(connection).status == 200
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 15


def test_whom_to_believe_about_a_proxy_is_not_guessed(served: Server) -> None:
    """gunicorn would take a proxy on this host at its word."""
    with connect(served) as connection:
        connection.sendall(head("GET", "/", X_Forwarded_Proto="https"))
        assert "; Secure" not in str(read_answer(connection).headers)


def test_a_chunk_whose_head_and_body_come_apart_is_taken(served: Server) -> None:
    upload_id = create(served, DATA[:HALF], len(DATA))
    with connect(served) as connection:
        sent = put_head(upload_id, HALF) + DATA[HALF:]
        for piece in (sent[:20], sent[20:120], sent[120:9000], sent[9000:]):
            connection.sendall(piece)
            time.sleep(0.02)
        assert read_answer(connection).json["offset"] == len(DATA)
    assert state(served, upload_id)["offset"] == len(DATA)


class App:
    """What a worker loads."""

    @staticmethod
    def wsgi() -> Any:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("Content-Length", "2")])
            return [b"ok"]

        return app


@pytest.fixture
def alone() -> Iterator[tuple[UploadWorker, TConn, socket.socket]]:
    """A worker outside of a server, with one connection."""
    config = Config()
    config.set("threads", 4)
    itself = UploadWorker(1, 1, [], App(), 30, config, Logger(config))
    itself.load_wsgi()
    with contextlib.ExitStack() as stack:
        stack.callback(itself.tmp.close)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = socket.create_connection(listener.getsockname(), timeout=30)
        stack.enter_context(client)
        accepted, address = listener.accept()
        stack.enter_context(accepted)
        yield itself, TConn(config, accepted, address, listener.getsockname()), client


def test_a_head_that_never_ends_gives_its_thread_back(
    alone: tuple[UploadWorker, TConn, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    itself, connection, client = alone
    monkeypatch.setattr(worker, "_HEAD_SECONDS", -1.0)
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nEndl")
    outcomes: list[Any] = []
    thread = Thread(target=lambda: outcomes.append(itself.handle(connection)))
    thread.start()
    while thread.is_alive():
        itself.murder_keepalived()
        thread.join(0.05)
    assert outcomes == [False]


def test_a_thread_stays_only_while_requests_follow(
    alone: tuple[UploadWorker, TConn, socket.socket],
) -> None:
    itself, connection, client = alone
    client.sendall(head("GET", "/") * 3)
    assert itself.handle(connection) is True  # to be waited for by the poller
    assert client.recv(65536, socket.MSG_WAITALL | socket.MSG_DONTWAIT).count(b"200 OK") == 3
