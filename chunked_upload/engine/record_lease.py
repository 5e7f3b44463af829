"""A write lease in the upload's record, for storages that have no leases.

The record lists who may write which range, as ``[number, start, stop]``, and with a fourth item for
an append. The number is the fencing token that taking the lease has set. A newcomer removes
overlapping entries and adds its own by compare-and-swap, which also fences every request that read
the record earlier. If a killed process leaves an entry, the next request for that range removes it.
Nobody checks the lease while bytes arrive: a preempted writer writes to a separate place, and its
commit finds its entry gone.
"""

from __future__ import annotations

from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartWriter, StorageState, WriteLease

#: Most entries to keep; the oldest most likely belong to processes that have died.
_MOST = 64

#: The items of an entry that is not an append's.
_CHUNK = 3

Entries = list[list[int | None]]


class RecordLease(WriteLease):
    """A leased range.

    :param writer: the storage's writer, which writes to a separate place.
    :param number: the number of the lease's entry in the record.
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
        """Return whether the record, as last read, still has the entry."""
        return any(entry[0] == self.fencing_token for entry in self._record.write_leases or [])

    def sync(self) -> StorageState | None:
        return self._writer.sync()

    def close(self) -> None:
        self._writer.close()

    def released(self) -> StorageState:
        others = [e for e in self._record.write_leases or [] if e[0] != self.fencing_token]
        return {"write_leases": others or None}


def entered(
    record: Record, start: int, stop: int | None, *, appends: bool = False
) -> dict[str, object]:
    """Return the record's columns with the range leased and every overlapping lease removed."""
    number = record.fencing_token + 1
    others = [e for e in record.write_leases or [] if not _overlaps(e, start, stop)]
    entries: Entries = [*others, [number, start, stop, *([1] if appends else [])]]
    return {"fencing_token": number, "write_leases": entries[-_MOST:]}


def without_appends(record: Record) -> dict[str, object]:
    """Return the record's columns with the leases of appends removed; none if there are none."""
    chunks = [entry for entry in record.write_leases or [] if len(entry) == _CHUNK]
    if chunks == (record.write_leases or []):
        return {}
    return {"fencing_token": record.fencing_token + 1, "write_leases": chunks or None}


def _overlaps(entry: list[int | None], start: int, stop: int | None) -> bool:
    _, low, high = entry[:_CHUNK]
    return (stop is None or (low or 0) < stop) and (high is None or start < high)
