"""Getting a completed file back."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from ..contest import Bench, opened, take_turn
from ..load import MIB, begin, send_chunk
from ..peers.base import Runner, Sample, ServerRunner
from ..peers.nginx import Nginx
from ..peers.ours import Ours
from ..peers.tus_node import TusNode
from ..results import Measured
from ..wire import Wire, expect, head
from .base import Row, ours_durable


def _download(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=512 * MIB, long=1024 * MIB)
    measured.setup = f"{size // MIB:,} MiB, one client, one worker, {bench.turns}"
    bench.need(3 * size)
    contestants = [
        ours_durable(),
        Ours("ours-granian", "chunked-upload on Granian", on="granian"),
        Nginx("nginx", "nginx, GET"),
        TusNode(),
    ]
    with opened(bench, contestants, measured) as runners:
        targets = {}
        for key, runner in runners.items():
            assert isinstance(runner, ServerRunner)
            targets[key] = store(runner, bench, size)
        for turn in range(bench.repetitions + 1):
            for key in list(runners):
                take_turn(
                    runners,
                    measured,
                    key,
                    partial(fetch, target=targets[key], size=size),
                    count=turn > 0,
                    clean=False,
                )


def store(runner: ServerRunner, bench: Bench, size: int) -> str:
    """Upload a file and return the path of its URL."""
    dialect = runner.dialect
    with Wire(runner.service.port) as wire:
        state = begin(dialect, wire, size)
        state = send_chunk(dialect, wire, bench.payload, state, 0, size, size)
        last = dialect.complete(state, bench.payload.digest(size, dialect.checksum))
        if last:
            expect(wire.ask(last.head, [last.before]), 200)
            return f"/uploads/{state}/file"
    return state or _only_file(runner.files)


def _only_file(files: Path) -> str:
    (found,) = (path for path in files.rglob("*") if path.is_file())
    return f"/{found.relative_to(files)}"


def fetch(runner: Runner, *, target: str, size: int) -> Sample:
    """Download a file and drop it."""
    assert isinstance(runner, ServerRunner)
    service = runner.service
    before = service.cpu_seconds()
    begun = time.monotonic()
    with Wire(service.port) as wire:
        reply = expect(wire.ask(head("GET", target, {}), keep_body=False), 200)
    seconds = time.monotonic() - begun
    assert reply.length == size, reply
    spent = service.cpu_seconds() - before
    return {"speed": size / MIB / seconds, "cpu": spent * 1024 * MIB / size}


ROWS = [
    Row(
        "download",
        "Download of a completed file",
        "From the page cache, as raw bytes with Content-Length.",
        _download,
        metrics=("speed", "cpu"),
        baseline="ours-durable",
    ),
]
