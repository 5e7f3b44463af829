"""Removes an upload in steps, so that a removal that crashes can be continued.

The record is marked first, by compare-and-swap. From then on no chunk and no completion can be
committed. Then the files are removed, then the record. If a process dies in between, the cleaner
finishes the removal, also of one that is only slow. Files are removed by name, and the name of a
finished file is free again at once. So the storage first checks that the name does not belong to
another upload.

A record with a ``client_key`` stays marked until it expires. The client chose that name, so a chunk
that arrives late would otherwise start the upload again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chunked_upload.records.events import EventKind
from chunked_upload.records.repository import Record

from . import other_copy
from .errors import ServiceUnavailable, StorageFull, UploadClaimed
from .failures import translate_failures
from .parts import EngineParts
from .pieces import is_piece
from .states import Event, State, allows, follow, state_of

#: Tries to mark a record that other requests keep changing.
_TRIES = 20


class Removal:
    """Removes uploads of one engine."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
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
            self._parts.storage_of(record)  # another server must remove what this one cannot find
            told = _told(record, EventKind.EXPIRED)
            if not self._records.swap(record, self._mark_of(record), expired_at=now, event=told):
                return False
            self._purge(record)
        return True

    def remove_lost(self, record: Record) -> bool:
        """Remove an upload whose bytes are gone; return False when it has changed meanwhile.

        They may be gone because another request has completed or removed the upload.
        """
        with translate_failures():
            mark, told = self._mark_of(record), _told(record, EventKind.DELETED)
            if not self._records.swap(record, mark, offset=record.offset, event=told):
                return False
            self._purge(record)
        return True

    def end_time(self, record: Record, *, fences: bool = False) -> None:
        """Have an unfinished upload expire now; it stays until it is removed as expired.

        :param fences: also refuse chunks that are being received.
        :raises AlreadyComplete, UploadNotFound:
        """
        self._set_time(record, self._parts.now, fences=fences)

    def extend(self, record: Record, span: timedelta) -> datetime:
        """Have an unfinished upload expire a span from now at the earliest, and return when.

        :raises AlreadyComplete, UploadNotFound:
        """
        wanted = self._parts.now() + span
        # A chunk may have set a later time meanwhile.
        self._set_time(record, lambda: max(wanted, record.expires_on), fences=False)
        return record.expires_on

    def _set_time(self, record: Record, until: Callable[[], datetime], *, fences: bool) -> None:
        follow(state_of(record), Event.WRITE)
        with translate_failures():
            for _ in range(_TRIES):
                values: dict[str, Any] = {"expires_on": until()}
                if fences:
                    values["fencing_token"] = record.fencing_token + 1
                if self._records.swap(record, values):
                    return
                follow(self._parts.refresh(record), Event.WRITE)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def finish(self, record: Record) -> None:
        """Finish a removal whose process died or is slow."""
        with translate_failures():
            self._purge(record)

    def withdraw(self, record: Record) -> None:
        """Remove the file that this request has made of an upload which another one has removed."""
        self._parts.storage_of(record).withdraw(*self._parts.target(record))

    def _mark(self, record: Record) -> None:
        self._parts.storage_of(record)  # another server must remove what this one cannot find
        for _ in range(_TRIES):
            if record.claimed_by is not None:
                raise UploadClaimed
            told = _told(record, EventKind.DELETED)
            if self._records.swap(record, self._mark_of(record), event=told):
                return
            follow(self._parts.refresh(record), Event.REMOVE)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _mark_of(self, record: Record) -> dict[str, Any]:
        mark: dict[str, Any] = {"status": int(State.DELETING)}
        return mark if record.client_key is None else mark | {"expires_on": self._parts.expiry()}

    def _purge(self, record: Record) -> None:
        # Files first: a record without files can be purged again, but nobody finds files without a
        # record.
        self.discard_files(record)
        self._records.remove(record, now=self._parts.now())

    def discard_files(self, record: Record) -> None:
        """Remove an upload's bytes; leave its record alone."""
        storage = self._parts.storage_of(record)
        other_copy.discard(record, self._parts)
        storage.withdraw(*self._parts.target(record))
        if (key := record.path) is not None:
            is_others = partial(self._records.is_others_file, key, record)
            storage.delete_own(key, is_others=is_others)


def _told(record: Record, event: EventKind) -> EventKind | None:
    """Return the event of a removal; a piece, which is no file of its own, has none."""
    return None if is_piece(record) else event
