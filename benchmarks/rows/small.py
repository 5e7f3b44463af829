"""Small chunks, and many clients: what a request costs, and how clients get in each other's way."""

from __future__ import annotations

from ..contest import Bench, contest
from ..load import KIB, MIB, Task
from ..peers.limits import LeastFlask, LeastProtocol, Sink
from ..results import Measured
from .base import Row, ours, ours_durable, peers

_SMALL = 64 * KIB
_CLIENTS = 16


def _single(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=32 * MIB, long=64 * MIB)
    measured.setup = f"{size // _SMALL:,} chunks, one client, one worker, {bench.turns}"
    contestants = [
        *(ours(), ours_durable(), *peers()),
        *(LeastFlask(verifies=True), LeastProtocol(), Sink()),
    ]
    contest(bench, measured, contestants, Task(size, _SMALL))


def _crowd(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=4 * MIB, long=16 * MIB)
    measured.setup = (
        f"{_CLIENTS} clients with {size // _SMALL:,} chunks each, two workers, {bench.turns}"
    )
    _contest_of_two_workers(bench, measured, Task(size, _SMALL))


def _big_crowd(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=16 * MIB, long=64 * MIB)
    measured.setup = f"{_CLIENTS} uploads of {size // MIB} MiB, two workers, {bench.turns}"
    _contest_of_two_workers(bench, measured, Task(size, 8 * MIB))


def _contest_of_two_workers(bench: Bench, measured: Measured, task: Task) -> None:
    contestants = [
        *(ours(workers=2), ours_durable(workers=2)),
        *peers(workers=2),
        *(LeastFlask(verifies=True, workers=2), Sink(workers=2)),
    ]
    if task.chunk == _SMALL:
        contestants.append(LeastProtocol(workers=2))
    contest(bench, measured, contestants, task, clients=_CLIENTS)


ROWS = [
    Row(
        "small",
        "64 KiB chunks, one client",
        "What a chunk costs besides its bytes. Creation and completion are included.",
        _single,
        metrics=("rate", "complete", "cpu"),
    ),
    Row(
        "small-crowd",
        "64 KiB chunks, 16 clients",
        "The same for many at once, each with an upload of its own. resumable-upload's server has"
        " one process only.",
        _crowd,
        metrics=("rate", "complete", "cpu"),
    ),
    Row(
        "crowd",
        "16 uploads at once, 8 MiB chunks",
        "The sum of all clients, from the first one's begin to the last one's end.",
        _big_crowd,
        metrics=("speed", "complete", "cpu"),
    ),
]
