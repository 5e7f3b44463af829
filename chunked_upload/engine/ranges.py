"""Sets of half-open byte ranges: what an upload has received beyond its contiguous prefix.

A set is a sorted list of ``[start, stop]`` pairs that neither overlap nor touch. The record stores
it in this form (JSON). All functions are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Ranges = list[list[int]]


def add(ranges: Iterable[Sequence[int]], start: int, stop: int) -> Ranges:
    """Return the set with ``[start, stop)`` added, merged with what it overlaps or touches."""
    if start >= stop:
        return [list(pair) for pair in ranges]
    before, after = [], []
    for low, high in ranges:
        if high < start:
            before.append([low, high])
        elif low > stop:
            after.append([low, high])
        else:
            start, stop = min(start, low), max(stop, high)
    return [*before, [start, stop], *after]


def settle(prefix: int, ranges: Ranges) -> tuple[int, Ranges]:
    """Grow a prefix by the ranges that start within it or at its end.

    :return: the new prefix's length, and the ranges that lie beyond it.
    """
    beyond = []
    for low, high in ranges:
        if low <= prefix:
            prefix = max(prefix, high)
        else:
            beyond.append([low, high])
    return prefix, beyond


def covers(ranges: Ranges, start: int, stop: int) -> bool:
    """Return whether all of ``[start, stop)`` is in the set; an empty range always is."""
    return start >= stop or any(low <= start and stop <= high for low, high in ranges)


def gaps(prefix: int, ranges: Ranges, total: int) -> Ranges:
    """Return the missing ranges of ``[0, total)``, given a prefix and the ranges beyond it."""
    missing = []
    for low, high in [*ranges, [total, total]]:
        if prefix < low:
            missing.append([prefix, low])
        prefix = max(prefix, high)
    return missing


def split(ranges: Ranges, start: int, stop: int) -> Iterator[tuple[int, int, bool]]:
    """Cut ``[start, stop)`` at the set's borders; yield each piece and whether it is in the set."""
    for low, high in ranges:
        if high <= start or low >= stop or start == stop:
            continue
        if start < low:
            yield start, low, False
        yield max(start, low), min(high, stop), True
        start = min(high, stop)
    if start < stop:
        yield start, stop, False
