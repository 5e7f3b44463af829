"""How many requests a second each owner sends, exact for all processes of this host.

A file of fixed size, mapped into memory, has one time for each owner: when their requests so far
are paid for (GCRA, the leaky bucket as a meter). A request costs a lock of the file and a look
into it, about seven microseconds. Hosts do not share it: that would be a statement for each
request.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import threading
from pathlib import Path
from time import monotonic

_SLOT = struct.Struct("<8sd")

#: Owners that may be active at the same time; each needs a slot for a second.
_SLOTS = 16_384

#: Slots that are tried for an owner. If all are in use, the first is shared with another owner.
_TRIES = 8


class RequestRate:
    """The requests of this host's owners.

    :param path: the file that its processes share; it is made at the first request.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._opened: tuple[int, int, mmap.mmap] | None = None

    def take(self, key: str, *, per_second: int) -> float:
        """Count a request; return 0, or the seconds to wait if it is one too many.

        :param per_second: so many may come at once, and then so many a second.
        """
        tag = hashlib.blake2b(key.encode(), digest_size=8).digest()
        cost = 1 / per_second
        with self._lock:
            # A child of a process that has opened it needs a file of its own.
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = self._open()
            _, file, table = self._opened
            fcntl.lockf(file, fcntl.LOCK_EX)
            try:
                now = monotonic()
                place, paid = self._slot(table, tag, now)
                wait = paid + cost - (now + 1)
                if wait > 1e-9:
                    return wait
                _SLOT.pack_into(table, place, tag, paid + cost)
                return 0
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN)

    def _slot(self, table: mmap.mmap, tag: bytes, now: float) -> tuple[int, float]:
        """Return an owner's place in the table, and until when their requests are paid for."""
        first = int.from_bytes(tag, "little")
        free = None
        for number in range(_TRIES):
            place = (first + number) % _SLOTS * _SLOT.size
            owner, paid = _SLOT.unpack_from(table, place)
            # After a reboot this clock begins again: no time of its past is that far ahead.
            paid = paid if paid <= now + 2 else now
            if owner == tag:
                return place, max(now, paid)
            if free is None and paid <= now:
                free = place
        if free is not None:
            return free, now
        place = first % _SLOTS * _SLOT.size
        return place, max(now, _SLOT.unpack_from(table, place)[1])

    def _open(self) -> tuple[int, int, mmap.mmap]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(file, _SLOTS * _SLOT.size)
        return os.getpid(), file, mmap.mmap(file, _SLOTS * _SLOT.size)
