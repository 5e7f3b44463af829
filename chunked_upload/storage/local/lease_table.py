"""The write leases of a part on a local disk: a small table in a side file, guarded by flock.

A writer adds an entry for its range before its first byte, and checks the entry again, under the
lock, before every buffer. A newcomer with an overlapping range removes the older entries. From then
on the older writer, however long it stalls, finds its entry gone and writes nothing more. The lock
is held for one check and one write, never while waiting for the network, so a newcomer takes over
within microseconds.

The file is a counter and a row of slots, all unsigned 64-bit little-endian::

    next number | (number, start, stop) * SLOTS

A number is never used twice, and a slot with the number 0 is free. When an upload ends, its table
is emptied, but requests may still have it open. So an empty table begins with a random number.

The file is not synced: it matters only to processes that run at the same time, and a power cut ends
them all. If a killed process leaves an entry, the next writer only has to raise the fencing token
in the database. The marks of appends lie behind the slots (append_marks.py). Behind these is what
the last commit was: the number of its entry, and the record's offset and fencing token. If nobody
else had an entry when that one was made, the next one has the next number, and the record is found
so, nobody came in between.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..base import LeaseLost, StorageBusy
from .append_marks import BUSY, MARK_SIZE, NOTHING, Marks

SLOTS = 64
OPEN_END = 2**64 - 1

#: Seconds that a newcomer waits for the lock, which is held for one buffer's write. If it takes
#: longer, the holder has hung.
TAKE_SECONDS = 0.8

#: Seconds that a writer waits; others of the same upload may be writing to a slow disk.
WRITE_SECONDS = 30.0

#: How often, and how many times, a newcomer looks whether the sync of an append has ended, whose
#: bytes it is going to keep.
_LOOK_SECONDS, _LOOKS = 0.005, 80

_SLOT = struct.Struct("<QQQ")
_TABLE = struct.Struct(f"<Q{3 * SLOTS}Q")
#: The counter and the first slot.
_FIRST = struct.Struct("<4Q")
_HEADER_SIZE = 8
_COMMIT = struct.Struct("<QQQ")
_COMMIT_AT = _TABLE.size + SLOTS * MARK_SIZE

#: Size of a table's first number; the numbers after it fit as well.
_FIRST_BITS = 62


class Lock:
    """The exclusive flock of an open file, held within ``with``.

    :param seconds: how long to wait for it.
    :raises StorageBusy: when another process holds it longer than that.
    """

    def __init__(self, descriptor: int, seconds: float) -> None:
        self._descriptor = descriptor
        self._seconds = seconds

    def __enter__(self) -> None:
        deadline = None
        while True:
            try:
                return fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                    raise
            now = time.monotonic()
            deadline = deadline or now + self._seconds
            if now > deadline:
                raise StorageBusy("a process that hangs holds the lock of this upload's part")
            time.sleep(0.0005)

    def __exit__(self, *exception: object) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)


class Entry:
    """One writer's range in the table.

    :param descriptor: the side file, open for reading and writing; the caller closes it.
    :param stop: end of the range, exclusive; None for an open end.
    """

    def __init__(self, descriptor: int, start: int, stop: int | None) -> None:
        end = OPEN_END if stop is None else stop
        self._descriptor = descriptor
        self._marks = Marks(descriptor, _TABLE.size)
        self._is_marked = False
        #: Whether nobody else had an entry when this one was made.
        self.is_alone = False
        #: The end of the bytes that preempted appends have written; None when there was none.
        self.kept: int | None = None
        for left in reversed(range(_LOOKS)):
            with Lock(descriptor, TAKE_SECONDS):
                if self._take(start, end, waits=left > 0):
                    return
            time.sleep(_LOOK_SECONDS)

    def _take(self, start: int, end: int, *, waits: bool) -> bool:
        """Enter the range; return False when an append is being synced that is to be kept."""
        descriptor = self._descriptor
        raw = os.pread(descriptor, _TABLE.size, 0)
        if _is_empty(raw):  # as nearly always
            self.number, self._slot, self.preempted = _next_number(raw), 0, False
            self.is_alone = True
            os.pwrite(descriptor, _FIRST.pack(self.number + 1, self.number, start, end), 0)
            return True
        number, slots = _read(raw)
        preempted = _overlapping(slots, start, end)
        kept = _ends(self._marks, slots, preempted)
        if waits and BUSY in kept:
            return False
        for index in preempted:
            slots[index] = (0, 0, 0)
        self._slot = _free_slot(slots)
        evicted = slots[self._slot][0]
        slots[self._slot] = (number, start, end)
        _write(descriptor, number + 1, slots)
        self.number = number
        #: True when the lease preempted an older entry, or evicted one to make room.
        self.preempted = bool(preempted or evicted)
        self.kept = _furthest(kept)
        return True

    def mark(self, end: int | None) -> None:
        """Mark the entry as an append's, which a question for its offset ends.

        :param end: end of the bytes that count even if the append is ended; None: none of them do.
        """
        self._is_marked = end is not None
        with self.held():
            self._marks.set(self._slot, self.number, NOTHING if end is None else end)

    def move(self, end: int) -> None:
        """Note, while the entry is held, how far a marked append has come."""
        if self._is_marked:
            self._marks.move(self._slot, end)

    @contextmanager
    def syncing(self, end: int) -> Iterator[None]:
        """Sync in the block: if it fails, no newcomer keeps what was to be synced.

        :param end: of the bytes that are written.
        :raises LeaseLost:
        """
        if not self._is_marked:
            yield
            return
        with self.held():
            self.move(BUSY)
        yield
        with self.held():
            self.move(end)

    def held(self) -> Lock:
        """Return the lock; while it is held, the entry stands.

        :raises LeaseLost: on entering, when a newcomer has preempted the entry.
        """
        return _Held(self, self._descriptor)

    def stands(self) -> bool:
        """Return whether no newcomer has preempted the entry."""
        return os.pread(self._descriptor, 8, self._position) == self.number.to_bytes(8, "little")

    def keep(self, offset: int, fencing_token: int) -> None:
        """Note how the entry's commit has left the record.

        Not of an entry that was made beside others, whose commits may come later than this note.
        """
        if not self.is_alone:
            return
        commit = _COMMIT.pack(self.number, offset, fencing_token)
        os.pwrite(self._descriptor, commit, _COMMIT_AT)

    def follows(self, offset: int, fencing_token: int) -> bool:
        """Return whether nobody has had an entry since a commit that left the record so."""
        commit = _COMMIT.pack(self.number - 1, offset, fencing_token)
        return os.pread(self._descriptor, _COMMIT.size, _COMMIT_AT) == commit

    def release(self) -> None:
        """Remove the entry, unless a newcomer has already done so."""
        with Lock(self._descriptor, TAKE_SECONDS):
            if self.stands():
                os.pwrite(self._descriptor, _SLOT.pack(0, 0, 0), self._position)

    @property
    def _position(self) -> int:
        return _HEADER_SIZE + self._slot * _SLOT.size


class _Held(Lock):
    def __init__(self, entry: Entry, descriptor: int) -> None:
        super().__init__(descriptor, WRITE_SECONDS)
        self._entry = entry

    def __enter__(self) -> None:
        super().__enter__()
        try:
            if not self._entry.stands():
                raise LeaseLost
        except BaseException:
            self.__exit__()
            raise


def end_appends(descriptor: int) -> int | None:
    """End every append.

    :return: the end of the bytes that they have written, 0 for none; None when there is no append.
    """
    marks = Marks(descriptor, _TABLE.size)
    for left in reversed(range(_LOOKS)):
        with Lock(descriptor, TAKE_SECONDS):
            number, slots = _read(os.pread(descriptor, _TABLE.size, 0))
            used = [index for index, (taken, _, _) in enumerate(slots) if taken]
            appends = [i for i in used if marks.end(i, slots[i][0]) is not None]
            kept = _ends(marks, slots, appends)
            if not left or BUSY not in kept:
                for index in appends:
                    slots[index] = (0, 0, 0)
                if appends:
                    _write(descriptor, number, slots)
                return _furthest(kept)
        time.sleep(_LOOK_SECONDS)
    raise AssertionError("unreachable")  # pragma: no cover


def is_taken(name: str) -> bool:
    """Return whether a side file has an entry; read without a lock, for people."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        _, slots = _read(os.pread(descriptor, _TABLE.size, 0))
    finally:
        os.close(descriptor)
    return any(number for number, _, _ in slots)


def end_all(descriptor: int) -> None:
    """Remove every entry of a part that is about to be removed.

    Truncating the file, unlike writing to it, needs no room, and removal must work on a full disk.
    """
    with Lock(descriptor, TAKE_SECONDS):
        os.ftruncate(descriptor, 0)


def _is_empty(raw: bytes) -> bool:
    return raw.count(0, _HEADER_SIZE) >= len(raw) - _HEADER_SIZE


def _next_number(raw: bytes) -> int:
    return int.from_bytes(raw[:_HEADER_SIZE], "little") or 1 + secrets.randbits(_FIRST_BITS)


def _read(raw: bytes) -> tuple[int, list[tuple[int, int, int]]]:
    # A new or torn file reads as an empty table.
    _, *cells = _TABLE.unpack(raw.ljust(_TABLE.size, b"\0"))
    slots = [(cells[i], cells[i + 1], cells[i + 2]) for i in range(0, 3 * SLOTS, 3)]
    return _next_number(raw), slots


def _write(descriptor: int, number: int, slots: list[tuple[int, int, int]]) -> None:
    cells = [cell for slot in slots for cell in slot]
    os.pwrite(descriptor, _TABLE.pack(number, *cells), 0)


def _overlapping(slots: list[tuple[int, int, int]], start: int, end: int) -> list[int]:
    return [i for i, (n, s, e) in enumerate(slots) if n and s < end and start < e]


def _ends(marks: Marks, slots: list[tuple[int, int, int]], among: list[int]) -> list[int]:
    """Return the ends of the appends among some slots."""
    found = (marks.end(index, slots[index][0]) for index in among)
    return [end for end in found if end is not None]


def _furthest(ends: list[int]) -> int | None:
    """Return the furthest end of appends, 0 if none of their bytes count; None for no appends."""
    return max((0 if end in (BUSY, NOTHING) else end for end in ends), default=None)


def _free_slot(slots: list[tuple[int, int, int]]) -> int:
    """Return a free slot, or the oldest entry's, whose writer has most likely died."""
    return min(range(SLOTS), key=lambda index: slots[index][0])
