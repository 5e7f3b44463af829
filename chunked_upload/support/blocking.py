"""The context for slow calls: a sync, a round trip to a database server, a wait for a digest.

By default it does nothing. A server that lets requests compute one at a time sets a context that
lets other requests run meanwhile (:func:`wrap_blocking`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

#: Makes the context for a call; told whether the call is brief.
Wrapper: TypeAlias = Callable[[bool], AbstractContextManager[None]]


def _nothing(brief: bool) -> AbstractContextManager[None]:
    return nullcontext()


_wrapper: Wrapper = _nothing


def blocking(*, brief: bool = False) -> AbstractContextManager[None]:
    """Return the context for a call that waits without computing.

    :param brief: the wait is so short that it is worth a change of threads only if others wait.
    """
    return _wrapper(brief)


def wrap_blocking(wrapper: Wrapper | None) -> None:
    """Set what makes the context that :func:`blocking` returns, for the whole process.

    :param wrapper: None for a context that does nothing.
    """
    global _wrapper
    _wrapper = wrapper or _nothing
