"""A write lease in the upload's record, for storages that have no leases.

The record lists who may write which range, as ``[number, start, stop]``, and with a fourth item for
an append. The number is the fencing token that taking the lease has set. A newcomer removes
overlapping entries and adds its own by compare-and-swap, or in the statement that finds the record
(records/leased_lookup.py). That also fences every request that read the record earlier. If a killed
process leaves an entry, the next request for that range removes it. Nobody checks the lease while
bytes arrive: a preempted writer writes to a separate place, and its commit finds its entry gone.
"""

from __future__ import annotations

from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartWriter, StorageState, WriteLease, merge
from chunked_upload.storage.powers import WritesParts

from .plan import WritePlan

#: Most entries to keep; the oldest most likely belong to processes that have died.
_MOST = 64

#: The items of an entry that is not an append's.
_CHUNK = 3


class RecordLease(WriteLease):
    """A leased range.

    :param plan: the request's.
    :param writer: the storage's writer, which writes to a separate place.
    :param number: the number of the lease's entry in the record.
    :param parts: the storage, if that reserves numbers.
    :param numbered: whether it has reserved some for this request.
    """

    #: Taking the lease has raised the fencing token in the same statement.
    preempted = False
    fresh = True

    def __init__(
        self,
        record: Record,
        plan: WritePlan,
        writer: PartWriter,
        number: int,
        *,
        parts: WritesParts | None,
        numbered: bool,
    ) -> None:
        self._writer = writer
        self._plan = plan
        self._parts = parts
        self._numbered = numbered
        #: Where the next chunk begins, and where one like this ends then.
        self._next: tuple[int, int] | None = None
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

    def released(self, *, end: int | None, length: int | None) -> StorageState:
        others = [e for e in self._record.write_leases or [] if e[0] != self.fencing_token]
        self._next = self._after(end, length)
        return {"write_leases": others or None}

    def _after(self, end: int | None, length: int | None) -> tuple[int, int] | None:
        if end is None or end == length:
            return None
        stop = end + max(0, end - self._plan.start)
        return end, stop if length is None else min(stop, length)

    @property
    def _is_last(self) -> bool:
        """Whether no request has taken a lease since, as far as the record was read."""
        return self._record.fencing_token == self.fencing_token

    def ended(self, state: StorageState) -> StorageState:
        # A form's first chunk may be read back, and so has no numbers; the others do not.
        first = self._plan.creates and self._plan.sequential
        if self._parts is None or self._next is None or not self._is_last:
            return {}
        if not (self._numbered or first):
            return {}
        record, (start, stop) = self._record, self._next
        record.storage_state = merge(record.storage_state, state)
        token, own = self.fencing_token, self._numbered
        return self._parts.hand_over(record, start, stop, token=token, own=own)


def entered(record: Record, plan: WritePlan) -> dict[str, object]:
    """Return the record's columns with the range leased and every overlapping lease removed."""
    number = record.fencing_token + 1
    others = [e for e in record.write_leases or [] if not _overlaps(e, plan.start, plan.stop)]
    entries = [*others, _entry(number, plan.start, plan.stop, appends=plan.appends)]
    return {"fencing_token": number, "write_leases": entries[-_MOST:]}


def is_taken(record: Record, plan: WritePlan) -> bool:
    """Return whether the record's latest lease is one for the plan's range."""
    entry = _entry(record.fencing_token, plan.start, plan.stop, appends=plan.appends)
    return entry in (record.write_leases or [])


def _entry(number: int, start: int, stop: int | None, *, appends: bool) -> list[int | None]:
    return [number, start, stop, *([1] if appends else [])]


def without_appends(record: Record) -> dict[str, object]:
    """Return the record's columns with the leases of appends removed; none if there are none."""
    chunks = [entry for entry in record.write_leases or [] if len(entry) == _CHUNK]
    if chunks == (record.write_leases or []):
        return {}
    return {"fencing_token": record.fencing_token + 1, "write_leases": chunks or None}


def _overlaps(entry: list[int | None], start: int, stop: int | None) -> bool:
    _, low, high = entry[:_CHUNK]
    return (stop is None or (low or 0) < stop) and (high is None or start < high)
