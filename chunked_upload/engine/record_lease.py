"""A write lease in the upload's record, for storages that have no leases.

The record lists who may write which range, as ``[number, start, stop]``, and with a fourth item for
an append. The number is the fencing token that taking the lease has set. A newcomer removes
overlapping entries and adds its own by compare-and-swap, which also fences every request that read
the record earlier. If a killed process leaves an entry, the next request for that range removes it.
Nobody checks the lease while bytes arrive: a preempted writer writes to a separate place, and its
commit finds its entry gone. The commit of a chunk may take the lease of the next one along
(leases_ahead.py).
"""

from __future__ import annotations

from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartWriter, StorageState, WriteLease, merge
from chunked_upload.storage.powers import WritesParts

from .leases_ahead import LeaseAhead, LeasesAhead
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
    :param leases: where leases that are taken ahead are remembered.
    :param takes_ahead: whether this one's commit may take one.
    """

    #: Taking the lease has raised the fencing token in the same statement, or the record was found
    #: as the commit has left it that took the lease.
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
        leases: LeasesAhead,
        takes_ahead: bool,
    ) -> None:
        self._writer = writer
        self._plan = plan
        self._parts = parts
        self._numbered = numbered
        self._leases = leases
        self._takes_ahead = takes_ahead
        self._ahead: LeaseAhead | None = None
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
        self._ahead = None if others else self._taken_ahead(end, length)
        if self._ahead is None:
            return {"write_leases": others or None}
        return _alone(self._ahead)

    def _taken_ahead(self, end: int | None, length: int | None) -> LeaseAhead | None:
        """Return the lease of a chunk like this one that begins where this one ends."""
        plan = self._plan
        begun = end is not None and end > plan.start and (length is None or end < length)
        if not (self._takes_ahead and begun and self._is_last) or end is None or plan.stop is None:
            return None
        stop = end + (end - plan.start)
        return LeaseAhead(
            number=self.fencing_token + 1,
            start=end,
            stop=stop if length is None else min(stop, length),
            appends=plan.appends,
            keeps_progress=plan.keeps_progress,
            # A form's first chunk may be read back, and so has no numbers; the others do not.
            numbered=self._numbered
            or (self._parts is not None and plan.creates and plan.sequential),
        )

    @property
    def _is_last(self) -> bool:
        """Whether no request has taken a lease since, as far as the record was read."""
        return self._record.fencing_token == self.fencing_token

    def ended(self, state: StorageState) -> StorageState:
        if self._parts is None or not self._is_last:
            return {}
        token = self.fencing_token if self._numbered else 0
        handed = self._parts.hand_over(token) if self._numbered else {}
        if self._ahead is None or not self._ahead.numbered:
            return handed
        # The numbers are given now: under the new token, nobody finds that they were handed over.
        record, ahead = self._record, self._ahead
        record.storage_state = merge(record.storage_state, {**state, **handed})
        return handed | self._parts.reserve(
            record, ahead.start, ahead.stop, extends=ahead.keeps_progress, token=token
        )

    def committed(self) -> None:
        self._leases.remember(self._record, self._ahead)
        self.close()


def entered(record: Record, plan: WritePlan) -> dict[str, object]:
    """Return the record's columns with the range leased and every overlapping lease removed."""
    number = record.fencing_token + 1
    others = [e for e in record.write_leases or [] if not _overlaps(e, plan.start, plan.stop)]
    entries = [*others, _entry(number, plan.start, plan.stop, appends=plan.appends)]
    return {"fencing_token": number, "write_leases": entries[-_MOST:]}


def _alone(ahead: LeaseAhead) -> dict[str, object]:
    """Return the record's columns with a lease that is taken ahead, and no other one."""
    entry = _entry(ahead.number, ahead.start, ahead.stop, appends=ahead.appends)
    return {"fencing_token": ahead.number, "write_leases": [entry]}


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
