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
from contextlib import AbstractContextManager

#: Seconds that a request waits in front: the time that many need, so that one that hangs inside
#: does not hold up the others for long.
_PATIENCE = 0.05

#: Of the whole process, as the GIL is.
_lock = threading.Lock()
_mine = threading.local()


class through(AbstractContextManager[None]):  # noqa: N801 - used as a function
    """Serve a request that needs the processor, one at a time."""

    def __enter__(self) -> None:
        _enter()

    def __exit__(self, *exception: object) -> None:
        step_out()


def step_out() -> bool:
    """Let the next one in, for good; return whether this thread was inside."""
    inside: bool = getattr(_mine, "inside", False)
    if inside:
        _mine.inside = False
        _lock.release()
    return inside


class aside(AbstractContextManager[None]):  # noqa: N801 - used as a function
    """Wait for something slow, letting others pass; for threads outside it changes nothing."""

    def __enter__(self) -> None:
        self._was_inside = step_out()

    def __exit__(self, *exception: object) -> None:
        if self._was_inside:
            _enter()


def _enter() -> None:
    # Who has waited in vain stays outside until its answer: no second wait for its next buffer.
    _mine.inside = _lock.acquire(timeout=_PATIENCE)


def _start_anew() -> None:
    # A forked process has none of the threads that may be inside.
    global _lock
    _lock = threading.Lock()
    _mine.inside = False


os.register_at_fork(after_in_child=_start_anew)
