"""How far an append has come, for the newcomer that ends it: its bytes are kept, not sent again.

The marks lie behind the table of leases, one for each slot, as unsigned 64-bit little-endian::

    (number of the lease, end of its bytes, process, stamp) * slots

A mark counts only with the lease whose number it has. A lease without one is a chunk's, which
counts whole or not at all. The end is moved after each buffer, while the lock of the table is held.

The bytes that a mark promises may be in the kernel's memory only. A newcomer syncs them itself, and
believes a mark only of a process that lives: it proves that neither the host nor its kernel has
stopped since. Process and stamp tell this: the stamp is a hash of the host's boot and of the
process's start.
"""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import suppress

#: Ends that are none: nothing of the append counts yet; a sync is under way, which may fail.
NOTHING, BUSY = 2**64 - 1, 2**64 - 2

_MARK = struct.Struct("<4Q")
MARK_SIZE = _MARK.size
_END = struct.Struct("<Q")
_END_AT = 8

#: The stamp of this process, by its number: a forked one has another.
_own_stamp: tuple[int, int] = (0, 0)


class Marks:
    """The marks in one side file.

    :param at: their place in the file.
    """

    def __init__(self, descriptor: int, at: int) -> None:
        self._descriptor = descriptor
        self._at = at

    def set(self, slot: int, number: int, end: int) -> None:
        """Mark a lease as an append's."""
        process = os.getpid()
        mark = _MARK.pack(number, end, process, _stamp_of_own(process))
        os.pwrite(self._descriptor, mark, self._place(slot))

    def move(self, slot: int, end: int) -> None:
        """Move the end of an append that has a mark."""
        os.pwrite(self._descriptor, _END.pack(end), self._place(slot) + _END_AT)

    def end(self, slot: int, number: int) -> int | None:
        """Return the end of an append's bytes, :data:`NOTHING` or :data:`BUSY`; None for a chunk.

        :param number: of the lease in the slot.
        """
        raw = os.pread(self._descriptor, _MARK.size, self._place(slot)).ljust(_MARK.size, b"\0")
        marked, end, process, stamp = _MARK.unpack(raw)
        if marked != number:
            return None
        return end if _stamp(process) == stamp != 0 else NOTHING

    def _place(self, slot: int) -> int:
        return self._at + slot * _MARK.size


def _stamp_of_own(process: int) -> int:
    global _own_stamp
    if _own_stamp[0] != process:
        _own_stamp = process, _stamp(process)
    return _own_stamp[1]


def _stamp(process: int) -> int:
    """Return the stamp of a process on this host; 0 when it has ended, or cannot be known."""
    with suppress(OSError, IndexError):
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            boot = file.read()
        with open(f"/proc/{process}/stat", "rb") as file:
            # proc(5): the name in brackets may have anything in it; the start is the 22nd field.
            state, *fields = file.read().rpartition(b")")[2].split()
        if state in (b"Z", b"X"):
            return 0
        digest = hashlib.blake2b(boot + b"%d " % process + fields[18], digest_size=8)
        return int.from_bytes(digest.digest(), "little") or 1
    return 0
