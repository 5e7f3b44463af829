"""A write lease that is kept in the upload's record, for storages without leases of their own.

The record lists who may write which range: ``[number, start, stop]``, the number being the fencing
token that taking the lease has set. A newcomer takes overlapping entries out and its own in, by
compare-and-swap, and so fences whoever has read the record before. An entry that a killed process
left is taken out by the next request for its range. Nothing is asked while bytes arrive: what an
outdated writer writes lies in a place of its own, and its commit finds its entry gone.
"""

from __future__ import annotations

from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartWriter, StorageState, WriteLease

#: Entries kept; the oldest are those of processes that have died, most likely.
_MOST = 64

Entries = list[list[int | None]]


class RecordLease(WriteLease):
    """A leased range.

    :param writer: writes to a place of its own.
    :param number: of its entry in the record.
    """

    #: Taking the lease has raised the fencing token in the same statement.
    preempted = False

    def __init__(self, record: Record, writer: PartWriter, number: int) -> None:
        self._writer = writer
        self.fencing_token = number
        self._record = record

    @property
    def part_writer(self) -> PartWriter:
        return self._writer

    def write(self, data: bytes | memoryview, position: int) -> None:
        self._writer.write(data, position)

    def stands(self) -> bool:
        """Whether the record, as it was last read, still has the entry."""
        return any(entry[0] == self.fencing_token for entry in self._record.write_leases or [])

    def sync(self) -> StorageState | None:
        return self._writer.sync()

    def close(self) -> None:
        self._writer.close()

    def released(self) -> StorageState:
        others = [e for e in self._record.write_leases or [] if e[0] != self.fencing_token]
        return {"write_leases": others or None}


def entered(record: Record, start: int, stop: int | None) -> dict[str, object]:
    """Return the record's columns with a range leased, and every overlapping lease ended."""
    number = record.fencing_token + 1
    others = [e for e in record.write_leases or [] if not _overlaps(e, start, stop)]
    entries: Entries = [*others, [number, start, stop]]
    return {"fencing_token": number, "write_leases": entries[-_MOST:]}


def _overlaps(entry: list[int | None], start: int, stop: int | None) -> bool:
    _, low, high = entry
    return (stop is None or (low or 0) < stop) and (high is None or start < high)
