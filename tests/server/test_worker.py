"""The bundled server's worker: how it treats connections and what is not a request."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

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
from tests.support.server import Server, measured

DATA = bytes(range(256)) * 4000
HALF = len(DATA) // 2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server"), measured()) as server:
        yield server
        server.stop()


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


#: An app that is busy until a file named go is there, that leaves, that answers at length,
#: that fails in its answer, and that writes as apps did before WSGI had iterables.
OTHER_APP = """
import sys, time
from pathlib import Path

def app(environ, start_response):
    path, body = environ["PATH_INFO"], [b"ok"]
    while path == "/busy" and not Path("go").exists():
        time.sleep(0.01)
    if path == "/leaves":
        sys.exit(3)
    if path.startswith("/shared/"):
        start_response("200 OK", [("Content-Length", "2")])
        return (b"o" if number else 1 // number for number in (1, 0))
    if path == "/long":
        body = [bytes(1_000_000)] * 60
    write = start_response("200 OK", [("Content-Length", str(sum(map(len, body))))])
    if path == "/written":
        write(body[0][:1])
        return [body[0][1:]]
    return body
"""


@contextlib.contextmanager
def run_other(place: Path) -> Iterator[Server]:
    """Another app under the worker, with few threads."""
    (place / "other.py").write_text(OTHER_APP)
    command = [
        *(
            str(Path(sys.executable).parent / "gunicorn"),
            "-k",
            "chunked_upload.worker.UploadWorker",
        ),
        *("--preload", "--threads", "4", "--no-control-socket", "-b", "127.0.0.1:{port}"),
        "other:app",
    ]
    with Server(place, measured(), command) as server:
        yield server
        if server.running:
            server.stop()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Server]:
    with run_other(tmp_path) as server:
        yield server


@pytest.mark.parametrize("path", ["/busy", "/long"])
def test_a_request_that_takes_long_holds_up_no_kept_connection(other: Server, path: str) -> None:
    """Whether it computes, or its client does not take its answer."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(other)) for _ in range(8)]
        for connection in connections:
            connection.sendall(head("GET", "/"))
            assert read_answer(connection).status == 200
        slow, *quick = connections
        slow.sendall(head("GET", path))
        for _ in range(3):
            for connection in quick:
                connection.sendall(head("GET", "/"))
            assert {read_answer(connection).status for connection in quick} == {200}
        (other.directory / "go").touch()
        assert read_answer(slow).status == 200


def test_a_body_that_stalls_holds_up_no_kept_connection(served: Server) -> None:
    upload_id = create(served, DATA[:HALF], len(DATA))
    with connect(served) as stalled, connect(served) as first, connect(served) as second:
        for connection in (stalled, first, second):
            connection.sendall(head("GET", "/healthz"))
            assert read_answer(connection).status == 200
        stalled.sendall(put_head(upload_id, HALF) + DATA[HALF : HALF + 1000])
        for _ in range(3):
            for connection in (first, second):
                connection.sendall(head("GET", "/healthz"))
                assert read_answer(connection).status == 200
        stalled.sendall(DATA[HALF + 1000 :])
        assert read_answer(stalled).json["offset"] == len(DATA)


def test_an_answer_that_an_app_has_begun_to_write_is_not_held_back(other: Server) -> None:
    with connect(other) as connection:
        for _ in range(2):
            connection.sendall(head("GET", "/written"))
            with connection.makefile("rb") as stream:
                assert b"".join(iter(stream.readline, b"\r\n")).startswith(b"HTTP/1.1 200 ")
                assert stream.read(2) == b"ok"


def test_a_link_whose_download_fails_is_logged_without_its_signature(other: Server) -> None:
    link = f"{'a' * 22}.1796278800"
    with connect(other) as connection:
        connection.sendall(head("GET", f"/shared/{link}.signature"))
        with connection.makefile("rb") as stream:
            assert stream.read().endswith(b"\r\n\r\no")
    assert other.stop() == 0
    log = other.log.read_text()
    assert f"Error while answering GET /shared/{link}…" in log
    assert "ZeroDivisionError" in log
    assert "signature" not in log


def test_an_app_that_leaves_ends_its_connection_and_no_other(other: Server) -> None:
    with connect(other) as leaving, connect(other) as staying:
        for _ in range(2):
            for connection in (leaving, staying):
                connection.sendall(head("GET", "/"))
                assert read_answer(connection).status == 200
        leaving.sendall(head("GET", "/leaves"))
        assert leaving.recv(1) == b""
        staying.sendall(head("GET", "/"))
        assert read_answer(staying).status == 200
    assert other.stop() == 0


def test_every_request_of_a_crowd_has_its_one_answer(tmp_path: Path) -> None:
    """More clients than threads, some with several requests in one packet, some that pause."""

    def talk(number: int) -> int:
        luck, answers = Random(number), 0
        with connect(server) as connection:
            for _ in range(30):
                ahead = luck.choice([1, 1, 1, 2, 5])
                connection.sendall(head("GET", "/") * ahead)
                with connection.makefile("rb") as stream:
                    for _ in range(ahead):
                        answer = b"".join(iter(stream.readline, b"\r\n"))
                        assert answer.startswith(b"HTTP/1.1 200 ")
                        assert stream.read(2) == b"ok"
                        answers += 1
                time.sleep(luck.choice([0, 0, 0, 0.01, 0.25]))
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)
        return answers

    with run_other(tmp_path) as server, ThreadPoolExecutor(24) as pool:
        assert all(count >= 30 for count in pool.map(talk, range(24)))
        assert server.stop() == 0
