"""One at a time for requests that compute.

A small chunk costs half a millisecond of Python with some thirty system calls in it, each of which
lets go of the GIL. Alone that is cheap. With sixteen clients each call wakes a thread that takes
the GIL away, and half of a worker's processor time goes into handing it around. So the bundled
server's requests pass a turnstile one after the other. Whoever waits for something slow (the
network, a sync, a database server) steps aside meanwhile, and who has waited in front of it for
long goes on without: it orders, it forbids nothing, and nothing relies on it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

#: Seconds that a request waits in front: the time that many need, so that one that hangs inside
#: does not hold up the others for long.
_PATIENCE = 0.05

#: Of the whole process, as the GIL is.
_lock = threading.Lock()
_mine = threading.local()
#: How many wait in front, and the lock to count them.
_waiting = 0
_counting = threading.Lock()
_take_over: Callable[[], None] | None = None


class through(AbstractContextManager[None]):  # noqa: N801 - used as a function
    """Serve a request that needs the processor, one at a time."""

    def __enter__(self) -> None:
        enter()

    def __exit__(self, *exception: object) -> None:
        step_out()


def step_out(*, hands_over: bool = True) -> bool:
    """Let the next one in, for good; return whether this thread was inside.

    :param hands_over: whether :func:`hand_over`'s function is called when no other waits in front.
    """
    inside: bool = getattr(_mine, "inside", False)
    if inside:
        _mine.inside = False
        _lock.release()
        if hands_over and _take_over is not None and not _waiting:
            _take_over()
    return inside


def hand_over(to: Callable[[], None] | None) -> None:
    """Set what is called when a request steps out and no other waits in front.

    :param to: a function that returns at once.
    """
    global _take_over
    _take_over = to


def others_wait() -> bool:
    """Whether threads wait in front."""
    return _waiting > 0


class stepping_out(AbstractContextManager[None]):  # noqa: N801 - used as a function
    """Wait for something slow, letting others pass; for threads outside it changes nothing."""

    def __enter__(self) -> None:
        self._was_inside = step_out()

    def __exit__(self, *exception: object) -> None:
        if self._was_inside:
            enter()


def enter() -> None:
    """Wait in front, and go in; who has waited in vain stays outside until its answer."""
    global _waiting
    if _lock.acquire(blocking=False):
        _mine.inside = True
        return
    with _counting:
        _waiting += 1
    try:
        _mine.inside = _lock.acquire(timeout=_PATIENCE)
    finally:
        with _counting:
            _waiting -= 1


def _start_anew() -> None:
    # A forked process has none of the threads that may be inside.
    global _lock, _counting, _waiting, _take_over
    _lock, _counting = threading.Lock(), threading.Lock()
    _waiting, _take_over = 0, None
    _mine.inside = False


os.register_at_fork(after_in_child=_start_anew)
