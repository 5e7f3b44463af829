"""Describes what one request is going to write. Its dialect makes the plan, the engine checks it.

Dialects differ in where a chunk may lie. In most of them it must start where the stored prefix
ends. Dialects that send chunks in parallel say where each one lies. Some of these know only the
start of a file's last chunk, not its end.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from chunked_upload.records.repository import Record

from .errors import BeyondLength, OffsetMismatch, TotalMismatch


class Placement(enum.Enum):
    """Where a chunk may lie."""

    #: It must start at the end of the stored prefix, and still do so at its commit.
    SEQUENTIAL = "sequential"
    #: It may lie beyond the prefix, or overlap stored bytes.
    ANYWHERE = "anywhere"
    #: As ANYWHERE, and the file ends where it ends. Until then ``stop`` is only an upper bound, and
    #: the record's length is what the client announced.
    LAST = "last"


@dataclass(frozen=True, kw_only=True, slots=True)
class WritePlan:
    """A chunk, as its request declares it.

    :param start: position of its first byte in the file.
    :param stop: end of its range, exclusive; None when it is known only at the body's end.
    :param total: the file's length in bytes; None likewise.
    :param max_bytes: most bytes the file may have, enforced while they arrive.
    :param appends: an offset dialect's: what arrives counts even if the rest is missing, and the
        file's length is known only when ``total`` says it.
    :param keeps_prefix: False for an append that counts whole or not at all, since its client has
        sent a checksum of it.
    :param joins: the bytes are those of the upload's pieces (pieces.py).
    :param read_back: the request may read its bytes before they are recorded.
    :param creates: this request created the record, and no client knows of it yet. If the chunk is
        dropped, so is the record.
    """

    start: int
    stop: int | None
    total: int | None = None
    placement: Placement = Placement.SEQUENTIAL
    max_bytes: int | None = None
    appends: bool = False
    keeps_prefix: bool = True
    joins: bool = False
    read_back: bool = False
    creates: bool = False

    @property
    def sequential(self) -> bool:
        """Whether the chunk must start where the prefix ends."""
        return self.placement is Placement.SEQUENTIAL

    @property
    def keeps_progress(self) -> bool:
        """Whether what has arrived is recorded while the request goes on."""
        return self.appends and self.keeps_prefix

    @property
    def whole(self) -> bool:
        """Whether the chunk is the whole file, if no total is declared and none is recorded."""
        return self.sequential and not self.appends

    @property
    def last(self) -> bool:
        """Whether the file ends where this chunk ends."""
        return self.placement is Placement.LAST

    def check_fits(self, record: Record) -> None:
        """Check the declared numbers against the record.

        :raises OffsetMismatch, BeyondLength, TotalMismatch:
        """
        if self.total is not None and record.length is not None and self.total != record.length:
            raise TotalMismatch(record.length)
        if self.sequential and self.start != record.offset:
            raise OffsetMismatch(record.offset)
        length = self.total if record.length is None else record.length
        end = self.start if self.last or self.stop is None else self.stop
        if length is not None and end > length:
            raise BeyondLength(length, end)

    def settled(self, record: Record) -> WritePlan:
        """Return the plan; with its end filled in if stored bytes tell where a last chunk ends."""
        if self.last and end_of_stored(record) > self.start:
            return replace(self, placement=Placement.ANYWHERE, stop=record.length)
        return self


def end_of_stored(record: Record) -> int:
    """Return the end of the last recorded byte, even if there are gaps before it."""
    return record.received[-1][1] if record.received else record.offset


def is_empty(record: Record) -> bool:
    """Return whether no byte of the upload is recorded."""
    return end_of_stored(record) == 0
