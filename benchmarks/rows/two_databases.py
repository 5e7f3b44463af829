"""PostgreSQL beside SQLite: what a small chunk costs with each when many clients send."""

from __future__ import annotations

from ..contest import Bench, contest
from ..load import KIB, MIB, Task
from ..peers.ours import Ours
from ..results import Measured
from .base import Row
from .databases import postgresql

_CLIENTS = 16


def _crowd(bench: Bench, measured: Measured) -> None:
    task = Task(bench.size(normal=4 * MIB, long=16 * MIB), 64 * KIB)
    measured.setup = (
        f"{_CLIENTS} clients with {task.chunks:,} chunks each, two workers, {bench.turns}"
    )
    contestants = [Ours("sqlite", "SQLite", workers=2)]
    with postgresql(measured, 1) as (database,):
        if database is not None:
            contestants.append(Ours("postgresql", "PostgreSQL", database=database, workers=2))
        contest(bench, measured, contestants, task, clients=_CLIENTS)


ROWS = [
    Row(
        "two-databases",
        "PostgreSQL beside SQLite: 64 KiB chunks, 16 clients",
        "Durable, and both databases sync every commit. PostgreSQL shares the two processors with"
        " the server and the clients; the processor time shown is the server's alone.",
        _crowd,
        metrics=("rate", "cpu"),
        baseline="postgresql",
    ),
]
