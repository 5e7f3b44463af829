"""Where bodies are read from: gunicorn's connection, counted as gunicorn counts it."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.wire.source import source_of

HEAD = b"PUT /first HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def environ(parser: Any, server: socket.socket) -> dict[str, Any]:
    return {"wsgi.input": next(parser).body, "gunicorn.socket": server}


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
        parser = RequestParser(Config(), server, ("127.0.0.1", 1))
        given_to_app = environ(parser, server)
        read = b"".join(given_to_app["wsgi.input"].readline() for _ in range(lines))
        source = source_of(given_to_app)
        while piece := source.read(data.draw(st.integers(1, 400_000))):
            read += piece
        assert read == body
        assert next(parser).path == "/next"
        thread.join()


def test_a_connection_that_ends_in_the_middle_gives_what_came(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    client.sendall(HEAD % 100 + b"x" * 60)
    source = source_of(environ(RequestParser(Config(), server, ("127.0.0.1", 1)), server))
    client.shutdown(socket.SHUT_WR)
    assert source.read(1000) == b"x" * 60
    assert source.read(1000) == b""


def test_a_large_body_comes_in_pieces_as_large_as_asked_for(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    size = 3 * 2**20
    thread = send(client, HEAD % size + bytes(size), [])
    source = source_of(environ(RequestParser(Config(), server, ("127.0.0.1", 1)), server))
    assert [len(source.read(2**20)) for _ in range(3)] == [2**20] * 3
    thread.join()


def test_another_stream_is_read_as_it_is(ends: tuple[socket.socket, socket.socket]) -> None:
    """A middleware has put its own in place of gunicorn's: what it counts must go through it."""
    _, server = ends
    source = source_of({"wsgi.input": io.BytesIO(b"abc"), "gunicorn.socket": server})
    assert (source.read(2), source.read(2), source.read(2)) == (b"ab", b"c", b"")


def test_a_connection_that_is_no_plain_socket_is_left_to_its_server(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """As those of TLS and gevent, whose bytes do not come from recv()."""

    class Wrapped(socket.socket):
        def recv(self, *arguments: Any) -> bytes:
            raise AssertionError("read past its server")

    client, server = ends
    client.sendall(HEAD % 3 + b"abc")
    given_to_app = environ(RequestParser(Config(), server, ("127.0.0.1", 1)), server)
    with Wrapped() as wrapped:
        source = source_of({**given_to_app, "gunicorn.socket": wrapped})
        assert source.read(10) == b"abc"


def test_a_broken_transfer_coding_is_a_broken_connection(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    client, server = ends
    client.sendall(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    source = source_of(environ(RequestParser(Config(), server, ("127.0.0.1", 1)), server))
    with pytest.raises(OSError, match="chunk size"):
        source.read(10)
