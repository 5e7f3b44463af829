"""One request's right to write a range of a part file on a local disk.

lease_table.py keeps the leases; files.py syncs the bytes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..base import PartMissing, StorageBusy, WriteLease
from . import files
from .files import Tree
from .lease_table import Entry

#: Bytes copied at a time.
_COPY_SIZE = 8 * 1024 * 1024


class LocalLease(WriteLease):
    """A leased range of a part file.

    :param part, side: open descriptors of the part and of the side file with the lease table. They
        are closed with the lease, and also when the lease cannot be taken.
    :param start, stop: the range; without ``stop``, everything from ``start`` on.
    :param directory: the part's directory, when the part may be new, so that it is synced too.
    """

    def __init__(
        self,
        tree: Tree,
        part: int,
        side: int,
        start: int,
        stop: int | None,
        *,
        directory: Path | None,
    ) -> None:
        self._tree = tree
        self._part, self._side = part, side
        self._directory = directory
        try:
            self._entry = Entry(side, start, stop)
        except BaseException:
            os.close(side)
            os.close(part)
            raise
        self._open = True
        self._end = start
        self.preempted = self._entry.preempted
        self.kept = self._entry.kept

    @property
    def size(self) -> int:
        """Bytes in the part file, garbage past the recorded offset included."""
        return os.fstat(self._part).st_size

    def write(self, data: bytes | memoryview, position: int) -> None:
        view, start = memoryview(data), position
        with self._entry.held():
            while view:
                written = files.write_at(self._part, view, position)
                position += written
                view = view[written:]
            self._entry.move(position)
        self._end = max(self._end, position)
        self._tree.begin_sync(self._part, start, len(data))

    def begin_append(self, *, keeps: bool) -> None:
        self._entry.mark(self._end if keeps else None)

    def stands(self) -> bool:
        return self._entry.stands()

    def committed(self, offset: int, fencing_token: int) -> None:
        with suppress(OSError):  # the next writer then has its record read again
            self._entry.keep(offset, fencing_token)
        self.close()

    def follows(self, offset: int, fencing_token: int) -> bool:
        return self._entry.follows(offset, fencing_token)

    def copy(self, source: int, start: int, stop: int, position: int) -> None:
        """Copy the bytes ``[start, stop)`` of an open file, in the kernel if it can.

        :raises PartMissing: when the file is shorter.
        """
        at, shift = start, position - start
        while at < stop:
            # In small pieces, so that a newcomer does not wait long for the lock.
            with self._entry.held():
                copied = files.copy_range(
                    source, self._part, min(stop - at, _COPY_SIZE), at, shift + at
                )
                self._entry.move(shift + at + copied)
            if not copied:
                raise PartMissing("the part to copy from is shorter than its record says")
            self._tree.begin_sync(self._part, shift + at, copied)
            at += copied
            self._end = max(self._end, shift + at)

    def sync(self) -> None:
        if not self._tree.durable:  # no sync that could fail, which a newcomer would wait for
            return
        with self._entry.syncing(self._end):
            self._tree.sync_data(self._part)
        if self._directory is not None:
            # Even if this lease did not create the file: its creator may have died before syncing.
            self._tree.sync_directories(self._directory)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        os.close(self._part)
        try:
            # The next writer removes a lease that cannot be released here. The chunk may already be
            # recorded, so the client must get the answer for a stored chunk.
            with suppress(StorageBusy, OSError):
                self._entry.release()
        finally:
            os.close(self._side)

    def abandon(self) -> None:
        if self._open:
            self._open = False
            os.close(self._part)
            os.close(self._side)
