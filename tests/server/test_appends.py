"""Appends of the offset dialects, on real servers: what arrived is kept, a newcomer takes over."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.server import tus
from tests.server.client import (
    call,
    chunked,
    complete,
    connect,
    content_range,
    create,
    head,
    read_answer,
    state,
)
from tests.server.conftest import OTHERS, other_server
from tests.server.test_stalls import read_to_the_end
from tests.server.test_wire import half_close, reset, stall_then_close
from tests.server.waiting import eventually, until_read
from tests.support import postgres
from tests.support.server import Server

DATA = bytes(range(256)) * 4000
ARRIVED = 500_000

Cut = Callable[[socket.socket], None]

#: What a server may hold back of a body that breaks: of one with a length, and with a coding.
HELD_BACK = {"gunicorn": (1023, 65_536)}


@pytest.fixture(scope="module", params=["bundled", *OTHERS])
def wired(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Each server, for all tests of this module."""
    directory = tmp_path_factory.mktemp("server")
    other = request.param in OTHERS
    with other_server(directory, request.param) if other else Server(directory) as server:
        yield server


@pytest.fixture
def held_back(request: pytest.FixtureRequest, wired: Server) -> tuple[int, int]:
    """What the server may hold back."""
    return HELD_BACK.get(request.node.callspec.params["wired"], (0, 0))


def assert_continues(server: Server, upload_id: str, *, at_least: int = ARRIVED) -> None:
    """The upload stands where its bytes end, takes the rest from there, and is then right."""
    offset = tus.offset(server, upload_id)
    assert at_least <= offset <= max(at_least, ARRIVED)
    assert tus.patch(server, upload_id, DATA[offset:], offset).status == 204
    assert call(server, "GET", f"/uploads/tus/{upload_id}").body == DATA


# A request that breaks off


@pytest.mark.parametrize("cut", [half_close, reset, stall_then_close])
def test_what_arrived_of_a_body_that_is_cut_off_is_kept(
    wired: Server, held_back: tuple[int, int], cut: Cut
) -> None:
    upload_id = tus.create(wired, len(DATA))
    with connect(wired) as client:
        client.sendall(tus.patch_head(upload_id, 0, Content_Length=len(DATA)) + DATA[:ARRIVED])
        until_read(client)
        cut(client)
        eventually(lambda: state(wired, upload_id)["offset"] > 0)
    assert_continues(wired, upload_id, at_least=ARRIVED - held_back[0])


@pytest.mark.parametrize("cut", [half_close, reset, stall_then_close])
def test_what_arrived_of_a_chunked_body_that_is_cut_off_is_kept(
    wired: Server, held_back: tuple[int, int], cut: Cut
) -> None:
    upload_id = tus.create(wired, len(DATA))
    with connect(wired) as client:
        client.sendall(tus.patch_head(upload_id, 0, Transfer_Encoding="chunked"))
        client.sendall(chunked(DATA[:ARRIVED], end=False))
        until_read(client)
        cut(client)
        eventually(lambda: state(wired, upload_id)["offset"] > 0)
    assert_continues(wired, upload_id, at_least=ARRIVED - held_back[1])


def test_what_arrived_before_the_idle_limit_is_kept(make_server: Callable[..., Server]) -> None:
    server = make_server(CHUNKED_UPLOAD_IDLE_TIMEOUT="1")
    upload_id = tus.create(server, len(DATA))
    with tus.hanging(server, upload_id, DATA[:ARRIVED], declared=len(DATA)):
        eventually(lambda: state(server, upload_id)["offset"] == ARRIVED)
    assert_continues(server, upload_id)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_arrived_before_the_server_is_told_to_stop_is_kept(
    make_server: Callable[..., Server], number: int
) -> None:
    server = make_server(GRACE="1")
    upload_id = tus.create(server, len(DATA))
    with tus.hanging(server, upload_id, DATA[:ARRIVED], declared=len(DATA)):
        server.terminate(number)
        server.wait()
    server.start()
    assert_continues(server, upload_id)


def test_a_killed_server_costs_no_more_than_was_not_recorded_yet(
    make_server: Callable[..., Server],
) -> None:
    """A long request's progress is recorded on the way: here after a second."""
    server = make_server()
    upload_id = tus.create(server, len(DATA))
    with tus.hanging(server, upload_id, DATA[:ARRIVED], declared=len(DATA)) as client:
        time.sleep(1.1)
        client.sendall(DATA[ARRIVED : ARRIVED + 1000])
        eventually(lambda: state(server, upload_id)["offset"] == ARRIVED + 1000)
        client.sendall(DATA[ARRIVED + 1000 : ARRIVED + 2000])
        server.kill()
    server.start()
    kept = state(server, upload_id)["offset"]
    assert kept >= ARRIVED + 1000
    assert_continues(server, upload_id, at_least=kept)


# A request that hangs


@pytest.fixture(
    scope="module",
    params=["the same worker", "another worker", "another server", "another server, postgresql"],
)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """The server of the older request and that of the newcomer."""
    place = tmp_path_factory.mktemp("first")
    environment = {"WORKERS": "4" if request.param == "another worker" else "1"}
    if "postgresql" in request.param:
        cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
        environment["CHUNKED_UPLOAD_DATABASE_URI"] = cluster.fresh_database()
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Server(place, environment))
        second = first
        if "server" in request.param:
            environment["CHUNKED_UPLOAD_INSTANCE"] = str(first.instance)
            second = Server(tmp_path_factory.mktemp("second"), environment)
            second.instance = first.instance
            stack.enter_context(second)
        yield first, second


@pytest.fixture
def older(pair: tuple[Server, Server]) -> Iterator[tuple[str, socket.socket]]:
    """An upload, and the connection of a PATCH that hangs in its middle."""
    upload_id = tus.create(pair[0], len(DATA))
    with tus.hanging(pair[0], upload_id, DATA[:ARRIVED], declared=len(DATA)) as client:
        yield upload_id, client


def assert_older_is_out(client: socket.socket, rest: bytes = b"older") -> None:
    """The older request writes nothing more, and is told that it is too late."""
    with contextlib.suppress(ConnectionError):
        client.sendall(rest)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(65536).split()[1:2] in ([], [b"409"])


def test_an_offset_that_is_asked_for_is_accepted_next(
    pair: tuple[Server, Server], older: tuple[str, socket.socket]
) -> None:
    upload_id, client = older
    assert tus.offset(pair[1], upload_id) == ARRIVED
    client.sendall(b"older" * 1000)
    assert tus.patch(pair[1], upload_id, DATA[ARRIVED:-1], ARRIVED).status == 204
    assert_older_is_out(client)
    assert_continues(pair[1], upload_id, at_least=len(DATA) - 1)


def test_an_append_takes_over_from_an_older_one(
    pair: tuple[Server, Server], older: tuple[str, socket.socket]
) -> None:
    upload_id, client = older
    assert tus.patch(pair[1], upload_id, DATA[ARRIVED:-1], ARRIVED).status == 204
    assert_older_is_out(client)
    assert_continues(pair[1], upload_id, at_least=len(DATA) - 1)


def test_an_append_with_the_offset_before_the_older_one_is_told_what_arrived(
    pair: tuple[Server, Server], older: tuple[str, socket.socket]
) -> None:
    upload_id, client = older
    refused = tus.patch(pair[1], upload_id, DATA, 0)
    assert (refused.status, refused.headers["Upload-Offset"]) == (409, str(ARRIVED))
    assert_older_is_out(client)
    assert_continues(pair[1], upload_id)


def test_who_asks_for_progress_disturbs_nobody(
    pair: tuple[Server, Server], older: tuple[str, socket.socket]
) -> None:
    upload_id, client = older
    for _ in range(3):
        assert state(pair[1], upload_id)["offset"] <= ARRIVED
    client.sendall(DATA[ARRIVED:])
    assert read_answer(client).status == 204
    assert call(pair[1], "GET", f"/uploads/tus/{upload_id}").body == DATA


def test_a_chunk_of_a_chunk_dialect_is_left_alone(pair: tuple[Server, Server]) -> None:
    """Its bytes count whole or not at all, so nothing could be kept of it."""
    first, second = pair
    upload_id = create(first, DATA[:1000], len(DATA))
    span = content_range(1000, DATA[1000:], len(DATA))["Content-Range"]
    size = len(DATA) - 1000
    with connect(first) as client:
        client.sendall(
            head("PUT", f"/uploads/{upload_id}", Content_Length=size, Content_Range=span)
            + DATA[1000:ARRIVED]
        )
        time.sleep(0.2)
        assert tus.offset(second, upload_id) == 1000
        client.sendall(DATA[ARRIVED:])
        answer = read_answer(client)
    assert (answer.status, answer.json["offset"]) == (200, len(DATA))
    assert complete(second, upload_id, DATA).status == 200


# Refused before it is sent


def refusals(upload_id: str) -> dict[str, tuple[bytes, int]]:
    """Requests of both dialects that are refused by their head, and the status."""
    size: dict[str, str | int] = {"Content_Length": 1000, "Expect": "100-continue"}
    tus_create: dict[str, str | int] = {
        "Tus_Resumable": "1.0.0",
        "Content_Type": "application/offset+octet-stream",
    }
    append: dict[str, str | int] = {
        "Upload_Complete": "?0",
        "Content_Type": "application/partial-upload",
    }
    return {
        "tus, another offset": (tus.patch_head(upload_id, 5, **size), 409),
        "tus, unknown upload": (tus.patch_head("0" * 32, 0, **size), 404),
        "tus, beyond the length": (
            tus.patch_head(upload_id, 0, **{**size, "Content_Length": 2 * len(DATA)}),
            413,
        ),
        "tus, creation without a length": (
            head("POST", "/uploads/tus/", **tus_create, **size),
            400,
        ),
        "resumable, another offset": (
            head("PATCH", f"/uploads/{upload_id}", Upload_Offset=5, **append, **size),
            409,
        ),
        "resumable, no offset": (head("PATCH", f"/uploads/{upload_id}", **append, **size), 400),
        "resumable, inconsistent lengths": (
            head("POST", "/uploads/", Upload_Complete="?1", Upload_Length=7, **size),
            400,
        ),
    }


def test_the_body_of_a_refused_request_is_never_asked_for(server: Server) -> None:
    """RFC 9110 10.1.1, by the bundled server."""
    upload_id = tus.create(server, len(DATA))
    for kind, (request, status) in refusals(upload_id).items():
        with connect(server) as client:
            client.sendall(request)
            said = read_to_the_end(client)
        assert said.startswith(f"HTTP/1.1 {status} ".encode()), (kind, said[:300])
        assert said.count(b"HTTP/1.1 ") == 1, kind
