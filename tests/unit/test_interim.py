"""Interim responses: advice that never fails, waits or says what it should not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.http.wire.interim import send_interim


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, server = socket.socketpair()
    with client, server:
        client.setblocking(False)
        yield client, server


def environ(server: socket.socket | None, protocol: str = "HTTP/1.1") -> dict[str, Any]:
    return {"gunicorn.socket": server, "SERVER_PROTOCOL": protocol}


def send(server: socket.socket | None, **headers: str) -> bool:
    return send_interim(environ(server), 104, "Upload Resumption Supported", headers)


def test_what_is_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    client, server = ends
    assert send(server, Location="/a", Other="ü")
    told = client.recv(1000)
    assert told == (
        b"HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /a\r\nOther: \xfc\r\n\r\n"
    )


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", ""])
def test_other_protocols_get_none(ends: tuple[socket.socket, socket.socket], protocol: str) -> None:
    client, server = ends
    assert not send_interim(environ(server, protocol), 104, "OK", {})
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_a_server_that_gives_no_socket_sends_none() -> None:
    assert not send(None)


def test_a_client_that_has_left_is_no_error(ends: tuple[socket.socket, socket.socket]) -> None:
    client, server = ends
    client.close()
    for _ in range(3):
        send(server)
    assert not send(server)
    server.close()
    assert not send(server)


def test_a_client_that_reads_nothing_is_not_waited_for(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """Neither in full nor in part: the next response must begin at the beginning of a line."""
    client, server = ends
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sent = sum(send(server, Location=str(number)) for number in range(10_000))
    assert 0 < sent < 10_000
    told = b""
    while len(told) < sent:
        try:
            told += client.recv(65536)
        except BlockingIOError:
            break
    assert told.count(b"HTTP/1.1 104 ") == sent
    assert told.endswith(b"\r\n\r\n")


@given(
    name=st.text(max_size=5) | st.sampled_from(["A\r\nB", "A:", "A B", "Ä", ""]),
    value=st.text(max_size=5) | st.sampled_from(["a\r\nB: c", "a\n", "\0", "a\r", "\x7f", "€"]),
)
def test_nothing_that_ends_a_line_is_sent(name: str, value: str) -> None:
    client, server = socket.socketpair()
    with client, server:
        sent = send_interim(environ(server), 104, "OK", {name: value})
        server.shutdown(socket.SHUT_WR)
        told = client.recv(65536)
    assert told.count(b"\n") == (3 if sent else 0)
    assert told.count(b"\r") == (3 if sent else 0)
    assert sent == bool(told)


def test_a_reason_is_not_trusted_either(ends: tuple[socket.socket, socket.socket]) -> None:
    assert not send_interim(environ(ends[1]), 104, "OK\r\nEvil: 1", {})
