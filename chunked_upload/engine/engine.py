"""The rules of an upload: create, write, abort, expire. No Flask, no HTTP.

The life of a chunk: :meth:`UploadEngine.begin` checks it against the record and takes the write
lease for its range. :class:`~chunked_upload.engine.chunk.Chunk` writes the bytes, makes them
durable, and moves the recorded offset by compare-and-swap. *Acknowledged ≤ recorded ≤ durable*
holds at every instant. A crash between any two steps leaves bytes past the offset, and the next
try overwrites them. completion.py completes an upload, removal.py removes one.

Order matters in two more places. First, a request takes its lease *before* the decisive read of the
record, so that it never trusts an offset that the preempted request is about to move. It may skip
that read when the storage knows that no other request has had a lease since. Second, a request
that preempts another raises the record's ``fencing_token`` before anything else: the preempted
request may have all its bytes on disk and be one statement away from its commit, which must fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import KeyTaken, Record, Records
from chunked_upload.settings.keys import Settings
from chunked_upload.storage import Storage
from chunked_upload.support.clock import utcnow

from . import ranges
from .chunk import Chunk
from .completion import Completion
from .digesting import Digests
from .duplicate_chunk import DuplicateChunk
from .errors import SizeMismatch, UploadClaimed, UploadNotFound
from .failures import translate_failures
from .holding import quota_of
from .last_leases import LastLeases
from .leasing import Leasing
from .parts import Emit, EngineParts
from .plan import Placement, WritePlan
from .removal import Removal
from .states import State
from .takeover import Takeover
from .target import directory_at


class UploadEngine:
    """The uploads of one upload set.

    :param emit: called after each event with its name (``created``, ``chunk_received``,
        ``completed``, ``expired`` or ``aborted``) and the record.
    :param now: the clock, aware and in UTC.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        storage: Storage,
        records: Records,
        emit: Emit,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        self.settings = settings
        self.storage = storage
        self.records = records
        self.emit = emit
        self._parts = EngineParts(
            settings=settings,
            storage=storage,
            records=records,
            emit=emit,
            now=now,
            digests=Digests(settings.kept_checksums),
            last_leases=LastLeases(),
        )
        self._removal = Removal(self._parts)
        self._takeover = Takeover(self._parts)
        self._leasing = Leasing(self._parts, self._takeover, forget=self._removal.forget)
        #: How uploads are completed.
        self.completion = Completion(self._parts, self._removal)

    # Look up

    def find(self, statement: Any) -> Record:
        """Return the record that a query selects.

        :raises UploadNotFound: when it selects none.
        """
        with translate_failures():
            record = self.records.first(statement)
        if record is None:
            raise UploadNotFound
        return record

    def find_own(self, upload_id: str, *, upload_set: str, owner: str | None) -> Record:
        """Return an owner's upload by its id; with ``owner=None``, one without an owner.

        :raises UploadNotFound: when there is none.
        """
        with translate_failures():
            record = self.records.find(upload_id, upload_set=upload_set, owner=owner)
        if record is None:
            raise UploadNotFound
        return record

    def check_unexpired(self, record: Record) -> None:
        """:raises UploadExpired: for an unfinished upload past its time."""
        self._parts.check_unexpired(record)

    def check_open(self, record: Record) -> None:
        """Check that the upload still takes chunks.

        :raises UploadExpired, AlreadyComplete:
        """
        self._parts.check_open(record)

    def check_storage(self) -> None:
        """Raise OSError when the storage cannot take bytes, or uploads cannot be completed."""
        self.storage.check()
        self.storage.check_promotion(directory_at(self._parts.now(), self.settings))

    # Create and write

    def create(self, record: Record, *, unless: UploadQuery | None = None) -> None:
        """Insert a new record, and reserve its place in the owner's quota, before any byte arrives.

        :param unless: uploads that the record's ``client_key`` may also mean.
        :raises LimitReached: when the quota is used up.
        :raises KeyTaken: when the client already has an upload with this ``client_key``, or one of
            ``unless``.
        """
        record.expires_on = self._parts.expiry()
        with translate_failures():
            self.records.insert(record, quota_of(self.settings), unless=unless)

    def create_staged(self, record: Record, *, start: int, size: int, total: int) -> None:
        """Insert a record for a chunk that does not say yet to which upload it belongs.

        The chunk counts like an upload, unless it can lie in the place of the one that it continues
        (records/quota.py).

        :param start, size: where the chunk lies in its file, and its bytes.
        :param total: the file's length.
        :raises LimitReached: when the quota is used up.
        """
        record.reserved = size
        if quota_of(self.settings) is not None:
            continued = self.records.queries.to_be_continued(record, start=start, total=total)
            with translate_failures():
                upload = self.records.first(continued)
            record.client_key = None if upload is None else upload.upload_id
        try:
            self.create(record)
        except KeyTaken:  # another chunk took that place just now
            record.client_key = None
            self.create(record)

    def begin(self, record: Record, plan: WritePlan) -> Chunk:
        """Take the write lease for a chunk's range, preempting an older request for that range.

        :raises OffsetMismatch, SizeMismatch, TotalMismatch, AlreadyComplete, UploadExpired: before
            any byte is written.
        :raises LimitReached: when the quota has no room for what the plan declares.
        """
        if plan.placement is Placement.ANYWHERE and plan.stop is None:
            raise ValueError("only a file's last chunk can lie anywhere without a known end")
        lease, holding = self._leasing.take(record, plan)
        return Chunk(record, lease, holding, self._parts, forget=self._removal.forget)

    def duplicate_of(self, record: Record, plan: WritePlan) -> DuplicateChunk | None:
        """Return the duplicate chunk if all bytes of the plan's range are stored, else None.

        A duplicate chunk writes nothing, so it needs no lease, and the upload may be complete.

        :param plan: the plan of a chunk that may lie anywhere.
        :raises UploadExpired:
        :raises SizeMismatch: when the chunk does not fit into this file.
        """
        self.check_unexpired(record)
        start, stop = plan.start, plan.settled(record).stop
        whole = record.length is not None and record.offset == record.length
        if whole and plan.last:
            stop = record.length
        stored = ranges.add(record.received, 0, record.offset)
        if stop is None or not (whole or ranges.covers(stored, start, stop)):
            return None
        if record.length is not None and not start <= stop <= record.length:
            raise SizeMismatch(f"the chunk ends at byte {stop}, the file has {record.length}")
        return DuplicateChunk(record, self._parts, start=start, stop=stop)

    def gaps(self, record: Record) -> ranges.Ranges:
        """Return the ranges that are still missing.

        :raises ValueError: when the length is not known yet.
        """
        if record.length is None:
            raise ValueError("the length of this upload is not known yet")
        return ranges.gaps(record.offset, record.received, record.length)

    # Claim

    def claim(self, records: Sequence[Record]) -> None:
        """Claim completed uploads for the app, all or none: each can be claimed once.

        :raises UploadClaimed: when one of them is claimed already, removed, or not complete.
        """
        with translate_failures():
            if not self.records.claims.take(records):
                raise UploadClaimed

    def release(self, records: Sequence[Record]) -> None:
        """Give up a claim, unless a row of the app uses the upload by now."""
        with translate_failures():
            self.records.claims.release(records)

    # Remove

    def forbid(self, record: Record, *, unless: UploadQuery | None = None) -> None:
        """Refuse all chunks of an upload that was canceled before any of them arrived.

        :param record: a new record with a ``client_key``.
        :param unless: uploads that the key may also mean.
        :raises KeyTaken: when a record with that key, or one of ``unless``, exists by now.
        """
        record.status = int(State.DELETING)
        record.expires_on = self._parts.expiry()
        with translate_failures():
            self.records.insert(record, None, unless=unless)

    def abort(self, record: Record) -> None:
        """Remove an upload, finished or not, with its bytes.

        :raises UploadNotFound: when another request has removed it.
        :raises UploadClaimed: when the app uses it.
        """
        self._removal.abort(record)
        self.emit("aborted", record)

    def forget(self, record: Record) -> None:
        """Remove the record and files of a refused first chunk, unless a request took over."""
        self._removal.forget(record)

    def expire(self, record: Record, *, now: datetime | None = None) -> bool:
        """Remove an expired upload; return False when it is no longer expired (a chunk arrived).

        :param now: the time to use instead of the engine's clock.
        """
        return self._expire(record, now or self._parts.now())

    def expire_unclaimed(self, record: Record) -> bool:
        """Remove a completed upload that nothing has claimed; return False if something has now."""
        return self._expire(record, None)

    def _expire(self, record: Record, now: datetime | None) -> bool:
        if not self._removal.expire(record, now):
            return False
        self.emit("expired", record)
        return True

    def interrupt(self, record: Record) -> None:
        """End an append that is under way, keeping its prefix; read the record again.

        The recorded offset is then the one at which the next append is accepted. Chunks of chunk
        dialects, which count whole or not at all, go on.

        :raises UploadNotFound: when the upload has been removed meanwhile.
        """
        with translate_failures():
            self._takeover.interrupt(record)

    def invalidate(self, record: Record) -> None:
        """Make an unfinished upload one that has expired, and end requests that write to it.

        :param record: may still have what a refused completion has set on it.
        :raises AlreadyComplete, UploadNotFound:
        """
        with translate_failures():
            self._parts.refresh(record)
        self._removal.end_time(record, fences=True)

    def end_time(self, record: Record) -> None:
        """Have an unfinished upload expire now: it takes no more chunks; the cleaner removes it.

        A chunk that is being received at this moment may still be stored, and extends the time.

        :raises AlreadyComplete, UploadNotFound:
        """
        self._removal.end_time(record)

    def discard_files(self, record: Record) -> None:
        """Remove the bytes of an upload whose record the app has deleted."""
        with translate_failures():
            self._removal.discard_files(record)

    def finish_removal(self, record: Record) -> None:
        """Finish the removal of a record that a dead process has marked DELETING."""
        self._removal.finish(record)
