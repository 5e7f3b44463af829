"""The rules of an upload: create, write, abort, expire. No Flask, no HTTP.

A chunk's way: :meth:`UploadEngine.begin` checks it against the record and takes the write lease for
its range; :class:`~chunked_upload.engine.chunk.Chunk` takes the bytes, makes them durable, and
moves the recorded offset by compare-and-swap. *Acknowledged ≤ recorded ≤ durable* holds at every
instant, and
a crash between any two steps leaves bytes past the offset that the next try overwrites. How an
upload is completed is in completion.py, how one is removed in removal.py.

Order matters in two more places. A lease is taken *before* the record is read for good, so that a
writer never trusts an offset which the one it displaces is about to move; the record as it was
looked up will do when the storage knows that nobody has had a lease since. And when a lease ended
another one, the record's ``fencing_token`` is raised first: the displaced request may have all its
bytes on disk and be one statement away from its commit, which must now fail.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from chunked_upload.checksum.background import BackgroundDigests
from chunked_upload.errors import (
    AlreadyComplete,
    OffsetMismatch,
    SizeMismatch,
    TotalMismatch,
    UploadExpired,
    UploadNotFound,
)
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Quota, Record, Records
from chunked_upload.settings.keys import Settings
from chunked_upload.storage import Storage, WriteLease
from chunked_upload.storage.base import PartMissing
from chunked_upload.support.clock import utcnow

from . import ranges
from .chunk import Chunk
from .completion import Completion
from .duplicate_chunk import DuplicateChunk
from .failures import translate_failures
from .removal import Removal

#: What the engine tells those who listen: the event's name and the record it happened to.
Emit = Callable[[str, Record], None]

#: Raises when a chunk does not fit its record.
Check = Callable[[], None]


class UploadEngine:
    """The uploads of one upload set.

    :param emit: called after the fact with ``created``, ``chunk_received``, ``completed``,
        ``expired`` or ``aborted`` and the record.
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
        self._now = now
        self._digests = BackgroundDigests()
        self._removal = Removal(
            storage, records, directory=self._directory, now=now, expires=self._expiry
        )
        #: How uploads are completed.
        self.completion = Completion(
            storage,
            records,
            self._digests,
            directory=self._directory,
            now=now,
            still_open=self._check_still_open,
            delete_late=self._removal.delete_late,
        )

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
        """Return an owner's upload (None: one without an owner) by its id.

        :raises UploadNotFound: when there is none.
        """
        with translate_failures():
            record = self.records.find(upload_id, upload_set=upload_set, owner=owner)
        if record is None:
            raise UploadNotFound
        return record

    def check_unexpired(self, record: Record) -> None:
        """:raises UploadExpired: for an unfinished upload past its time."""
        if record.status == Status.UPLOADING and record.expires_on <= self._now():
            raise UploadExpired

    def check_open(self, record: Record) -> None:
        """Check that the upload still takes chunks.

        :raises UploadExpired, AlreadyComplete:
        """
        if record.status == Status.COMPLETE:
            raise AlreadyComplete
        self.check_unexpired(record)

    # Create and write

    def create(self, record: Record, *, counts: bool = True) -> None:
        """Insert a new record, holding its place in the owner's quota before any byte arrives.

        :param counts: False for a chunk that will not become an upload of its own.
        :raises LimitExceeded: when the quota is used up.
        :raises KeyTaken: when its client has an upload of the same ``client_key``.
        """
        limits = self.settings
        quota = None
        if counts and (limits.max_open_uploads or limits.max_open_bytes):
            quota = Quota(limits.max_open_uploads, limits.max_open_bytes)
        record.expires_on = self._expiry()
        with translate_failures():
            self.records.insert(record, quota)

    def begin(
        self,
        record: Record,
        *,
        start: int,
        stop: int | None,
        total: int | None,
        new: bool = False,
        anywhere: bool = False,
        last: bool = False,
        max_bytes: int | None = None,
    ) -> Chunk:
        """Take the write lease for ``[start, stop)``, ending an older request for the same range.

        :param stop: end of the range, exclusive; None when only the body's end will tell.
        :param total: the file's length as this request declares it; None likewise.
        :param new: the record was created by this very request, nobody else knows it.
        :param anywhere: the chunk may lie beyond the prefix or repeat stored bytes (parallel
            dialects, which may also know the record before it was created); otherwise it must
            start at the offset.
        :param last: with ``anywhere``: where this chunk ends, the file ends; until it is there,
            its ``stop`` is only the most it can be, and the record's length what was announced.
        :param max_bytes: most bytes the file may have, enforced while they arrive.
        :raises OffsetMismatch, SizeMismatch, TotalMismatch, AlreadyComplete, UploadExpired: before
            any byte.
        """
        if anywhere and not last and stop is None:
            raise ValueError("only a file's last chunk can lie anywhere without a known end")
        check = partial(self._check_fits, record, start, stop, total, anywhere, last)
        lease = self._claim(record, start, stop, check, new, anywhere)
        if last and _end_of_stored(record) > start:
            last, stop = False, record.length
        return Chunk(
            record,
            lease,
            start=start,
            stop=stop,
            total=total,
            new=new,
            alone=new and _is_empty(record) and not record.fencing_token,
            sequential=not anywhere,
            last=last,
            max_bytes=max_bytes,
            records=self.records,
            storage=self.storage,
            emit=self.emit,
            expires=self._expiry,
            forget=self.forget,
            digests=self._digests if self.settings.md5 else None,
        )

    def repeat(
        self, record: Record, *, start: int, stop: int | None, last: bool = False
    ) -> DuplicateChunk | None:
        """Return what compares a chunk whose bytes are all stored already, None for another.

        Parameters as for :meth:`begin` with ``anywhere``. Nothing is written, so it takes no lease,
        and the upload may be complete.

        :raises UploadExpired:
        :raises SizeMismatch: when the chunk cannot be one of this file.
        """
        self.check_unexpired(record)
        if last and _end_of_stored(record) > start:
            stop = record.length
        whole = record.length is not None and record.offset == record.length
        if whole and last:
            stop = record.length
        stored = ranges.add(record.received, 0, record.offset)
        if stop is None or not (whole or ranges.covers(stored, start, stop)):
            return None
        if record.length is not None and not start <= stop <= record.length:
            raise SizeMismatch(f"the chunk ends at byte {stop}, the file has {record.length}")
        return DuplicateChunk(
            record, start=start, stop=stop, records=self.records, storage=self.storage
        )

    def gaps(self, record: Record) -> ranges.Ranges:
        """Return the ranges that are still missing.

        :raises ValueError: when the length is not known yet.
        """
        if record.length is None:
            raise ValueError("the length of this upload is not known yet")
        return ranges.gaps(record.offset, record.received, record.length)

    def _check_fits(
        self,
        record: Record,
        start: int,
        stop: int | None,
        total: int | None,
        anywhere: bool,
        last: bool,
    ) -> None:
        self.check_open(record)
        if total is not None and record.length is not None and total != record.length:
            raise TotalMismatch(record.length)
        if not anywhere and start != record.offset:
            raise OffsetMismatch(record.offset)
        length = total if record.length is None else record.length
        end = start if last else stop
        if length is not None and end is not None and end > length:
            raise SizeMismatch(f"the chunk ends at byte {end}, the file has {length}")

    def _claim(
        self, record: Record, start: int, stop: int | None, check: Check, new: bool, anywhere: bool
    ) -> WriteLease:
        """Take the lease for a chunk that fits the record, also once the lease is taken."""
        with translate_failures():
            try:
                if not new:
                    check()
                lease = self._take_lease(record, start, stop, check)
                try:
                    self._confirm(record, lease, check, new, anywhere)
                except BaseException:
                    lease.close()
                    raise
            except BaseException:
                if new:
                    self.forget(record)
                raise
        return lease

    def _confirm(
        self, record: Record, lease: WriteLease, check: Check, new: bool, anywhere: bool
    ) -> None:
        """Check a chunk once more, now that its lease is taken."""
        if lease.preempted or (anywhere and not new and _is_empty(record)):
            # The second: so that a failing creator does not take the upload away from us.
            self.records.raise_fencing_token(record)
        if anywhere or not new:
            self._look_again(record)
            check()

    def _take_lease(self, record: Record, start: int, stop: int | None, check: Check) -> WriteLease:
        have = _end_of_stored(record)
        try:
            return self.storage.take_lease(record.upload_id, start, stop, have=have)
        except PartMissing:
            # No loss when the upload has been removed or completed since it was looked up.
            self._look_again(record)
            check()
            if record.offset == record.length:
                # It is being completed right now: the part has its final name as well.
                raise OffsetMismatch(record.offset) from None
            raise

    def _look_again(self, record: Record) -> None:
        """Read the record anew, now that the lease is taken."""
        gone = not self.records.refresh(record) or record.status == Status.DELETING
        if gone or record.status == Status.COMPLETE:
            # It came so between look-up and lease; taking the lease may have made its files again.
            self.storage.discard_part(record.upload_id)
        if gone:
            raise UploadNotFound

    def _check_still_open(self, record: Record) -> None:
        """:raises UploadNotFound, AlreadyComplete: when it is not open any more."""
        self._look_again(record)
        self.check_open(record)

    def _expiry(self) -> datetime:
        return self._now() + self.settings.expiration_delta

    # Remove

    def forbid(self, record: Record) -> None:
        """Refuse all chunks of an upload that was canceled before any of them has come.

        :param record: a new one, with a ``client_key``.
        :raises KeyTaken: when there is one by now.
        """
        record.status = int(Status.DELETING)
        record.expires_on = self._expiry()
        with translate_failures():
            self.records.insert(record, None)

    def abort(self, record: Record) -> None:
        """Remove an upload, finished or not, with its bytes.

        :raises UploadNotFound: when somebody else has removed it.
        """
        self._removal.abort(record)
        self.emit("aborted", record)

    def forget(self, record: Record) -> None:
        """Remove what a refused first chunk made, unless someone has taken the upload over."""
        self._removal.forget(record)

    def expire(self, record: Record, *, now: datetime | None = None) -> bool:
        """Remove an upload whose time is up; False when it is no longer so (a chunk came).

        :param now: the time to go by instead of the engine's clock.
        """
        if not self._removal.expire(record, now or self._now()):
            return False
        self.emit("expired", record)
        return True

    def finish_removal(self, record: Record) -> None:
        """Finish the removal of a record marked DELETING by a process that died."""
        self._removal.finish(record)

    def _directory(self, record: Record) -> str:
        return record.created_on.strftime(self.settings.path).strip("/")


def _end_of_stored(record: Record) -> int:
    """Return the end of the last byte that is recorded, gaps before it or not."""
    return record.received[-1][1] if record.received else record.offset


def _is_empty(record: Record) -> bool:
    return _end_of_stored(record) == 0
