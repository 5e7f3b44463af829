"""How many requests a second each owner sends, exact for all processes of this host.

A file of fixed size, mapped into memory, has one time for each owner: when their requests so far
are paid for (GCRA, the leaky bucket as a meter). A request costs a lock of the file and a look
into it, a few microseconds. Hosts do not share it: that would be a statement for each request.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import threading
from functools import lru_cache
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
        tag, number = _tag(key)
        cost = 1 / per_second
        with self._lock:
            # A child of a process that has opened it needs a file of its own.
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = self._open()
            _, file, table = self._opened
            fcntl.lockf(file, fcntl.LOCK_EX)
            try:
                now = monotonic()
                place = number % _SLOTS * _SLOT.size
                owner, paid = _SLOT.unpack_from(table, place)
                if owner != tag:
                    place, paid = self._slot(table, tag, number, now)
                # After a reboot this clock begins again: no time of its past is that far ahead.
                if not now < paid <= now + 2:
                    paid = now
                wait: float = paid + cost - (now + 1)
                if wait > 1e-9:
                    return wait
                _SLOT.pack_into(table, place, tag, paid + cost)
                return 0
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN)

    def _slot(self, table: mmap.mmap, tag: bytes, number: int, now: float) -> tuple[int, float]:
        """Return the place of an owner whose first one is another's, and what is in it."""
        free = None
        for more in range(_TRIES):
            place = (number + more) % _SLOTS * _SLOT.size
            owner, paid = _SLOT.unpack_from(table, place)
            if owner == tag:
                return place, paid
            if free is None and not now < paid <= now + 2:
                free = place
        if free is not None:
            return free, now
        place = number % _SLOTS * _SLOT.size
        return place, _SLOT.unpack_from(table, place)[1]

    def _open(self) -> tuple[int, int, mmap.mmap]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(file, _SLOTS * _SLOT.size)
        return os.getpid(), file, mmap.mmap(file, _SLOTS * _SLOT.size)


@lru_cache(maxsize=4096)
def _tag(key: str) -> tuple[bytes, int]:
    """Return by what an owner's place is known, and the number of the first that it may be."""
    tag = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return tag, int.from_bytes(tag, "little")
