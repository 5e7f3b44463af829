"""Ends appends that are under way, and keeps what they have written.

A newcomer takes over from an append in the same order as from any chunk: it ends the lease, raises
the record's fencing token, and reads the record. Then it records the append's bytes itself, synced,
so that it need not wait for a request that may hang. From there on the offset is the one at which
the next append is accepted.
"""

from __future__ import annotations

from chunked_upload.records.repository import Record
from chunked_upload.storage import WriteLease
from chunked_upload.storage.powers import LeasesRanges
from chunked_upload.support.measuring import Figure, measured

from . import ranges
from .errors import ServiceUnavailable
from .parts import EngineParts
from .record_lease import without_appends
from .states import State, state_of

#: Compare-and-swap tries before giving up on a record that others keep changing.
_TRIES = 20


class Takeover:
    """Takes over from appends of one engine's uploads."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._records = parts.records

    def interrupt(self, record: Record) -> None:
        """End appends of an upload; read its record again, with what they have written.

        :raises UploadNotFound: when the upload has been removed meanwhile.
        """
        storage = self._parts.storage_of(record)
        if not isinstance(storage, LeasesRanges):
            self._interrupt_in_record(record)
            return
        kept = storage.end_appends(record)
        if kept is not None:
            measured(Figure.TAKEOVERS)
            self._records.raise_fencing_token(record)
        self._parts.look_again(record)
        if kept:
            self._record(record, kept)

    def keep(self, record: Record, lease: WriteLease) -> None:
        """Record what the appends have written that a lease has preempted.

        :param record: read since the lease was taken.
        """
        if lease.kept is not None and lease.kept > record.offset:
            lease.sync()
            self._record(record, lease.kept)

    def _record(self, record: Record, end: int) -> None:
        """Record an append's bytes up to ``end``, which are synced.

        :raises UploadExpired: when its time has ended meanwhile.
        """
        for _ in range(_TRIES):
            if record.offset >= end or state_of(record) is not State.UPLOADING:
                return
            self._parts.check_unexpired(record)  # or it was made invalid
            offset, beyond = ranges.settle(end, record.received)
            values = {
                "offset": offset,
                "received": beyond,
                "expires_on": self._parts.expiry_after_chunk(record),
            }
            if self._records.swap(record, values, offset=record.offset):
                return
            self._parts.look_again(record)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _interrupt_in_record(self, record: Record) -> None:
        """End appends whose leases are in the record; what they have not recorded is lost."""
        for _ in range(_TRIES):
            self._parts.look_again(record)
            changes = without_appends(record)
            if not changes:
                return
            if self._records.swap(record, changes):
                measured(Figure.TAKEOVERS)
                return
        raise ServiceUnavailable("Upload is being changed by other requests")
