"""Medians and their spread, and ratios of interleaved runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The median of some runs, the least and the greatest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """:raises ValueError: for no values."""
        if not values:
            raise ValueError("no runs to take a median of")
        return cls(median(values), min(values), max(values))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Compare run by run: what disturbs the machine for a while disturbs both of a pair.

    :param ours, theirs: runs of two contestants that took turns, in order.
    """
    return Spread.of([a / b for a, b in zip(ours, theirs, strict=False)])


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which ``part`` (0 to 1) of the values lie (nearest rank)."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]
