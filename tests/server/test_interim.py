"""What an app reads and says while a request is under way, under each server that lets it.

Interim responses, bytes of a client that stalls, trailers, and ``Expect: 100-continue``.
"""

from __future__ import annotations

import hashlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.client import Heads, chunked, connect, head
from tests.server.conftest import PROJECT
from tests.support.server import Server, measured

#: Commands, and the most bytes of a silent client that each holds back.
BUNDLED, GTHREAD, SYNC, WERKZEUG = "bundled", "gthread", "sync", "werkzeug"
WORKERS = {BUNDLED: "chunked_upload.worker.UploadWorker", GTHREAD: "gthread", SYNC: "sync"}
HOLDS_BACK = {BUNDLED: 0, GTHREAD: 1023, SYNC: 1023, WERKZEUG: 0}

#: At the beginning a large buffer is asked for.
DATA = bytes(range(256)) * 4000


def serve(place: Path, name: str) -> Server:
    command = [sys.executable, "-m", "tests.server.wire_app", "{port}"]
    if name in WORKERS:
        command = [
            *(sys.executable, "-m", "gunicorn", "-k", WORKERS[name], "--threads", "4"),
            *("--no-control-socket", "-b", "127.0.0.1:{port}", "tests.server.wire_app:app"),
        ]
    return Server(place, {**measured(), "PYTHONPATH": str(PROJECT)}, command)


@pytest.fixture(scope="module", params=list(HOLDS_BACK))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server"), request.param) as server:
        server.name = request.param  # type: ignore[attr-defined]
        yield server


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server"), BUNDLED) as server:
        yield server


# Interim responses


def test_an_interim_response_comes_before_the_body_is_sent(served: Server) -> None:
    with connect(served) as client:
        heads = Heads(client)
        client.sendall(head("PATCH", "/", Content_Length=len(DATA)))
        status, headers = heads.next()
        assert (status, headers.items()) == (104, [("Location", "/uploads/1")])
        client.sendall(DATA)
        statuses, told = heads.final()
    assert set(statuses[:-1]) == {104}
    assert told["sent"]
    assert (told["ended"], told["received"]) == ("whole", len(DATA))
    assert told["sha256"] == hashlib.sha256(DATA).hexdigest()


def test_http_1_0_has_no_interim_responses(served: Server) -> None:
    """RFC 9110 15.2."""
    with connect(served) as client:
        client.sendall(b"PATCH / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde")
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert said.split()[1] == b"200"
    assert b" 104 " not in said
    assert json.loads(said.partition(b"\r\n\r\n")[2])["sent"] is False


def test_the_next_request_of_a_connection_is_answered_too(served: Server) -> None:
    with connect(served) as client:
        heads = Heads(client)
        for _ in range(1 if served.name in (SYNC, WERKZEUG) else 3):  # type: ignore[attr-defined]
            client.sendall(head("PATCH", "/", Content_Length=5) + b"abcde")
            statuses, told = heads.final()
            assert statuses == [104, 104, 200]
            assert told["received"] == 5


# What has arrived


def test_the_bytes_of_a_client_that_stalls_are_seen(served: Server) -> None:
    with connect(served) as client:
        heads = Heads(client)
        client.sendall(head("PATCH", "/", Content_Length=len(DATA)))
        for start, stop in [(0, 300_000), (300_000, 310_000), (310_000, 311_024)]:
            client.sendall(DATA[start:stop])
            heads.wait_for_offset(stop - HOLDS_BACK[served.name])  # type: ignore[attr-defined]
        client.shutdown(socket.SHUT_WR)
        _, told = heads.final()
    assert told["ended"] == "broken"
    assert told["received"] == 311_024
    assert told["sha256"] == hashlib.sha256(DATA[:311_024]).hexdigest()


@pytest.mark.parametrize("size", [1, 700, 65_536, 1_000_000])
def test_the_bytes_of_a_transfer_coding_that_stalls_are_seen(bundled: Server, size: int) -> None:
    sent = DATA[: 3 * size // 2 + 1]
    coded = chunked(sent, size, end=False)[: -2 if size > 1 else None]
    with connect(bundled) as client:
        heads = Heads(client)
        client.sendall(head("PATCH", "/", Transfer_Encoding="chunked") + coded)
        heads.wait_for_offset(len(sent))
        client.sendall((b"\r\n" if size > 1 else b"") + chunked(DATA[:50]))
        _, told = heads.final()
    assert told["sha256"] == hashlib.sha256(sent + DATA[:50]).hexdigest()


def test_a_client_that_sends_little_at_a_time_is_read_to_its_end(served: Server) -> None:
    with connect(served) as client:
        heads = Heads(client)
        client.sendall(head("PATCH", "/", Content_Length=5000))
        for start in range(0, 5000, 250):
            client.sendall(DATA[start : start + 250])
            time.sleep(0.03)
        _, told = heads.final()
    assert (told["ended"], told["received"]) == ("whole", 5000)


# Trailers


def send_trailers(server: Server, fields: str) -> tuple[int, dict[str, Any]]:
    with connect(server) as client:
        client.sendall(head("PATCH", "/", Transfer_Encoding="chunked"))
        client.sendall(chunked(b"abc", end=False) + f"0\r\n{fields}\r\n".encode("latin-1"))
        statuses, told = Heads(client).final()
        return statuses[-1], told


def test_trailers_come_after_the_body(bundled: Server) -> None:
    _, told = send_trailers(bundled, "Upload-Checksum: sha1 abc=\r\nX-Twice: 1\r\nx-twice: 2\r\n")
    assert told["keeps_trailers"]
    assert told["ended"] == "whole"
    assert told["trailers"] == {"upload-checksum": "sha1 abc=", "x-twice": "1,2"}


def test_a_body_without_trailers_has_none(bundled: Server) -> None:
    assert send_trailers(bundled, "")[1]["trailers"] == {}


@pytest.mark.parametrize("name", [GTHREAD, WERKZEUG])
def test_other_servers_drop_trailers(tmp_path: Path, name: str) -> None:
    with serve(tmp_path, name) as server:
        told = send_trailers(server, "Upload-Checksum: sha1 abc=\r\n")[1]
    assert not told["keeps_trailers"]
    assert told["trailers"] is None


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Host: other\r\n",
        "Authorization: Basic abc\r\n",
        "no colon\r\n",
        "Folded: a\r\n b\r\n",
        "Nul: a\0b\r\n",
        "Bare: a\n",
        "Long: " + 10_000 * "a" + "\r\n",
        200 * "Many: a\r\n",
        100_000 * "b" + ": a\r\n",
    ],
    ids=lambda fields: fields[:12].strip(),
)
def test_trailers_that_may_not_be_break_the_body(bundled: Server, fields: str) -> None:
    """RFC 9110 6.5.1, and the limits of headers."""
    _, told = send_trailers(bundled, fields)
    assert (told["ended"], told["received"], told["trailers"]) == ("broken", 3, {})


def test_a_trailer_never_becomes_a_header(bundled: Server) -> None:
    """A name with an underscore neither: it would be taken for another one."""
    _, told = send_trailers(bundled, "Upload_Checksum: a\r\nUpload-Offset: 7\r\n")
    assert told["trailers"] == {"upload-offset": "7"}


# Expect: 100-continue


@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT"])
@pytest.mark.parametrize("framing", [{"Content_Length": 5}, {"Transfer_Encoding": "chunked"}])
def test_a_refused_body_is_never_asked_for(
    bundled: Server, method: str, framing: dict[str, str | int]
) -> None:
    """RFC 9110 10.1.1."""
    with connect(bundled) as client:
        client.sendall(head(method, "/refused", Expect="100-continue", **framing))
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 404 ")
    assert said.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("method", ["PATCH", "POST"])
@pytest.mark.parametrize("coded", [False, True])
def test_other_interim_responses_leave_100_to_the_reading_of_the_body(
    bundled: Server, method: str, coded: bool
) -> None:
    framing = {"Transfer_Encoding": "chunked"} if coded else {"Content_Length": "5"}
    with connect(bundled) as client:
        heads = Heads(client)
        client.sendall(head(method, "/", Expect="100-continue", **framing))
        assert [heads.next()[0] for _ in range(2)] == [104, 100]
        client.sendall(chunked(b"abcde") if coded else b"abcde")
        statuses, told = heads.final()
    assert statuses == [104, 200]
    assert told["received"] == 5
