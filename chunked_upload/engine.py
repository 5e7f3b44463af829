"""The rules of an upload: create, write, complete, abort, expire. No Flask, no HTTP.

A chunk's way: :meth:`UploadEngine.begin` checks it against the record and takes the turn to write
its range; bytes go to the storage while the digest follows; :meth:`Chunk.finish` makes them
durable; :meth:`Chunk.commit` moves the recorded offset by compare-and-swap. Only then may a dialect
tell the client the new offset, so *acknowledged ≤ recorded ≤ durable* holds at every instant, and a
crash between any two steps leaves bytes past the offset that the next try overwrites.

Order matters in two more places. A turn is taken *before* the record is read for good, so that a
writer never trusts an offset which the one it displaces is about to move. And when a turn ended
another one, the record's ``turn`` is raised first: the displaced request may have all its bytes on
disk and be one statement away from its commit, which must now fail.
"""

from __future__ import annotations

import errno
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from . import digest
from .errors import (
    AlreadyComplete,
    ChunkedUploadError,
    FileTooLarge,
    NotComplete,
    OffsetMismatch,
    ServiceUnavailable,
    SizeMismatch,
    StorageFull,
    TotalMismatch,
    UploadExpired,
    UploadNotFound,
)
from .models import Status, utcnow
from .records import Quota, Record, Records
from .settings import Settings
from .storage import Storage, Turn, TurnLost
from .storage.base import PartMissing, StorageBusy

logger = logging.getLogger(__name__)

#: What the engine tells those who listen: the event's name and the record it happened to.
Emit = Callable[[str, Record], None]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

#: Compare-and-swap tries before giving up on a record that others keep changing.
_TRIES = 20


@contextmanager
def failing_parts() -> Iterator[None]:
    """Turn what storage and database say when they fail into answers: 507 or 503, or 410."""
    try:
        yield
    except PartMissing as error:
        logger.error("the bytes of upload %s are missing from the storage", error)
        raise UploadExpired(reason="the bytes of this upload are gone; begin anew") from error
    except StorageBusy as error:
        raise ServiceUnavailable(f"Storage is busy: {error}") from error
    except OSError as error:
        logger.exception("storage failed")
        if error.errno in _NO_ROOM:
            raise StorageFull from error
        raise ServiceUnavailable(f"Storage failed: {error.strerror}") from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        logger.exception("database failed")
        if "full" in str(getattr(error, "orig", "")):
            raise StorageFull from error
        raise ServiceUnavailable("Database is unavailable") from error


class UploadEngine:
    """The uploads of one mount.

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

    # Look up

    def find(self, statement: Any) -> Record:
        """Return the record that a query selects.

        :raises UploadNotFound: when it selects none.
        """
        with failing_parts():
            record = self.records.first(statement)
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
        """
        limits = self.settings
        quota = None
        if counts and (limits.max_open_uploads or limits.max_open_bytes):
            quota = Quota(limits.max_open_uploads, limits.max_open_bytes)
        record.expires_on = self._now() + limits.expiration_delta
        with failing_parts():
            self.records.insert(record, quota)

    def begin(
        self,
        record: Record,
        *,
        start: int,
        stop: int | None,
        total: int | None,
        new: bool = False,
        max_bytes: int | None = None,
    ) -> Chunk:
        """Take the turn to write ``[start, stop)``, ending an older request for the same range.

        :param stop: end of the range, exclusive; None when only the body's end will tell.
        :param total: the file's length as this request declares it; None likewise.
        :param new: the record was created by this very request, nobody else knows it.
        :param max_bytes: most bytes the file may have, enforced while they arrive.
        :raises OffsetMismatch, TotalMismatch, AlreadyComplete, UploadExpired: before any byte.
        """
        if not new:
            self._check_fits(record, start, total)
        with ExitStack() as undo, failing_parts():
            if new:
                undo.callback(self.forget, record)
            turn = self.storage.take_turn(record.upload_id, start, stop, have=record.offset)
            undo.callback(turn.close)
            if turn.contended:
                self.records.raise_turn(record)
            if not new:
                self._check_still_fits(record, start, total)
            undo.pop_all()
        return Chunk(
            self, record, turn, start=start, stop=stop, total=total, new=new, max_bytes=max_bytes
        )

    def _check_fits(self, record: Record, start: int, total: int | None) -> None:
        self.check_open(record)
        if total is not None and record.length is not None and total != record.length:
            raise TotalMismatch(record.length)
        if start != record.offset:
            raise OffsetMismatch(record.offset)

    def _check_still_fits(self, record: Record, start: int, total: int | None) -> None:
        if not self.records.refresh(record) or record.status == Status.DELETING:
            # Removed between look-up and turn; taking the turn may have made its files again.
            self.storage.discard_part(record.upload_id)
            raise UploadNotFound
        self._check_fits(record, start, total)

    def refused(self, record: Record) -> ChunkedUploadError:
        """Say why a commit changed no row, from what the record says now."""
        if not self.records.refresh(record) or record.status == Status.DELETING:
            return UploadNotFound()
        if record.status == Status.COMPLETE:
            return AlreadyComplete()
        return OffsetMismatch(record.offset)

    def new_digest(self, record: Record, start: int) -> digest.MD5 | None:
        """Pick the running digest up at ``start``; None when its state is missing or behind."""
        if record.digest_offset != start or digest.resumable_md5() is None:
            return None
        if start and not record.digest_state:
            return None
        try:
            return digest.MD5(record.digest_state)
        except ValueError:  # written by another version or architecture
            return None

    # Complete

    def checksum(self, record: Record) -> str:
        """Return the MD5 of all recorded bytes, reading only those that the digest has not seen.

        :raises NotComplete: when bytes are missing.
        """
        if record.offset != record.length:
            raise NotComplete(record.offset)
        with failing_parts():
            running: Any = self.new_digest(record, record.digest_offset)
            seen = record.digest_offset
            if running is None:
                running, seen = hashlib.md5(usedforsecurity=False), 0
            for data in self.storage.read_part(record.upload_id, seen, record.offset):
                running.update(data)
        return str(running.hexdigest())

    def promote(self, record: Record) -> None:
        """Put the file in its final place and set on the record what a completion sets.

        Nothing is recorded until :meth:`commit_completion`; both may be repeated.

        :raises NotComplete: when bytes are missing.
        """
        if record.offset != record.length:
            raise NotComplete(record.offset)
        with failing_parts():
            record.path = self.storage.promote(
                record.upload_id, record.offset, self._directory(record), record.filename
            )
        record.status = Status.COMPLETE
        record.completed_on = self._now()

    def commit_completion(self, record: Record) -> bool:
        """Record the completion. False when another request did so first.

        :raises UploadNotFound: when the upload was removed meanwhile.
        """
        key = record.path
        values = {
            "status": int(Status.COMPLETE),
            "path": key,
            "completed_on": record.completed_on,
            "digest_state": None,
        }
        with failing_parts():
            if self.records.swap(record, values, offset=record.offset):
                return True
            gone = not self.records.refresh(record) or record.status == Status.DELETING
            if gone and key is not None:
                self.storage.delete(key)
            if record.status == Status.COMPLETE:
                return False
        raise UploadNotFound if gone else OffsetMismatch(record.offset)

    def settle(self, record: Record, notify: Callable[[], None]) -> None:
        """Do what follows a recorded completion, once: drop the part, run the hook.

        :param notify: the application's hook. What it raises is logged; it runs again when the
            completion is repeated or ``retry-completions`` is called.
        """
        with failing_parts():
            if self.storage.has_part(record.upload_id):
                self.storage.discard_part(record.upload_id)
            if record.notified_on is not None:
                return
            with self.storage.only_one(record.upload_id) as mine:
                if mine and self.records.refresh(record) and record.notified_on is None:
                    self._notify(record, notify)

    def _notify(self, record: Record, notify: Callable[[], None]) -> None:
        try:
            notify()
        except Exception:
            logger.exception("on_completion failed for upload %s; it can be retried", record)
        else:
            self.records.swap(record, {"notified_on": self._now()})

    # Remove

    def abort(self, record: Record) -> None:
        """Remove an upload, finished or not, with its bytes.

        :raises UploadNotFound: when somebody else has removed it.
        """
        with failing_parts():
            for _ in range(_TRIES):
                if self.records.swap(record, {"status": int(Status.DELETING)}):
                    self._purge(record)
                    return self.emit("aborted", record)
                if not self.records.refresh(record) or record.status == Status.DELETING:
                    raise UploadNotFound
        raise ServiceUnavailable("Upload is being changed by other requests")

    def forget(self, record: Record) -> None:
        """Remove what a refused first chunk made, unless someone has taken the upload over."""
        with failing_parts():
            if self.records.remove(record):
                self.storage.discard_part(record.upload_id)

    def expire(self, record: Record) -> bool:
        """Remove an upload whose time is up; False when it is no longer so (a chunk came)."""
        with failing_parts():
            if not self.records.swap(
                record, {"status": int(Status.DELETING)}, expired_at=self._now()
            ):
                return False
            self._purge(record)
        self.emit("expired", record)
        return True

    def finish_removal(self, record: Record) -> None:
        """Finish the removal of a record marked DELETING by a process that died."""
        with failing_parts():
            self._purge(record)

    def _purge(self, record: Record) -> None:
        # Files first: a record without files can be purged again, files without one are litter.
        if record.path:
            self.storage.delete(record.path)
        else:
            self.storage.retract(record.upload_id, self._directory(record), record.filename)
        self.storage.discard_part(record.upload_id)
        self.records.remove(record)

    def _directory(self, record: Record) -> str:
        return record.created_on.strftime(self.settings.path).strip("/")


class Chunk:
    """One chunk on its way in. Use as a context manager; leaving it without commit drops it."""

    def __init__(
        self,
        engine: UploadEngine,
        record: Record,
        turn: Turn,
        *,
        start: int,
        stop: int | None,
        total: int | None,
        new: bool,
        max_bytes: int | None,
    ) -> None:
        self.record = record
        self.start = start
        self.new = new
        #: Bytes taken in so far.
        self.received = 0
        self.committed = False
        self._engine = engine
        self._turn = turn
        self._stop = stop
        self._total = total
        self._max_bytes = max_bytes
        self._digest = engine.new_digest(record, start)
        self._values: dict[str, Any] = {}

    @property
    def position(self) -> int:
        """Where in the file the next byte goes."""
        return self.start + self.received

    def write(self, data: bytes) -> None:
        """Take in the next bytes.

        :raises SizeMismatch, FileTooLarge: when there are more than declared or allowed.
        :raises OffsetMismatch: when a newer request has taken over.
        :raises StorageFull, ServiceUnavailable: when the storage fails.
        """
        end = self.position + len(data)
        if self._stop is not None and end > self._stop:
            declared = self._stop - self.start
            raise SizeMismatch(f"{declared} bytes were declared, more arrived")
        if self._max_bytes is not None and end > self._max_bytes:
            raise FileTooLarge(self._max_bytes)
        with failing_parts():
            try:
                self._turn.write(data)
            except TurnLost as error:
                raise self._engine.refused(self.record) from error
        if self._digest is not None:
            self._digest.update(data)
        self.received += len(data)

    def finish(self, *, whole: bool = True) -> None:
        """Check the count and make the bytes durable; sets the new offset on the record.

        :param whole: True drops a chunk that broke off (the rule of chunk dialects); False keeps
            the prefix that arrived (the rule of offset dialects).
        :raises SizeMismatch: when bytes are missing from a whole chunk.
        """
        if whole and self._stop is not None and self.position != self._stop:
            declared = self._stop - self.start
            raise SizeMismatch(f"{declared} bytes were declared, {self.received} arrived")
        with failing_parts():
            self._turn.sync()
        self._values = {
            "offset": self.position,
            "expires_on": self._engine._now() + self._engine.settings.expiration_delta,
        }
        if self.record.length is None:
            self._values["length"] = self.position if self._total is None else self._total
        if self._digest is not None:
            self._values["digest_state"] = self._digest.state()
            self._values["digest_offset"] = self.position
        for name, value in self._values.items():
            setattr(self.record, name, value)

    def commit(self) -> None:
        """Record the new offset. After this, and not before, the client may be told.

        :raises OffsetMismatch, AlreadyComplete, UploadNotFound: when another request was first.
        """
        with failing_parts():
            if not self._engine.records.swap(self.record, self._values, offset=self.start):
                raise self._engine.refused(self.record)
        self.committed = True
        self._turn.close()
        if self.new:
            self._engine.emit("created", self.record)
        self._engine.emit("chunk_received", self.record)

    def bytes(self) -> Iterator[bytes]:
        """Read back what was taken in."""
        return self._engine.storage.read_part(self.record.upload_id, self.start, self.position)

    def __enter__(self) -> Chunk:
        return self

    def __exit__(self, *exception: object) -> None:
        self._turn.close()
        if self.new and not self.committed:
            self._engine.forget(self.record)
