"""Lets requests compute one at a time.

A small chunk costs half a millisecond of Python with some thirty system calls in it, each of which
releases the GIL. Alone that is cheap. With sixteen clients each call wakes a thread that takes the
GIL away, and half of a worker's processor time goes into handing it around. So the requests of the
bundled server pass a gate one after the other. A request that waits for something slow (the
network, a sync, a database server) steps out meanwhile, and one that has waited at the gate for
too long goes on without it: the gate orders, it forbids nothing, and nothing relies on it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

#: How long a request waits at the gate: the time that many need, so that one that hangs inside
#: does not hold up the others for long.
_SECONDS = 0.05

#: Of the whole process, as the GIL is.
_lock = threading.Lock()
_mine = threading.local()
#: How many wait at the gate, and the lock to count them.
_waiting = 0
_counting = threading.Lock()
_when_free: Callable[[], None] | None = None


def enter() -> None:
    """Wait at the gate and go in, or go on without after :data:`_SECONDS`."""
    global _waiting
    if _lock.acquire(blocking=False):
        _mine.inside = True
        return
    with _counting:
        _waiting += 1
    try:
        _mine.inside = _lock.acquire(timeout=_SECONDS)
    finally:
        with _counting:
            _waiting -= 1


def step_out(*, tells: bool = True) -> bool:
    """Let the next request in; return whether this thread was inside.

    :param tells: whether :func:`when_free`'s function is called if no other request waits.
    """
    inside = is_inside()
    if inside:
        _mine.inside = False
        _lock.release()
        if tells and _when_free is not None and not _waiting:
            _when_free()
    return inside


class stepping_out(AbstractContextManager[None]):  # noqa: N801 - used as a function
    """Wait for something slow while others pass; outside of the gate it changes nothing.

    :param brief: stay inside unless others wait at the gate.
    """

    def __init__(self, brief: bool = False) -> None:
        self._stays = brief and not others_wait()

    def __enter__(self) -> None:
        self._was_inside = not self._stays and step_out()

    def __exit__(self, *exception: object) -> None:
        if self._was_inside:
            enter()


def when_free(call: Callable[[], None] | None) -> None:
    """Set what is called when a request steps out and no other waits at the gate.

    :param call: a function that returns at once.
    """
    global _when_free
    _when_free = call


def is_inside() -> bool:
    """Whether this thread is inside."""
    return getattr(_mine, "inside", False)


def others_wait() -> bool:
    """Whether requests wait at the gate."""
    return _waiting > 0


def _reset() -> None:
    # A forked process has none of the threads that may be inside.
    global _lock, _counting, _waiting, _when_free
    _lock, _counting = threading.Lock(), threading.Lock()
    _waiting, _when_free = 0, None
    _mine.inside = False


os.register_at_fork(after_in_child=_reset)
