"""The load generator: what it sends is what servers take, what it reads is all of a reply."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.contest import Bench, contest
from benchmarks.load import KIB, MIB, Frame, Payload, Task, run
from benchmarks.peers.chunked import ChunkedForms, ChunkedRaw
from benchmarks.peers.limits import MD5, Sink
from benchmarks.peers.ours import Ours
from benchmarks.peers.tus import Tus
from benchmarks.peers.tusd import Tusd
from benchmarks.results import Measured
from benchmarks.wire import LoadError, Wire, head, send_all
from benchmarks.workshop import Unavailable, Workshop
from tests.support.server import Server


@pytest.fixture
def payload() -> Payload:
    """A payload that repeats often."""
    return Payload(span=96 * KIB)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """This server, which checks what it is sent."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@contextmanager
def answering(*replies: list[bytes]) -> Iterator[int]:
    """Serve one connection per reply, sending the reply in these pieces; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for pieces in replies:
                connection, _ = listening.accept()
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.recv(65536)
                    for piece in pieces:
                        connection.sendall(piece)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield listening.getsockname()[1]
        serving.join(60)


def files(server: Server) -> list[bytes]:
    """Return the completed files."""
    return [
        path.read_bytes()
        for path in server.root.rglob("*")
        if path.is_file() and ".incoming" not in path.parts
    ]


def test_a_payload_repeats_without_a_seam(payload: Payload) -> None:
    whole = b"".join(payload.pieces(0, 300 * KIB))
    assert len(whole) == 300 * KIB
    assert whole[: 96 * KIB] == whole[96 * KIB : 192 * KIB]
    assert b"".join(payload.pieces(90 * KIB, 200 * KIB)) == whole[90 * KIB : 200 * KIB]


def test_a_payload_knows_the_md5_of_every_prefix(payload: Payload) -> None:
    whole = b"".join(payload.pieces(0, 300 * KIB))
    for size in (200 * KIB, 300 * KIB, 10, 250 * KIB):
        assert payload.digest(size) == hashlib.md5(whole[:size]).hexdigest()


@pytest.mark.parametrize("dialect", [ChunkedForms(), ChunkedRaw()], ids=["form", "raw"])
def test_uploads_arrive_as_they_were_sent(
    dialect: ChunkedForms, server: Server, payload: Payload
) -> None:
    before = len(files(server))
    # The last chunk is shorter; the server compares the MD5.
    task = Task(size=200 * KIB, chunk=64 * KIB, uploads=2)
    timing = run(dialect, server.port, payload, task)
    assert task.chunks == 8
    assert len(timing.completions) == 2
    assert timing.begun < timing.ended
    arrived = files(server)
    assert len(arrived) == before + 2
    assert b"".join(payload.pieces(0, 200 * KIB)) in arrived


def test_tus_uploads_arrive_as_they_were_sent(server: Server, payload: Payload) -> None:
    before = len(files(server))
    size = 200 * KIB + 1
    timing = run(Tus("/uploads/tus/"), server.port, payload, Task(size, chunk=64 * KIB))
    assert timing.completions == [], "the last PATCH completes the upload"
    arrived = files(server)
    assert len(arrived) == before + 1
    assert b"".join(payload.pieces(0, size)) in arrived


@pytest.mark.parametrize(("named", "reason"), [("", "set TUSD"), ("/no/program", "names no")])
def test_tusd_takes_part_where_its_program_is_named(
    named: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUSD", named)
    with pytest.raises(Unavailable, match=reason):
        Tusd().prepare(Workshop())


def test_clients_upload_at_once(server: Server, payload: Payload) -> None:
    timing = run(ChunkedForms(), server.port, payload, Task(128 * KIB, 64 * KIB), clients=3)
    assert len(timing.completions) == 3


def test_a_refusal_voids_the_measurement(server: Server, payload: Payload) -> None:
    class Wrong(ChunkedForms):
        def complete(self, state: str, md5: str) -> Frame | None:
            return super().complete(state, "0" * 32)

    for clients in (1, 2):
        with pytest.raises(LoadError, match=r"expected 200, got 400: .*checksum does not match"):
            run(Wrong(), server.port, payload, Task(KIB, KIB), clients=clients)


def test_contestants_take_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(tmp_path, repetitions=2)
    measured = Measured("row")
    contest(bench, measured, [Sink(), MD5()], Task(MIB, 256 * KIB))
    assert {key: len(runs) for key, runs in measured.samples.items()} == {"sink": 2, "md5": 2}
    assert measured.values("sink", "cpu")
    assert measured.skipped == {}
    assert list(tmp_path.iterdir()) == []
    turns = [line.split()[1] for line in capsys.readouterr().err.splitlines() if "speed" in line]
    assert turns == ["sink:", "md5:", "md5:", "sink:"]


def test_pieces_are_sent_whole_whatever_the_kernel_takes() -> None:
    here, there = socket.socketpair()
    pieces: list[bytes | memoryview] = [b"", b"a" * 300_000, memoryview(b"b" * 5), b"", b"c" * 7]
    expected = b"".join(bytes(piece) for piece in pieces)
    got = bytearray()

    def read() -> None:
        while data := there.recv(4096):
            got.extend(data)

    with there:
        reader = threading.Thread(target=read)
        reader.start()
        with here:
            send_all(here, pieces)
        reader.join(60)
    assert bytes(got) == expected


REPLIES = {
    "a length": ([b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nhe", b"llo"], b"hello"),
    "chunks": (
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe",
            b"\r\n3\r\nllo\r\n0\r\n\r\n",
        ],
        b"hello",
    ),
    "the end": ([b"HTTP/1.0 200 OK\r\n\r\nhe", b"llo"], b"hello"),
    "no content": ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_a_reply_is_read_to_its_end(kind: str) -> None:
    pieces, body = REPLIES[kind]
    with answering(pieces) as port, Wire(port) as wire:
        assert wire.ask(head("GET", "/", {})).body == body


def test_a_reply_to_head_has_no_body() -> None:
    with answering([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]) as port, Wire(port) as wire:
        assert wire.ask(head("HEAD", "/", {})).length == 0


def test_a_connection_that_the_server_closes_is_opened_again() -> None:
    reply = [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"]
    with answering(reply, reply) as port, Wire(port) as wire:
        assert [wire.ask(head("GET", "/", {})).status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (b"", "hung up instead of replying"),
        (b"SSH-2.0\r\n\r\n", "not an HTTP reply"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "4 bytes are missing"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "nobody asked for"),
    ],
)
def test_what_is_no_reply_voids_the_measurement(reply: bytes, complaint: str) -> None:
    with answering([reply]) as port, Wire(port) as wire, pytest.raises(LoadError, match=complaint):
        wire.ask(head("GET", "/", {}))


def test_a_body_can_be_dropped_and_is_counted() -> None:
    reply = [b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n", bytes(3_000_000)]
    with answering(reply) as port, Wire(port) as wire:
        got = wire.ask(head("GET", "/", {}), keep_body=False)
    assert (got.length, got.body) == (3_000_000, b"")


def test_who_does_not_store_what_it_is_sent_takes_no_part(tmp_path: Path) -> None:
    class Forgetful(Sink):
        stores = True

    measured = Measured("row")
    contest(Bench(tmp_path), measured, [Forgetful()], Task(4 * KIB, KIB))
    assert measured.skipped == {"sink": "of 4096 bytes that were sent it has stored 0"}
    assert measured.samples == {}


def test_a_published_command_tells_settings_and_no_paths(tmp_path: Path) -> None:
    ours = Ours("ours", "ours", durable=False, workers=2)
    command = ours.service(tmp_path, tmp_path / "files").command
    assert command == "CHUNKED_UPLOAD_DURABLE=0 WORKERS=2 chunked-upload serve --port PORT"
