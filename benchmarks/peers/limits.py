"""Limits: MD5 of the same bytes, dd to the same disk, a server that only reads, the least view."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from ..load import MIB, Dialect, Frame, Payload, Task, Timing
from ..process import Service
from ..wire import Reply, expect, head
from ..workshop import REPOSITORY, Workshop
from .base import Contestant, Peer, Runner, Sample, measured
from .chunked import ChunkedForms
from .granian import on_granian


class MD5(Contestant):
    """``hashlib.md5`` over the bytes in memory, on one core."""

    key = "md5"
    title = "MD5 alone (hashlib, one core)"

    def prepare(self, workshop: Workshop) -> None:
        pass

    def open(self, place: Path) -> Runner:
        return _MD5Runner()


class _MD5Runner(Runner):
    def run(self, payload: Payload, task: Task, *, clients: int = 1) -> Sample:
        digest = hashlib.md5(usedforsecurity=False)
        begun = time.monotonic()
        for start in range(0, task.size, MIB):
            for piece in payload.pieces(start, min(start + MIB, task.size)):
                digest.update(piece)
        return measured(Timing(begun, time.monotonic()), task, clients=1)


class Dd(Contestant):
    """``dd`` to the disk that the uploads go to, with blocks of the chunks' size.

    :param synced: each block on stable storage before the next is written (``oflag=dsync``).
    """

    def __init__(self, *, synced: bool = False) -> None:
        self._synced = synced
        self.key = "dd-dsync" if synced else "dd"
        self.title = "dd, every block synced" if synced else "dd"

    def prepare(self, workshop: Workshop) -> None:
        workshop.program("dd", install="coreutils")

    def open(self, place: Path) -> Runner:
        place.mkdir(parents=True, exist_ok=True)
        return _DdRunner(place / "dd", synced=self._synced)


class _DdRunner(Runner):
    def __init__(self, target: Path, *, synced: bool) -> None:
        self._target = target
        self._flags = ["oflag=dsync"] if synced else []

    def run(self, payload: Payload, task: Task, *, clients: int = 1) -> Sample:
        block, count = task.chunk, task.size // task.chunk
        command = ["dd", "if=/dev/zero", f"of={self._target}", f"bs={block}", f"count={count}"]
        begun = time.monotonic()
        subprocess.run([*command, *self._flags], check=True, stderr=subprocess.DEVNULL)
        return measured(Timing(begun, time.monotonic()), task, clients=1)

    def clean(self) -> None:
        self._target.unlink(missing_ok=True)


class Puts(Dialect):
    """Raw bodies, the upload's name and the offset in the path."""

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        name = state or secrets.token_hex(8)
        return Frame(head("PUT", f"/{name}/{start}", {"Content-Length": size}))

    def taken(self, reply: Reply, state: str) -> str:
        return str(expect(reply, 200).json["name"])


class LeastFlask(Peer):
    """What Flask on this server's WSGI server leaves room for.

    :param verifies: hashes and records each chunk, instead of writing it and nothing else.
    """

    def __init__(self, *, verifies: bool, workers: int = 1) -> None:
        super().__init__(workers=workers)
        self._verifies = verifies
        self.key = "least-flask"
        self.title = "limit: the least Flask view on Granian that " + (
            "writes, hashes and records, and checks nothing" if verifies else "writes"
        )

    def prepare(self, workshop: Workshop) -> None:
        pass

    def dialect(self) -> Dialect:
        return Puts()

    def service(self, place: Path, files: Path) -> Service:
        return on_granian(
            Path(sys.executable).parent,
            "least_flask_site:app",
            workers=self.workers,
            place=place,
            environment={
                "BENCH_FILES": str(files),
                "BENCH_VERIFIES": "1" if self._verifies else "0",
            },
        )


class LeastProtocol(Peer):
    """What Flask leaves room for when forms are read and the guarantees kept, unsynced."""

    key = "least-protocol"
    title = (
        "limit: the least Flask view on Granian that takes forms,"
        " looks up, leases, writes, hashes and records"
    )

    def prepare(self, workshop: Workshop) -> None:
        pass

    def dialect(self) -> Dialect:
        return ChunkedForms()

    def service(self, place: Path, files: Path) -> Service:
        return on_granian(
            Path(sys.executable).parent,
            "least_protocol_site:app",
            workers=self.workers,
            place=place,
            environment={"BENCH_FILES": str(files)},
        )


class LeastLoop(Peer):
    """What Python leaves room for, were there nothing but the bytes."""

    key = "least-loop"
    title = "limit: a loop that receives, searches, writes and hashes, and nothing else"

    def prepare(self, workshop: Workshop) -> None:
        pass

    def versions(self) -> Mapping[str, str]:
        return {"python": sys.version.split()[0]}

    def dialect(self) -> Dialect:
        return ChunkedForms()

    def service(self, place: Path, files: Path) -> Service:
        return Service(
            [sys.executable, "-m", "benchmarks.apps.least_loop", "{port}"],
            directory=place,
            environment={"PYTHONPATH": os.fspath(REPOSITORY), "BENCH_FILES": str(files)},
        )


class Posts(Dialect):
    """Raw bodies to anything that answers 200."""

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        return Frame(head("POST", "/", {"Content-Length": size}))

    def taken(self, reply: Reply, state: str) -> str:
        expect(reply, 200)
        return state


class Sink(Peer):
    """A server that reads and drops: the load generator's own limit."""

    key = "sink"
    title = "the load generator alone (a server that reads and drops)"
    stores = False

    def prepare(self, workshop: Workshop) -> None:
        pass

    def versions(self) -> Mapping[str, str]:
        return {"python": sys.version.split()[0]}

    def dialect(self) -> Dialect:
        return Posts()

    def service(self, place: Path, files: Path) -> Service:
        return Service(
            [sys.executable, "-m", "benchmarks.apps.sink", "{port}", str(self.workers)],
            directory=place,
            environment={"PYTHONPATH": os.fspath(REPOSITORY)},
        )
