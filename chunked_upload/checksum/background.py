"""Background digests: threads compute the checksums while the request receives more bytes.

MD5 is slower than network and disk, so a request must not wait for it. It hands its buffers to a
*background digest*. A few threads of the process hash them, in order, while the next buffers
arrive, while the chunk is synced and committed, and while the client prepares the next one. A
digest may lag by at most :data:`MAX_LAG` bytes; then the request that brings more bytes waits.

A commit records the state that the digest has reached by then. This process keeps the background
digest of a committed chunk for the request that continues at its end. Keeping it is only an
optimisation, since it follows from the recorded prefix, which does not change. When it is not
available (another worker, a crash, a dropped chunk), the next request continues from the recorded
state and reads at most :data:`MAX_LAG` bytes from the part.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from queue import SimpleQueue

from chunked_upload.support.blocking import blocking

from .protocol import Checksum

#: Most bytes that a digest may lag: about ten milliseconds of work, enough to keep the threads busy
#: between two chunks.
MAX_LAG = 8 * 1024 * 1024

#: Bytes that a digest catches up before a waiting request continues.
_STRIDE = 1024 * 1024

#: Most bytes that all digests of a process may lag together; beyond that each request waits.
_MAX_ALL = 32 * 1024 * 1024

#: The request itself hashes a buffer up to this size: waking a thread would take longer.
_SMALL = 128 * 1024

#: Most digests to keep for the next chunks of their uploads. Each takes a few hundred bytes once it
#: no longer lags.
_MOST_KEPT = 1024


class BackgroundDigest:
    """Checksums of a file's first bytes, with the buffers that are not hashed yet.

    Only one request at a time may use it, besides the threads that hash.

    :param checksums: checksums of the first ``position`` bytes. Nothing else may use them from now
        on.
    """

    def __init__(self, checksums: Sequence[Checksum], position: int) -> None:
        #: End of the bytes handed over so far.
        self.end = position
        self._checksums = checksums
        #: The frozen checksums by name, and how many bytes they have seen.
        self.reached = (self._frozen(), position)
        self._buffers: deque[bytes] = deque()
        self._running = False
        self._changed = threading.Condition()
        #: The lag that a request waits for; below zero when none waits.
        self._wanted = -1

    @property
    def lag(self) -> int:
        """Bytes handed over that the digest has not seen yet."""
        return self.end - self.reached[1]

    def feed(self, data: bytes) -> None:
        """Hand over the next bytes; wait first when the digest lags too far."""
        self.end += len(data)
        if len(data) <= _SMALL and not self._running:
            self._take_in(data)
            return
        with self._changed:
            self._buffers.append(data)
            start, self._running = not self._running, True
        _threads_of_process.count(len(data))
        if start:
            _threads_of_process.add(self)
        if self.lag > MAX_LAG:
            self.wait(MAX_LAG - _STRIDE)
        elif _threads_of_process.waiting > _MAX_ALL:
            self.wait()

    def wait(self, lag: int = 0) -> None:
        """Wait until the digest lags by at most ``lag`` bytes."""
        with blocking(), self._changed:
            while self.lag > lag:
                self._wanted = lag
                self._changed.wait()
            self._wanted = -1

    def work(self) -> bool:
        """Hash the next buffer; return whether there are more."""
        data = self._buffers.popleft()
        self._take_in(data)
        _threads_of_process.count(-len(data))
        with self._changed:
            if self.lag <= self._wanted:
                self._changed.notify()
            self._running = bool(self._buffers)
            return self._running

    def _take_in(self, data: bytes) -> None:
        for checksum in self._checksums:
            checksum.update(data)
        self.reached = (self._frozen(), self.reached[1] + len(data))

    def _frozen(self) -> dict[str, bytes]:
        return {checksum.name: checksum.freeze() for checksum in self._checksums}


class BackgroundDigests:
    """The digests of committed chunks, each waiting for the request that continues at its end."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, BackgroundDigest] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, upload_id: str, digest: BackgroundDigest) -> None:
        """Keep the digest of an upload's recorded prefix."""
        with self._lock:
            self._kept[upload_id] = digest
            self._kept.move_to_end(upload_id)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def take(self, upload_id: str, end: int) -> BackgroundDigest | None:
        """Remove and return the digest of the upload's first ``end`` bytes, if there is one."""
        with self._lock:
            digest = self._kept.pop(upload_id, None)
        return digest if digest is not None and digest.end == end else None

    def drop(self, upload_id: str) -> None:
        """Forget the digest of an upload that no longer needs it."""
        with self._lock:
            self._kept.pop(upload_id, None)


class _Threads:
    """The threads that hash, one per processor; started when they are needed."""

    def __init__(self) -> None:
        self._behind: SimpleQueue[BackgroundDigest] = SimpleQueue()
        self._threads = 0
        self._lock = threading.Lock()
        #: Bytes that are waiting to be hashed.
        self.waiting = 0

    def count(self, size: int) -> None:
        with self._lock:
            self.waiting += size

    def add(self, digest: BackgroundDigest) -> None:
        """Queue a digest whose buffers are to be hashed."""
        self._behind.put(digest)
        if self._threads < (os.cpu_count() or 1):
            with self._lock:
                if self._threads < (os.cpu_count() or 1):
                    self._threads += 1
                    name = f"digest-{self._threads}"
                    threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        while True:
            digest = self._behind.get()
            # Put it back behind the others, so that no digest waits long.
            while digest.work():
                if not self._behind.empty():
                    self._behind.put(digest)
                    break


_threads_of_process = _Threads()


def _restart() -> None:
    # A forked process (gunicorn's workers) has none of its parent's threads.
    global _threads_of_process
    _threads_of_process = _Threads()


os.register_at_fork(after_in_child=_restart)
