"""Figures out of the results: a metric as it is, or as a ratio of two contestants.

Ratios are of neighbouring runs (spread.py). Which peer is the best one is decided by its median.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from .results import Measured
from .spread import Spread, ratio


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
    return Figure(spread, ms(spread.median), measured.titles[key].rpartition(", ")[2])


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


def seconds(value: float) -> str:
    return f"{value:.2f} s"


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"


def mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"
