"""The context for slow calls: a sync, a round trip to a database server, a wait for a digest.

By default it does nothing. A server that lets requests compute one at a time sets a context that
lets other requests run meanwhile (:func:`wrap_blocking`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

_wrapper: Callable[[], AbstractContextManager[None]] = nullcontext


def blocking() -> AbstractContextManager[None]:
    """Return the context for a call that waits without computing."""
    return _wrapper()


def wrap_blocking(wrapper: Callable[[], AbstractContextManager[None]]) -> None:
    """Set the context that :func:`blocking` returns, for the whole process."""
    global _wrapper
    _wrapper = wrapper
