"""Figures about the work below HTTP, for whoever collects them. By default nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from time import perf_counter


class Figure(Enum):
    """What is measured."""

    #: Bytes of a chunk, or of a request that appends, that has been recorded.
    CHUNK_BYTES = auto()
    #: Seconds that the storage took to confirm bytes.
    SYNC_SECONDS = auto()
    #: Bytes that a checksum had not seen yet when a chunk was recorded.
    DIGEST_LAG_BYTES = auto()
    #: A newer request ended an older one: 1 each.
    TAKEOVERS = auto()
    #: ``on_completion`` raised an error: 1 each.
    HOOK_FAILURES = auto()
    #: A webhook or listener has taken an event, has not, or is given up for it: 1 each.
    EVENTS_DELIVERED = auto()
    EVENTS_FAILED = auto()
    EVENTS_DEAD = auto()
    #: Somebody who is no administrator asked for the admin page: 1 each.
    ADMIN_REFUSALS = auto()


_collect: Callable[[tuple[Figure, float]], object] | None = None


def measured(figure: Figure, value: float = 1) -> None:
    """Tell one value of a figure."""
    if _collect is not None:
        _collect((figure, value))


@contextmanager
def timed(figure: Figure) -> Iterator[None]:
    """Tell how many seconds the block took, if it ends without an error."""
    begun = perf_counter()
    yield
    measured(figure, perf_counter() - begun)


def collect_figures(collect: Callable[[tuple[Figure, float]], object] | None) -> None:
    """Have every figure and its value passed to a function, in the whole process; None: to none."""
    global _collect
    _collect = collect
