"""The machine's limits: MD5 of the same bytes, dd to the same disk, a server that only reads."""

from __future__ import annotations

import hashlib
import os
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
