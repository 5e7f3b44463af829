"""The rules of an upload: create, write, abort, expire. No Flask, no HTTP.

The life of a chunk: :meth:`UploadEngine.begin` checks it and takes the write lease for its range.
:class:`~chunked_upload.engine.chunk.Chunk` writes the bytes, makes them durable, and moves the
recorded offset by compare-and-swap. *Acknowledged ≤ recorded ≤ durable* holds at every instant. A
crash between any two steps leaves bytes past the offset, which the next try overwrites.

Order matters in two more places. First, a request takes its lease *before* the decisive read of the
record, so that it never trusts an offset that the preempted request is about to move. It may skip
that read when no other request has had a lease since. Second, a request that preempts another
raises the record's ``fencing_token`` first: the other may be one statement away from its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from chunked_upload.records.events import EventKind
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import KeyTaken, Record, Records
from chunked_upload.settings.keys import Settings
from chunked_upload.storage import Storage
from chunked_upload.storage.stores import Stores

from . import ranges
from .chunk import Chunk
from .completion import Completion
from .digesting import Digests
from .duplicate_chunk import DuplicateChunk
from .errors import SizeMismatch, UploadClaimed, UploadNotFound
from .failures import translate_failures
from .file_check import FileCheck
from .holding import quota_of
from .leasing import Leasing
from .moving import Moving
from .parts import Emit, EngineParts
from .plan import Placement, WritePlan
from .removal import Removal
from .room import check_room
from .states import State
from .takeover import Takeover
from .target import directory_at


class UploadEngine:
    """The uploads of one upload set.

    :param emit: called after each event with its name and the record (parts.py).
    :param old_storage: has the uploads that are not moved yet.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        storage: Storage,
        records: Records,
        emit: Emit,
        old_storage: Storage | None = None,
    ) -> None:
        self.settings = settings
        #: The storage of new uploads.
        self.storage = storage
        self.stores = Stores(storage, old_storage)
        self.records = records
        self.emit = emit
        self._parts = EngineParts(
            settings=settings,
            stores=self.stores,
            records=records,
            emit=emit,
            digests=Digests(settings.kept_checksums),
        )
        self._removal = Removal(self._parts)
        self._takeover = Takeover(self._parts)
        #: How chunks get the right to write.
        self.leasing = Leasing(self._parts, self._takeover, forget=self._removal.forget)
        #: How uploads are completed.
        self.completion = Completion(self._parts, self._removal)
        #: How completed files are compared with their records.
        self.file_check = FileCheck(self._parts)

    def now(self) -> datetime:
        """Return the time by which uploads expire, aware and in UTC."""
        return self._parts.now()

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

    def has_expired(self, record: Record) -> bool:
        """Return whether an unfinished upload is past its time, by the clock that has set it."""
        return self._parts.has_expired(record)

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
        for storage in self.stores:
            storage.check()
            storage.check_promotion(directory_at(self._parts.now(), self.settings))

    def storage_of(self, record: Record) -> Storage:
        """Return the storage that has an upload's bytes.

        :raises ServiceUnavailable: when this server does not know it.
        """
        with translate_failures():
            return self._parts.storage_of(record)

    def open_file(self, record: Record) -> BinaryIO:
        """Open a completed upload's file for reading, or raise FileNotFoundError."""
        return self._parts.open_file(record)

    def has_moved(self, record: Record) -> bool:
        """Return whether a file has moved to another storage; the record tells where then."""
        with translate_failures():
            return self._parts.has_moved(record)

    # Create and write

    def create(
        self, record: Record, *, unless: UploadQuery | None = None, told: EventKind | None = None
    ) -> None:
        """Insert a new record, and reserve its place in the owner's quota, before any byte arrives.

        :param unless: uploads that the record's ``client_key`` may also mean.
        :param told: the event of an upload that exists from now on, not from its first chunk on.
        :raises LimitReached: when the quota is used up.
        :raises StorageFull: when the storage has no room for a file of its length.
        :raises KeyTaken: when the client already has an upload with this ``client_key``, or one of
            ``unless``.
        """
        record.created_on = record.created_on or self._parts.now()
        record.expires_on = self._parts.expiry()
        record.stored_in = self.storage.known_as
        record.storage_state = self.leasing.handed_at_creation(record)
        with translate_failures():
            check_room(record, self.storage)
            quota = quota_of(record, self.settings, self.records)
            self.records.insert(record, quota, unless=unless, event=told)

    def create_staged(self, record: Record, *, start: int, size: int, total: int) -> None:
        """Insert a record for a chunk that does not say yet to which upload it belongs.

        The chunk counts like an upload, unless it can lie in the place of the one that it continues
        (records/quota.py).

        :param start, size, total: where the chunk lies, its bytes, and the file's length.
        :raises LimitReached: when the quota is used up.
        """
        record.reserved = size
        if quota_of(record, self.settings, self.records) is not None:
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
        lease, holding = self.leasing.take(record, plan)
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

    # Move

    def moving(self, *, sent: Callable[[int], None], read_back: bool = False) -> Moving:
        """Return what moves completed uploads; its parameters are those of :class:`Moving`."""
        return Moving(self._parts, sent=sent, read_back=read_back)

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
        record.status, record.stored_in = int(State.DELETING), self.storage.known_as
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

        The next append is accepted at the recorded offset then. Chunks of chunk dialects go on.

        :raises UploadNotFound: when the upload has been removed meanwhile.
        """
        with translate_failures():
            self._takeover.interrupt(record)

    def invalidate(self, record: Record) -> None:
        """Have an unfinished upload expire, and end requests that write to it.

        :raises AlreadyComplete, UploadNotFound:
        """
        with translate_failures():
            self._parts.refresh(record)  # a refused completion may have set something on it
        self._removal.end_time(record, fences=True)

    def end_time(self, record: Record) -> None:
        """Have an unfinished upload expire now; a chunk that is being received may extend it.

        :raises AlreadyComplete, UploadNotFound:
        """
        self._removal.end_time(record)

    def extend(self, record: Record, span: timedelta) -> datetime:
        """Have an unfinished upload expire a span from now at the earliest; return when.

        :raises AlreadyComplete, UploadNotFound:
        """
        return self._removal.extend(record, span)

    def discard_files(self, record: Record) -> None:
        """Remove the bytes of an upload whose record the app has deleted."""
        with translate_failures():
            self._removal.discard_files(record)

    def remove_lost(self, record: Record) -> bool:
        """Remove an upload whose bytes are gone; return False when it has changed meanwhile."""
        if not self._removal.remove_lost(record):
            return False
        self.emit("aborted", record)
        return True

    def finish_removal(self, record: Record) -> None:
        """Finish the removal of a record that a dead process has marked DELETING."""
        self._removal.finish(record)
