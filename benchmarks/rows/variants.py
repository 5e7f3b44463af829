"""This server's own options against each other, and how it grows with workers and clients."""

from __future__ import annotations

from functools import partial

from ..contest import Bench, opened, take_turn
from ..load import KIB, MIB, Task
from ..peers.base import Contestant, Runner, Sample
from ..peers.ours import Ours
from ..results import Measured
from .base import Row
from .databases import postgresql


def _variants(bench: Bench, measured: Measured) -> None:
    big = Task(bench.size(normal=256 * MIB, long=512 * MIB), 8 * MIB)
    small = Task(bench.size(normal=16 * MIB, long=32 * MIB), 64 * KIB)
    many = Task(bench.size(normal=2 * MIB, long=4 * MIB), 64 * KIB)
    measured.setup = (
        f"one upload of {big.size // MIB} MiB in 8 MiB forms; one of {small.chunks} chunks of"
        f" 64 KiB; 16 clients with {many.chunks} such chunks each; {bench.turns}"
    )
    bench.need(big.size)

    def work(runner: Runner) -> Sample:
        single = runner.run(bench.payload, big)
        runner.clean()
        little = runner.run(bench.payload, small)
        crowd = runner.run(bench.payload, many, clients=16)
        return {
            "speed": single["speed"],
            "cpu": single["cpu"],
            "rate": little["rate"],
            "crowd_rate": crowd["rate"],
        }

    with (
        postgresql(measured, 2) as (first, second),
        opened(bench, _ways(first, second), measured) as runners,
    ):
        for turn in range(bench.repetitions + 1):
            for key in list(runners):
                take_turn(runners, measured, key, work, count=turn > 0)


def _ways(first: str | None, second: str | None) -> list[Contestant]:
    """Return the default, and what differs from it in one thing or two."""
    ways: list[Contestant] = [
        Ours("default", "default: durable, MD5, SQLite, one worker"),
        Ours("not-durable", "not durable", durable=False),
        Ours("no-md5", "no MD5", checksum=""),
        Ours("neither", "not durable, no MD5", durable=False, checksum=""),
        Ours("two-workers", "two workers", workers=2),
        Ours("gunicorn", "plain gunicorn (gthread)", on="gunicorn"),
        Ours("gunicorn-two", "plain gunicorn, two workers", on="gunicorn", workers=2),
        Ours("granian", "Granian", on="granian"),
        Ours("granian-two", "Granian, two workers", on="granian", workers=2),
    ]
    if first and second:
        ways += [
            Ours("postgresql", "PostgreSQL", database=first),
            Ours("postgresql-two", "PostgreSQL, two workers", database=second, workers=2),
        ]
    return ways


#: Of which each is measured with each.
_WORKERS, _CLIENTS = (1, 2, 4), (1, 2, 4, 8, 16)


def _growth(bench: Bench, measured: Measured, task: Task) -> None:
    measured.setup = (
        f"{task.size // MIB} MiB each in chunks of {task.chunk // KIB:,} KiB, {bench.turns}"
    )
    workers = [Ours(f"{n}", f"{n} worker{'s' * (n > 1)}", workers=n) for n in _WORKERS]
    bench.need(16 * task.size)
    with opened(bench, workers, measured) as runners:
        titles = dict(measured.titles)
        measured.titles.clear()
        for key, title in titles.items():
            for clients in _CLIENTS:
                name = f"{key} with {clients}"
                measured.titles[name] = f"{title}, {clients} client{'s' * (clients > 1)}"
        for _ in range(bench.repetitions):
            for clients in _CLIENTS:
                for key in list(runners):
                    take_turn(
                        runners,
                        measured,
                        key,
                        partial(_run, bench=bench, task=task, clients=clients),
                        label=f"{key} with {clients}",
                    )


def _run(runner: Runner, *, bench: Bench, task: Task, clients: int) -> Sample:
    return runner.run(bench.payload, task, clients=clients)


def _growth_big(bench: Bench, measured: Measured) -> None:
    _growth(bench, measured, Task(bench.size(normal=32 * MIB, long=64 * MIB), 8 * MIB))


def _growth_small(bench: Bench, measured: Measured) -> None:
    _growth(bench, measured, Task(bench.size(normal=2 * MIB, long=4 * MIB), 64 * KIB))


ROWS = [
    Row(
        "variants",
        "This server's options",
        "Each line differs from the default in what it names.",
        _variants,
        metrics=("speed", "cpu", "rate", "crowd_rate"),
        baseline=None,
        extents=("long",),
    ),
    Row(
        "growth",
        "Workers and clients, 8 MiB chunks",
        "Durable, SQLite; the sum of all clients.",
        _growth_big,
        metrics=("speed",),
        baseline=None,
        extents=("long",),
    ),
    Row(
        "growth-small",
        "Workers and clients, 64 KiB chunks",
        "Durable, SQLite; the sum of all clients.",
        _growth_small,
        metrics=("rate",),
        baseline=None,
        extents=("long",),
    ),
]
