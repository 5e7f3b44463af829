"""Removes an upload in steps, so that a removal that crashes can be continued.

The record is marked first, by compare-and-swap. From then on no chunk and no completion can be
committed. Then the files are removed, then the record. If a process dies in between, the cleaner
finishes the removal. Files are removed by name, and the name of a finished file is free again at
once. So a request that may be late first checks that the name does not belong to another upload.

A record with a ``client_key`` stays marked until it expires. The client chose that name, so a chunk
that arrives late would otherwise start the upload again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chunked_upload.records.repository import Record

from .errors import ServiceUnavailable, StorageFull, UploadClaimed
from .failures import translate_failures
from .parts import EngineParts
from .states import Event, State, allows, follow, state_of

#: Tries to mark a record that other requests keep changing.
_TRIES = 20


class Removal:
    """Removes uploads of one engine."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._storage = parts.storage
        self._records = parts.records

    def abort(self, record: Record) -> None:
        """Remove an upload, finished or not, even when the database's disk is full.

        :raises UploadNotFound: when another request has removed it.
        :raises UploadClaimed: when the app uses it.
        """
        try:
            with translate_failures():
                self._mark(record)
                self._purge(record)
        except StorageFull:
            # This upload's bytes may be what fills the disk.
            with translate_failures(), self._records.with_reserve():
                self.discard_files(record)
                if allows(record, Event.REMOVE):
                    self._mark(record)
                self._purge(record)

    def forget(self, record: Record) -> None:
        """Remove a record without acknowledged bytes, unless its fencing token has changed."""
        if not allows(record, Event.FORGET):
            return  # canceled meanwhile; its key must stay
        with translate_failures():
            # Mark the record first, so that the cleaner finds it after a crash in between. Drop its
            # key, so that the client's next chunk may start the upload again.
            mark = {"status": int(State.DELETING), "client_key": None}
            if self._records.swap(record, mark, offset=0):
                self._purge(record)

    def expire(self, record: Record, now: datetime | None) -> bool:
        """Remove an expired upload; return False when it is no longer expired.

        :param now: None for an upload that nothing has claimed in time, whose own expiry does not
            count. A claim changes the fencing token.
        """
        if record.claimed_by is not None:
            return False
        with translate_failures():
            if not self._records.swap(record, self._mark_of(record), expired_at=now):
                return False
            self._purge(record)
        return True

    def end_time(self, record: Record, *, fences: bool = False) -> None:
        """Have an unfinished upload expire now; it stays until it is removed as expired.

        :param fences: also refuse chunks that are being received.
        :raises AlreadyComplete, UploadNotFound:
        """
        follow(state_of(record), Event.WRITE)
        with translate_failures():
            for _ in range(_TRIES):
                values: dict[str, Any] = {"expires_on": self._parts.now()}
                if fences:
                    values["fencing_token"] = record.fencing_token + 1
                if self._records.swap(record, values):
                    return
                follow(self._parts.refresh(record), Event.WRITE)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def finish(self, record: Record) -> None:
        """Finish a removal whose process died or is slow."""
        with translate_failures():
            if self._records.refresh(record):
                self.delete_late(record, record.path)
                self._purge(record, delete=False)

    def delete_late(self, record: Record, key: str | None) -> None:
        """Remove a removed upload's finished file, unless another upload has that name by now.

        It does when a record has the name, or when the file is also another upload's part.
        """
        if key is None:
            return
        if self._storage.has_part(record):  # the storage can tell its file from others'
            self._storage.retract(*self._parts.target(record))
            return
        if not self._storage.is_part(key) and not self._records.is_others_file(key, record):
            self._storage.delete(key)

    def _mark(self, record: Record) -> None:
        for _ in range(_TRIES):
            if record.claimed_by is not None:
                raise UploadClaimed
            if self._records.swap(record, self._mark_of(record)):
                return
            follow(self._parts.refresh(record), Event.REMOVE)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _mark_of(self, record: Record) -> dict[str, Any]:
        mark: dict[str, Any] = {"status": int(State.DELETING)}
        return mark if record.client_key is None else mark | {"expires_on": self._parts.expiry()}

    def _purge(self, record: Record, *, delete: bool = True) -> None:
        # Files first: a record without files can be purged again, but nobody finds files without a
        # record. Once the row is gone, another process has finished this removal, and the name of
        # the finished file may belong to the next upload.
        if delete and record.path and not self._records.refresh(record):
            return
        self.discard_files(record, delete=delete)
        self._records.remove(record, now=self._parts.now())

    def discard_files(self, record: Record, *, delete: bool = True) -> None:
        """Remove an upload's bytes; leave its record alone.

        :param delete: also remove the finished file, by its name.
        """
        if record.path is None:
            self._storage.retract(*self._parts.target(record))
        elif delete:
            self._storage.delete(record.path)
        self._storage.discard_part(record)
