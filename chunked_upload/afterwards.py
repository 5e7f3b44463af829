"""What can wait until the answer is on its way.

A client that sends chunk after chunk takes a while to read an answer and to send the next chunk.
Work that the answer does not depend on is done meanwhile, by the thread that has answered. That
takes a server which says when the answer is sent, as the bundled one does; elsewhere it is done at
once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

_mine = threading.local()


def postpone(work: Callable[[], object]) -> bool:
    """Have something done after the answer, once; return False where nobody would.

    :param work: which does not raise. Another thread may find it not done yet.
    """
    pending: dict[Callable[[], object], None] | None = getattr(_mine, "pending", None)
    if pending is None:
        return False
    pending[work] = None
    return True


class answering(AbstractContextManager[None]):  # noqa: N801 - used as a function
    """Serve a request; what is postponed meanwhile is done at its end, in that order."""

    def __enter__(self) -> None:
        _mine.pending = {}

    def __exit__(self, *exception: object) -> None:
        pending, _mine.pending = _mine.pending, None
        for work in pending:
            work()
