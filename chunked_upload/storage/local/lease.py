"""One request's right to write a range of a part file on a local disk.

Who may write is told by lease_table.py; how and when bytes are synced by tree.py.
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

    :param part, side: open descriptors of the part and of who may write it; closed with the lease,
        also when it cannot be taken.
    :param start, stop: the range; no ``stop`` leases all that follows.
    :param directory: the part's, when it may be new and so must be synced too.
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
        self.preempted = self._entry.preempted
        self.number = self._entry.number

    @property
    def size(self) -> int:
        """Bytes in the part file, garbage past the recorded offset included."""
        return os.fstat(self._part).st_size

    def write(self, data: bytes | memoryview, position: int) -> None:
        view, start = memoryview(data), position
        with self._entry.held():
            while view:
                written = os.pwrite(self._part, view, position)
                position += written
                view = view[written:]
        self._tree.begin_sync(self._part, start, len(data))

    def stands(self) -> bool:
        return self._entry.stands()

    def copy(self, source: int, length: int, position: int) -> None:
        """Copy the first ``length`` bytes of an open file, within the kernel where it can.

        :raises PartMissing: when the file is shorter.
        """
        at = 0
        while at < length:
            # So much at a time that a newcomer does not wait for the lock.
            with self._entry.held():
                copied = files.copy_range(
                    source, self._part, min(length - at, _COPY_SIZE), at, position + at
                )
            if not copied:
                raise PartMissing("the part to copy from is shorter than its record says")
            self._tree.begin_sync(self._part, position + at, copied)
            at += copied

    def sync(self) -> None:
        self._tree.sync_data(self._part)
        if self._directory is not None:
            # Not only when this lease made the file: an earlier one may have made it and died.
            self._tree.sync_directories(self._directory)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        os.close(self._part)
        try:
            # A lease that cannot be released is left to the next writer, who removes it; the
            # chunk may be recorded by now, and must be answered as such.
            with suppress(StorageBusy, OSError):
                self._entry.release()
        finally:
            os.close(self._side)

    def abandon(self) -> None:
        if self._open:
            self._open = False
            os.close(self._part)
            os.close(self._side)
