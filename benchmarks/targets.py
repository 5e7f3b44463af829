"""What must be reached, and whether it is: each target reads its figure out of the results.

A target names a row, takes a figure from it (figures.py), and says how far it may lie.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from .figures import (
    Figure,
    Lacking,
    completion_by_size,
    mb,
    ms,
    seconds,
    slowest_completion,
    times,
    value,
)
from .results import Measured, Results

#: Peers that record what has arrived, so that an upload can be resumed.
RESUMABLE = (
    "django-chunked-upload",
    "drf-chunked-upload",
    "@tus/server",
    "tuspyserver",
    "resumable-upload",
)
#: Those of them that are written in Python, but for the Django ones.
PYTHON = ("tuspyserver", "resumable-upload")
#: Peers that speak tus.
TUS = ("@tus/server", "tuspyserver", "resumable-upload", "tusd")
#: The naive view, which records nothing: not a peer in what matters, but a user might take it.
NAIVE = ("flask-gunicorn", "flask-granian")


@dataclass(frozen=True)
class Target:
    """One target.

    :param limit: the least value, or with ``most`` the greatest.
    :param ground: the figure of what does as little as possible, in the same run: how far anybody
        could get on this machine.
    """

    row: str
    what: str
    wanted: str
    limit: float
    figure: Callable[[Measured], Figure]
    most: bool = False
    ground: Callable[[Measured], Figure] | None = None

    def reached(self, figure: Figure) -> bool:
        """Tell whether the median is within the limit."""
        value = figure.spread.median
        return value <= self.limit if self.most else value >= self.limit


_BIG = "8 MiB forms, MD5 verified, completion included, not durable"
_DJANGO = "django-chunked-upload"

TARGETS = (
    Target(
        "big",
        _BIG,
        f"≥ 3× {_DJANGO}",
        3.0,
        times("ours", _DJANGO, "speed"),
        ground=times("least-loop", _DJANGO, "speed"),
    ),
    Target(
        "big",
        _BIG,
        "≥ 1× the fastest peer, none of which verifies",
        1.0,
        times("ours", (*RESUMABLE, *NAIVE), "speed"),
        ground=times("md5", (*RESUMABLE, *NAIVE), "speed"),
    ),
    Target("big", _BIG, "≥ 0.8× MD5 alone", 0.8, times("ours", "md5", "speed")),
    Target(
        "big",
        "the same, durable",
        f"≥ 2.2× {_DJANGO}, which is not",
        2.2,
        times("ours-durable", _DJANGO, "speed"),
    ),
    Target(
        "sha256",
        "8 MiB forms, SHA-256 verified, completion included, not durable",
        "≥ 1× the fastest peer in Python, none of which verifies",
        1.0,
        times("ours-sha256", (*PYTHON, *NAIVE), "speed"),
    ),
    Target(
        "raw",
        "8 MiB raw chunks, no MD5, not durable",
        "≥ 0.7× nginx PUT",
        0.7,
        times("ours-raw-no-md5", "nginx", "speed"),
    ),
    Target(
        "small",
        "64 KiB chunks, one client, not durable",
        "≥ 1.3× the best peer that can resume",
        1.3,
        times("ours", RESUMABLE, "rate"),
        ground=times("least-protocol", RESUMABLE, "rate"),
    ),
    Target(
        "small",
        "64 KiB chunks, one client, not durable",
        "(≥ 1.3× the naive view, which records nothing)",
        1.3,
        times("ours", NAIVE, "rate"),
        ground=times("least-protocol", NAIVE, "rate"),
    ),
    Target(
        "small-crowd",
        "64 KiB chunks, 16 clients, two workers, not durable",
        "≥ 2× the best peer that can resume",
        2.0,
        times("ours", RESUMABLE, "rate"),
        ground=times("least-protocol", RESUMABLE, "rate"),
    ),
    Target(
        "small-crowd",
        "64 KiB chunks, 16 clients, two workers, not durable",
        "(≥ 2× the naive view, which records nothing)",
        2.0,
        times("ours", NAIVE, "rate"),
        ground=times("least-protocol", NAIVE, "rate"),
    ),
    Target(
        "patch",
        "tus, PATCH of 8 MiB, one client; not durable, no MD5",
        "≥ 1× the fastest other tus server",
        1.0,
        times("ours-tus-no-md5", TUS, "speed"),
    ),
    Target(
        "patch-crowd",
        "tus, PATCH of 8 MiB, 16 clients, two workers; not durable, no MD5",
        "≥ 1× the fastest other tus server",
        1.0,
        times("ours-tus-no-md5", TUS, "speed"),
    ),
    Target(
        "patch-small",
        "tus, PATCH of 64 KiB, one client; not durable, no MD5",
        "≥ 1× the fastest other tus server",
        1.0,
        times("ours-tus-no-md5", TUS, "rate"),
    ),
    Target(
        "patch-small-crowd",
        "tus, PATCH of 64 KiB, 16 clients, two workers; not durable, no MD5",
        "≥ 1× the fastest other tus server",
        1.0,
        times("ours-tus-no-md5", TUS, "rate"),
    ),
    Target(
        "object-store",
        "one file into an S3 store, in chunks of 8 MiB",
        "≥ 0.8× the store alone",
        0.8,
        times("ours-s3", "store", "speed"),
    ),
    Target(
        "nodes",
        "1 MiB chunks, four nodes with a fifth of a processor each",
        "≥ 3.5× one node",
        3.5,
        times("nodes-4", "nodes-1", "rate"),
    ),
    Target(
        "thousand",
        "1,000 uploads at once, 64 KiB, two workers, not durable: chunks/s",
        "≥ 0.9× those of 16 uploads",
        0.9,
        value("ours", "goodput", "{:.2f}×".format),
    ),
    Target(
        "thousand",
        "1,000 uploads at once, 64 KiB: p99 of a chunk",
        "≤ 2 s",
        2.0,
        value("ours", "chunk_p99", seconds),
        most=True,
    ),
    Target(
        "thousand",
        "1,000 uploads at once over tus, created before: p99 of a chunk",
        "≤ 2 s",
        2.0,
        value("ours-tus", "chunk_p99", seconds),
        most=True,
    ),
    Target(
        "thousand",
        "1,000 uploads at once: memory of a worker",
        "≤ 400 MB",
        400e6,
        value("ours", "peak", mb),
        most=True,
    ),
    Target(
        "two-databases",
        "64 KiB chunks, 16 clients, two workers, durable: PostgreSQL",
        "≥ 0.8× SQLite",
        0.8,
        times("postgresql", "sqlite", "rate"),
    ),
    Target(
        "start",
        "from the start of the process to the first answer",
        "≤ 1 s",
        1.0,
        value("ours-durable", "start", seconds),
        most=True,
    ),
    Target("complete", "complete, durable", "≤ 20 ms", 0.020, slowest_completion, most=True),
    Target(
        "complete",
        "complete, largest to smallest file",
        "≤ 1.5×",
        1.5,
        completion_by_size,
        most=True,
    ),
    Target(
        "memory",
        "memory of a worker with a chunk of 1 GiB",
        "≤ 100 MB",
        100e6,
        value("ours-durable", "peak", mb),
        most=True,
    ),
    Target(
        "slow",
        "memory of a worker with 1,000 connections",
        "≤ 400 MB",
        400e6,
        value("ours-durable", "peak", mb),
        most=True,
    ),
    Target(
        "slow",
        "1,000 slow uploads: probe's median",
        "≤ 5 ms",
        0.005,
        value("ours-durable", "probe", ms),
        most=True,
    ),
    Target(
        "slow",
        "1,000 slow uploads: probe's p99",
        "≤ 50 ms",
        0.050,
        value("ours-durable", "probe_p99", ms),
        most=True,
    ),
    Target(
        "slow",
        "1,000 slow uploads: errors",
        "0",
        0.0,
        value("ours-durable", "errors", lambda count: f"{count:.0f}"),
        most=True,
    ),
    Target(
        "records",
        "a chunk's cost at 10⁶ records",
        "≤ 1.1× an empty table",
        1.1,
        times("sqlite empty", "sqlite full", "rate"),
        most=True,
    ),
    Target(
        "records-s3",
        "a chunk's cost at 10⁶ open uploads, in a store",
        "≤ 1.1× an empty table",
        1.1,
        times("s3 empty", "s3 full", "rate"),
        most=True,
    ),
    Target(
        "far",
        "a chunk's cost at offset 1 TiB",
        "≤ 1.1× offset 0",
        1.1,
        times("near", "far", "rate"),
        most=True,
    ),
    Target(
        "big",
        "processor seconds per GiB, MD5 included",
        f"≤ 0.5× {_DJANGO}",
        0.5,
        times("ours", _DJANGO, "cpu"),
        most=True,
        ground=times("least-loop", _DJANGO, "cpu"),
    ),
)


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured.

    :param figure: or the reason why there is none.
    :param ground: see :class:`Target`; None where there is none, or it was not measured.
    """

    target: Target
    figure: Figure | str
    ground: Figure | None = None

    def __str__(self) -> str:
        if isinstance(self.figure, str):
            return "–"
        if self.target.reached(self.figure):
            return "reached"
        if self.ground and not self.target.reached(self.ground):
            return "**not reached**, nor by the limit"
        return "**not reached**"


def verdicts(results: Results) -> list[Verdict]:
    """Return every target with its figure, or with the reason why there is none."""
    return [_verdict(target, results.rows.get(target.row)) for target in TARGETS]


def _verdict(target: Target, measured: Measured | None) -> Verdict:
    if measured is None:
        return Verdict(target, "not measured yet")
    try:
        figure = target.figure(measured)
    except Lacking as lacking:
        return Verdict(target, str(lacking))
    with suppress(Lacking):
        return Verdict(target, figure, target.ground(measured) if target.ground else None)
    return Verdict(target, figure)
