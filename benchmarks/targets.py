"""What must be reached, and whether it is: each target reads its figure out of the results.

A target names a row, takes a figure from it, and says how far it may lie. Ratios are of
neighbouring runs (spread.py). Which peer is the best one is decided by its median.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from .results import Measured, Results
from .spread import Spread, ratio

#: Peers that record what has arrived, so that an upload can be resumed.
RESUMABLE = (
    "django-chunked-upload",
    "drf-chunked-upload",
    "@tus/server",
    "tuspyserver",
    "resumable-upload",
)
#: Peers that speak tus.
TUS = ("@tus/server", "tuspyserver", "resumable-upload", "tusd")
#: The naive view, which records nothing: not a peer in what matters, but a user might take it.
NAIVE = ("flask-gunicorn", "flask-granian")


class Lacking(Exception):
    """The results do not hold what a target needs."""


@dataclass(frozen=True)
class Figure:
    """A measured value and how it is written.

    :param against: whom it was compared with, where the target leaves it open.
    """

    spread: Spread
    text: str
    against: str = ""


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


def times(ours: str, theirs: str | tuple[str, ...], metric: str) -> Callable[[Measured], Figure]:
    """Compare a metric of two contestants; of several, with the one that has the greatest."""

    def figure(measured: Measured) -> Figure:
        names = (theirs,) if isinstance(theirs, str) else theirs
        if len(names) > 1 and len(measured.samples.keys() & set(names)) < 2:
            raise Lacking("the others were not measured")
        best = max(names, key=lambda name: median(measured.values(name, metric) or [0.0]))
        compared = _ratio(measured, ours, best, metric)
        against = "" if isinstance(theirs, str) else measured.titles[best]
        return Figure(compared, _times(compared), against)

    return figure


def value(key: str, metric: str, write: Callable[[float], str]) -> Callable[[Measured], Figure]:
    """Take a metric as it is."""

    def figure(measured: Measured) -> Figure:
        spread = Spread.of(_values(measured, key, metric))
        return Figure(spread, write(spread.median))

    return figure


def slowest_completion(measured: Measured) -> Figure:
    """Take the completion time of the size that has the longest."""
    keys = [key for key in measured.samples if key.startswith("ours-durable ")]
    if not keys:
        raise Lacking("not measured")
    spread, key = max(
        ((Spread.of(measured.values(key, "complete")), key) for key in keys),
        key=lambda pair: pair[0].median,
    )
    return Figure(spread, _ms(spread.median), measured.titles[key].rpartition(", ")[2])


def completion_by_size(measured: Measured) -> Figure:
    """Compare the completion of the largest file with that of the smallest."""
    keys = [key for key in measured.samples if key.startswith("ours-durable ")]
    if len(keys) < 2:
        raise Lacking("only one size was measured")
    first, last = (median(measured.values(key, "complete")) for key in (keys[0], keys[-1]))
    names = [key.partition(" ")[2] for key in (keys[-1], keys[0])]
    return Figure(
        Spread(last / first, last / first, last / first), f"{last / first:.2f}×", " to ".join(names)
    )


def _ratio(measured: Measured, ours: str, theirs: str, metric: str) -> Spread:
    return ratio(_values(measured, ours, metric), _values(measured, theirs, metric))


def _values(measured: Measured, key: str, metric: str) -> list[float]:
    found = measured.values(key, metric)
    if not found:
        raise Lacking(measured.skipped.get(key, f"{key} was not measured"))
    return found


def _times(spread: Spread) -> str:
    return f"{spread.median:.2f}× ({spread.low:.2f}–{spread.high:.2f})"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


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
        value("ours-durable", "peak", _mb),
        most=True,
    ),
    Target(
        "slow",
        "memory of a worker with 1,000 connections",
        "≤ 400 MB",
        400e6,
        value("ours-durable", "peak", _mb),
        most=True,
    ),
    Target(
        "slow",
        "1,000 slow uploads: probe's median",
        "≤ 5 ms",
        0.005,
        value("ours-durable", "probe", _ms),
        most=True,
    ),
    Target(
        "slow",
        "1,000 slow uploads: probe's p99",
        "≤ 50 ms",
        0.050,
        value("ours-durable", "probe_p99", _ms),
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
