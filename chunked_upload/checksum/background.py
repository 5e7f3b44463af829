"""Digests that trail behind the bytes, hashed by threads of their own.

MD5 is slower than network and disk, so a request must not wait for it: buffers are handed to a
*trail*, and a few threads of the process hash them, in order, while the next buffers arrive, while
the chunk is synced and committed, and while the client prepares its next one. How far behind it
may fall is bounded (:data:`MAX_LAG`): beyond that, whoever brings more bytes waits.

A commit records what the digest has seen by then. The trail of a committed chunk is kept, in this
process, for the request that goes on at its end. It is never needed: what it knows follows from the
recorded prefix, which does not change. Where it is not at hand (another worker, a crash, a chunk
that was dropped) the recorded state goes on with at most :data:`MAX_LAG` bytes read from the part.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from queue import SimpleQueue

from chunked_upload.support.blocking import blocking

from .md5 import MD5

#: Bytes that a trail may have before it still: some ten milliseconds of work, enough to last from
#: a chunk's last bytes to the next one's first.
MAX_LAG = 8 * 1024 * 1024

#: Bytes that are made up for before whoever waited brings more.
_STRIDE = 1024 * 1024

#: Bytes that all trails of a process may have before them; beyond it each waits for its own.
_MAX_ALL = 32 * 1024 * 1024

#: A buffer up to this size is hashed by the request itself: to wake a thread would take longer.
_SMALL = 128 * 1024

#: Trails kept for the next chunk of their uploads; one that has arrived holds a few hundred bytes.
_MOST_KEPT = 1024


class Trail:
    """A digest of a file's first bytes, with the buffers it has not taken in yet.

    One thread at a time may use it, besides those that hash; it does not matter which.

    :param digest: what has taken in the first ``position`` bytes; used by nobody else from now on.
    """

    def __init__(self, digest: MD5, position: int) -> None:
        #: Where the bytes handed over end.
        self.end = position
        #: The digest's frozen state, and how many bytes it has seen.
        self.reached = (digest.state(), position)
        self._digest = digest
        self._buffers: deque[bytes] = deque()
        self._running = False
        self._changed = threading.Condition()
        #: The lag that somebody waits for; none is below zero.
        self._wanted = -1

    @property
    def lag(self) -> int:
        """Bytes handed over that the digest has not seen yet."""
        return self.end - self.reached[1]

    def feed(self, data: bytes) -> None:
        """Hand over the next bytes; wait when the digest is too far behind."""
        self.end += len(data)
        if len(data) <= _SMALL and not self._running:
            self._take_in(data)
            return
        with self._changed:
            self._buffers.append(data)
            start, self._running = not self._running, True
        _hashers.count(len(data))
        if start:
            _hashers.add(self)
        if self.lag > MAX_LAG:
            self.wait(MAX_LAG - _STRIDE)
        elif _hashers.waiting > _MAX_ALL:
            self.wait()

    def wait(self, lag: int = 0) -> None:
        """Return when the digest is no more than ``lag`` bytes behind."""
        with blocking(), self._changed:
            while self.lag > lag:
                self._wanted = lag
                self._changed.wait()
            self._wanted = -1

    def work(self) -> bool:
        """Hash the next buffer; return whether there are more."""
        data = self._buffers.popleft()
        self._take_in(data)
        _hashers.count(-len(data))
        with self._changed:
            if self.lag <= self._wanted:
                self._changed.notify()
            self._running = bool(self._buffers)
            return self._running

    def _take_in(self, data: bytes) -> None:
        self._digest.update(data)
        self.reached = (self._digest.state(), self.reached[1] + len(data))


class Trails:
    """The trails of committed chunks, each waiting for the request that goes on at its end."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Trail] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, upload_id: str, trail: Trail) -> None:
        """Keep the trail of an upload's recorded prefix."""
        with self._lock:
            self._kept[upload_id] = trail
            self._kept.move_to_end(upload_id)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def take(self, upload_id: str, end: int) -> Trail | None:
        """Return the trail of the upload's first ``end`` bytes, if there is one, for good."""
        with self._lock:
            trail = self._kept.pop(upload_id, None)
        return trail if trail is not None and trail.end == end else None


class _Hashers:
    """The threads that hash, as many as there are processors; made when they are needed."""

    def __init__(self) -> None:
        self._trails: SimpleQueue[Trail] = SimpleQueue()
        self._threads = 0
        self._lock = threading.Lock()
        #: Bytes that are waiting to be hashed.
        self.waiting = 0

    def count(self, size: int) -> None:
        with self._lock:
            self.waiting += size

    def add(self, trail: Trail) -> None:
        """Have a trail's buffers hashed."""
        self._trails.put(trail)
        if self._threads < (os.cpu_count() or 1):
            with self._lock:
                if self._threads < (os.cpu_count() or 1):
                    self._threads += 1
                    name = f"md5-{self._threads}"
                    threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        while True:
            trail = self._trails.get()
            # The others get their turn after each buffer.
            while trail.work():
                if not self._trails.empty():
                    self._trails.put(trail)
                    break


_hashers = _Hashers()


def _start_anew() -> None:
    # A forked process (gunicorn's workers) has none of its parent's threads.
    global _hashers
    _hashers = _Hashers()


os.register_at_fork(after_in_child=_start_anew)
