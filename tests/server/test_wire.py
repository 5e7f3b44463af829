"""What the network does to bodies, over raw sockets, under the bundled server and others.

A connection that ends in mid-body reads as a clean end of input on these servers; whatever way it
ends, a broken chunk is dropped whole and the next try succeeds.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from tests.server.client import (
    FORM_TYPE,
    Answer,
    call,
    chunked,
    complete,
    connect,
    content_range,
    create,
    form,
    head,
    put,
    read_answer,
    state,
    stored_files,
)
from tests.server.conftest import OTHERS, other_server
from tests.server.waiting import eventually
from tests.support.server import Server

DATA = bytes(range(256)) * 4000
START = 100_000


@pytest.fixture(scope="module", params=["bundled", *OTHERS])
def wired(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server for all tests of this module: each has an upload of its own."""
    directory = tmp_path_factory.mktemp("server")
    other = request.param in OTHERS
    with other_server(directory, request.param) if other else Server(directory) as server:
        yield server


@pytest.fixture
def upload_id(wired: Server) -> str:
    """An upload that has its first 100,000 bytes."""
    return create(wired, DATA[:START], len(DATA))


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stall_then_close(connection: socket.socket) -> None:
    time.sleep(0.3)
    connection.close()


def chunk_head(upload_id: str, **framing: str | int) -> bytes:
    span = content_range(START, DATA[START:], len(DATA))["Content-Range"]
    return head("PUT", f"/uploads/{upload_id}", Content_Range=span, **framing)


def wait_until_writing(server: Server, upload_id: str) -> None:
    """Wait until a chunk has begun; else the next try might begin before it, and lose its lease."""
    part = server.root / ".incoming" / upload_id[:2] / f"{upload_id}.part"
    eventually(lambda: part.stat().st_size > START)


def assert_goes_on(server: Server, upload_id: str) -> None:
    """The upload stands where it stood, and takes the chunk when it comes whole."""
    assert state(server, upload_id)["offset"] == START
    answer = put(server, upload_id, DATA[START:], START, len(DATA))
    assert (answer.status, answer.json["offset"]) == (200, len(DATA))
    done = complete(server, upload_id, DATA)
    assert done.status == 200
    assert call(server, "GET", done.json["url"]).body == DATA


@pytest.mark.parametrize("cut", [half_close, reset, stall_then_close])
def test_a_body_cut_off_is_dropped_and_sent_again(
    wired: Server, upload_id: str, cut: Callable[[socket.socket], None]
) -> None:
    with connect(wired) as connection:
        connection.sendall(chunk_head(upload_id, Content_Length=len(DATA) - START))
        connection.sendall(DATA[START : START + 500_000])
        wait_until_writing(wired, upload_id)
        cut(connection)
    assert_goes_on(wired, upload_id)


@pytest.mark.parametrize("cut", [half_close, reset, stall_then_close])
def test_a_form_cut_off_is_dropped_and_sent_again(
    wired: Server, upload_id: str, cut: Callable[[socket.socket], None]
) -> None:
    body = form(DATA[START:], upload_id=upload_id)
    span = content_range(START, DATA[START:], len(DATA))["Content-Range"]
    with connect(wired) as connection:
        connection.sendall(
            head("POST", "/uploads/", Content_Length=len(body), Content_Range=span, **FORM_TYPE)
        )
        connection.sendall(body[:500_000])
        wait_until_writing(wired, upload_id)
        cut(connection)
    assert_goes_on(wired, upload_id)


@pytest.mark.parametrize("cut", [half_close, reset, stall_then_close])
def test_a_first_chunk_cut_off_leaves_nothing(
    wired: Server, cut: Callable[[socket.socket], None]
) -> None:
    before = set(stored_files(wired))
    with connect(wired) as connection:
        connection.sendall(head("POST", "/uploads/?filename=cut", Content_Length=1_000_000))
        connection.sendall(DATA[:500_000])
        cut(connection)
    eventually(lambda: set(stored_files(wired)) <= before)


def test_a_half_closed_client_reads_why_its_chunk_was_refused(
    wired: Server, upload_id: str
) -> None:
    with connect(wired) as connection:
        connection.sendall(chunk_head(upload_id, Content_Length=len(DATA) - START))
        connection.sendall(DATA[START : START + 500_000])
        connection.shutdown(socket.SHUT_WR)
        received = connection.recv(65536)
    # Servers may drop a half-closed connection without a word; what they say must be true.
    if received:
        assert b" 400 " in received.split(b"\r\n")[0]
    assert_goes_on(wired, upload_id)


def test_content_length_and_transfer_encoding_together_smuggle_nothing(
    wired: Server, upload_id: str
) -> None:
    smuggled = head("DELETE", f"/uploads/{upload_id}")
    body = chunked(smuggled)
    with connect(wired) as connection:
        connection.sendall(
            chunk_head(
                upload_id, Content_Length=len(body) - len(smuggled), Transfer_Encoding="chunked"
            )
            + body
        )
        assert read_answer(connection).status == 400
        # Some drop Content-Length before the app can object, which RFC 9112 6.3 allows when
        # the connection is then closed: nothing that follows is taken for a request.
        with contextlib.suppress(ConnectionError):
            connection.sendall(smuggled)
            assert connection.recv(65536) == b""
    assert_goes_on(wired, upload_id)


def test_a_chunked_body_that_is_whole_is_taken(wired: Server, upload_id: str) -> None:
    with connect(wired) as connection:
        connection.sendall(chunk_head(upload_id, Transfer_Encoding="chunked"))
        connection.sendall(chunked(DATA[START:]))
        answer = read_answer(connection)
    assert (answer.status, answer.json["offset"]) == (200, len(DATA))
    assert complete(wired, upload_id, DATA).status == 200


def test_a_chunked_form_that_is_whole_is_taken(wired: Server, upload_id: str) -> None:
    span = content_range(START, DATA[START:], len(DATA))["Content-Range"]
    with connect(wired) as connection:
        connection.sendall(
            head(
                "POST",
                "/uploads/",
                Transfer_Encoding="chunked",
                Content_Range=span,
                **FORM_TYPE,
            )
        )
        connection.sendall(chunked(form(DATA[START:], upload_id=upload_id)))
        answer = read_answer(connection)
    assert (answer.status, answer.json["offset"]) == (200, len(DATA))
    assert complete(wired, upload_id, DATA).status == 200


@pytest.mark.parametrize("cut", [half_close, reset, stall_then_close])
def test_a_chunked_body_without_its_end_is_dropped(
    wired: Server, upload_id: str, cut: Callable[[socket.socket], None]
) -> None:
    with connect(wired) as connection:
        connection.sendall(chunk_head(upload_id, Transfer_Encoding="chunked"))
        connection.sendall(chunked(DATA[START : START + 500_000], end=False))
        wait_until_writing(wired, upload_id)
        cut(connection)
    assert_goes_on(wired, upload_id)


@pytest.mark.parametrize("cut", [half_close, reset, stall_then_close])
def test_a_chunked_form_without_its_end_is_dropped(
    wired: Server, upload_id: str, cut: Callable[[socket.socket], None]
) -> None:
    body = form(DATA[START:], upload_id=upload_id)
    span = content_range(START, DATA[START:], len(DATA))["Content-Range"]
    with connect(wired) as connection:
        connection.sendall(
            head("POST", "/uploads/", Transfer_Encoding="chunked", Content_Range=span, **FORM_TYPE)
        )
        connection.sendall(chunked(body[:-40], end=False))
        wait_until_writing(wired, upload_id)
        cut(connection)
    assert_goes_on(wired, upload_id)


def test_a_broken_chunked_encoding_stores_nothing(wired: Server, upload_id: str) -> None:
    with connect(wired) as connection:
        connection.sendall(chunk_head(upload_id, Transfer_Encoding="chunked"))
        connection.sendall(chunked(DATA[START : START + 50_000], end=False) + b"zz\r\nnonsense")
        connection.shutdown(socket.SHUT_WR)
        received = connection.recv(65536)
        assert b" 200 " not in received.split(b"\r\n")[0]
    assert_goes_on(wired, upload_id)


def test_raw_bytes_of_unknown_length_without_content_range_are_refused(wired: Server) -> None:
    before = stored_files(wired)
    with connect(wired) as connection:
        connection.sendall(head("POST", "/uploads/?filename=a", Transfer_Encoding="chunked"))
        connection.sendall(chunked(DATA[:50_000]))
        assert read_answer(connection).status == 411
    assert stored_files(wired) == before


# Refusals while the client is still sending


SIZE = 30_000_000
BLOCK = b"x" * 1_000_000


def refusals(upload_id: str) -> dict[str, tuple[bytes, int, str]]:
    """Requests refused by their head: what to send before the body, status, detail."""
    return {
        "unknown upload": (
            head(
                "PUT",
                f"/uploads/{'0' * 32}",
                Content_Length=SIZE,
                Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}",
            ),
            404,
            "Upload not found",
        ),
        "wrong offset": (
            head(
                "PUT",
                f"/uploads/{upload_id}",
                Content_Length=SIZE,
                Content_Range=f"bytes 5-{SIZE + 4}/{len(DATA)}",
            ),
            400,
            "Error in request headers",
        ),
        "wrong total": (
            head(
                "PUT",
                f"/uploads/{upload_id}",
                Content_Length=SIZE,
                Content_Range=f"bytes {START}-{START + SIZE - 1}/{SIZE * 2}",
            ),
            400,
            "Total size does not match",
        ),
        "not a form field": (
            head(
                "POST",
                "/uploads/",
                Content_Length=SIZE,
                Content_Type="application/x-www-form-urlencoded",
            ),
            400,
            "No chunk file was submitted",
        ),
        "a verb not offered": (
            head("PUT", "/uploads/complete", Content_Length=SIZE),
            405,
            "Method not allowed; use POST, OPTIONS",
        ),
        "too large to complete": (
            head(
                "POST",
                "/uploads/complete",
                Content_Length=SIZE,
                Content_Type="application/x-www-form-urlencoded",
            ),
            413,
            "Request exceeds the limit (65536 bytes)",
        ),
    }


@pytest.mark.parametrize("kind", list(refusals("")))
def test_a_client_that_first_sends_everything_still_reads_the_answer(
    wired: Server, upload_id: str, kind: str
) -> None:
    request, status, detail = refusals(upload_id)[kind]
    with connect(wired) as connection:
        answer = send_all_then_read(connection, request)
        assert (answer.status, answer.json["detail"]) == (status, detail)
        # And the connection can be used again.
        connection.sendall(head("GET", f"/uploads/{upload_id}"))
        assert read_answer(connection).status == 200


def send_all_then_read(connection: socket.socket, request: bytes) -> Answer:
    connection.sendall(request)
    for _ in range(SIZE // len(BLOCK)):
        connection.sendall(BLOCK)
    return read_answer(connection)


def test_a_client_that_listens_while_it_sends_is_answered_at_once(
    wired: Server, upload_id: str
) -> None:
    request, status, _ = refusals(upload_id)["wrong total"]
    with connect(wired) as connection:
        connection.sendall(request + BLOCK)
        assert read_answer(connection).status == status


def test_refused_clients_that_stall_do_not_use_up_the_threads(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(THREADS="24", CHUNKED_UPLOAD_TOKENS=f"anna:{'0' * 64}")
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(connect(server))
            connection.sendall(head("POST", "/uploads/?filename=a", Content_Length=SIZE) + BLOCK)
            assert read_answer(connection).status == 403
        assert call(server, "GET", "/healthz", timeout=20).status == 200


def test_a_client_that_asks_first_is_refused_before_it_sends(wired: Server) -> None:
    request, status, _ = refusals("")["unknown upload"]
    with connect(wired) as connection:
        connection.sendall(request[:-2] + b"Expect: 100-continue\r\n\r\n")
        answer = read_answer(connection)
        # gunicorn says 100 Continue to every client that asks, before the app is called;
        # http.client passes over it.
        assert answer.status == status


def test_a_client_that_asks_first_is_told_to_go_on(wired: Server, upload_id: str) -> None:
    with connect(wired) as connection:
        connection.sendall(
            chunk_head(upload_id, Content_Length=len(DATA) - START, Expect="100-continue")
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(DATA[START:])
        assert read_answer(connection).json["offset"] == len(DATA)
