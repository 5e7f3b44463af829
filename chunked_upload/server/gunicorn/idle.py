"""A worker's connections between two requests, and which of them go on.

A client that uploads sends its next chunk at once. To have a thread wait for it costs a change of
threads for every chunk, and with many clients half of them are on their way to sleep or just waking
up. So connections wait here, and the thread that has answered one goes on with whichever is next.
Only when there is none does it wait, for all of them.
"""

from __future__ import annotations

import select
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

#: Most connections that one look takes.
_AT_ONCE = 64


class IdleConnections:
    """Connections (gunicorn's ``TConn``) that wait for their next request.

    Whoever gets one from :meth:`ready`, :meth:`wait` or :meth:`leave` is the only one who does.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        #: By descriptor, with the time since when.
        self._waiting: dict[int, tuple[Any, float]] = {}
        #: With a request that has not been taken up.
        self._ready: deque[Any] = deque()
        self._watch = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._ready)

    @property
    def is_watched(self) -> bool:
        """Whether a thread is in :meth:`wait`."""
        return self._watch.locked()

    def add(self, connection: Any) -> bool:
        """Let a connection wait, or stand in line if its next request has been read already.

        :return: False where nothing can wait here (systems without epoll).
        """
        if self._epoll is None:
            return False
        if connection.parser.unreader.buf.getvalue():
            self._ready.append(connection)
            return True
        descriptor = connection.sock.fileno()
        self._waiting[descriptor] = connection, time.monotonic()
        flags = select.EPOLLIN | select.EPOLLONESHOT
        try:
            self._epoll.modify(descriptor, flags)
        except FileNotFoundError:
            self._epoll.register(descriptor, flags)
        return True

    def ready(self) -> Any | None:
        """Return a connection that goes on, if there is one now."""
        return self._first() or self._look(0)

    def wait(self, seconds: float) -> Any | None:
        """Wait for a connection that goes on; None when there is none, or another thread waits."""
        if not self._watch.acquire(blocking=False):
            return None
        try:
            return self._first() or self._look(seconds)
        finally:
            self._watch.release()

    def leave(self, seconds: float) -> list[Any]:
        """Return those that have waited for so long, and wait no more."""
        latest = time.monotonic() - seconds
        left = []
        for descriptor, (_, since) in list(self._waiting.items()):
            if since <= latest and (taken := self._waiting.pop(descriptor, None)):
                with suppress(OSError):
                    self._epoll.unregister(descriptor)  # type: ignore[union-attr]
                left.append(taken[0])
        return left

    def close(self) -> None:
        """Give back the descriptor."""
        if self._epoll is not None:
            self._epoll.close()

    def _first(self) -> Any | None:
        with suppress(IndexError):
            return self._ready.popleft()
        return None

    def _look(self, seconds: float) -> Any | None:
        if self._epoll is None:
            return None
        for descriptor, _ in self._epoll.poll(seconds, _AT_ONCE):
            # It may have left in this moment.
            if taken := self._waiting.pop(descriptor, None):
                self._ready.append(taken[0])
        return self._first()
