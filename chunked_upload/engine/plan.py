"""What one request is going to write: a plan that its dialect makes and the engine checks.

Dialects differ in where a chunk may lie. In most it must start where the stored prefix ends; those
that send chunks in parallel say where each one lies; and some know of a file's last chunk only
where it starts.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from chunked_upload.records.repository import Record

from .errors import OffsetMismatch, SizeMismatch, TotalMismatch


class Placement(enum.Enum):
    """Where a chunk may lie."""

    #: It must start at the end of the stored prefix, also at its commit.
    SEQUENTIAL = "sequential"
    #: It may lie beyond the prefix or repeat stored bytes.
    ANYWHERE = "anywhere"
    #: As ANYWHERE, and where it ends the file ends: until then ``stop`` is only the most it can be,
    #: and the record's length what was announced.
    LAST = "last"


@dataclass(frozen=True, kw_only=True, slots=True)
class WritePlan:
    """A chunk, as its request declares it.

    :param start: position of its first byte in the file.
    :param stop: end of its range, exclusive; None when only the body's end will tell.
    :param total: the file's length; None likewise.
    :param max_bytes: most bytes the file may have, enforced while they arrive.
    :param creates: the record was created by this very request, and nobody else has been told of
        it. If the chunk is dropped, so is the record.
    """

    start: int
    stop: int | None
    total: int | None = None
    placement: Placement = Placement.SEQUENTIAL
    max_bytes: int | None = None
    creates: bool = False

    @property
    def sequential(self) -> bool:
        """Whether the chunk must start where the prefix ends."""
        return self.placement is Placement.SEQUENTIAL

    @property
    def last(self) -> bool:
        """Whether the file ends where this chunk ends."""
        return self.placement is Placement.LAST

    def check_fits(self, record: Record) -> None:
        """Check what is declared against the record.

        :raises OffsetMismatch, SizeMismatch, TotalMismatch:
        """
        if self.total is not None and record.length is not None and self.total != record.length:
            raise TotalMismatch(record.length)
        if self.sequential and self.start != record.offset:
            raise OffsetMismatch(record.offset)
        length = self.total if record.length is None else record.length
        end = self.start if self.last else self.stop
        if length is not None and end is not None and end > length:
            raise SizeMismatch(f"the chunk ends at byte {end}, the file has {length}")

    def settled(self, record: Record) -> WritePlan:
        """Return the plan of a last chunk whose end is known, since later bytes are stored."""
        if self.last and end_of_stored(record) > self.start:
            return replace(self, placement=Placement.ANYWHERE, stop=record.length)
        return self


def end_of_stored(record: Record) -> int:
    """Return the end of the last byte that is recorded, gaps before it or not."""
    return record.received[-1][1] if record.received else record.offset


def is_empty(record: Record) -> bool:
    """Whether no byte of the upload is recorded."""
    return end_of_stored(record) == 0
