"""Removing an upload so that a crash at any point leaves something to go on from.

The record is marked first, by compare-and-swap: from then on no chunk and no completion of it can
be committed. Then its files go, then the record. What a process that died leaves marked, the
cleaner finishes. Files are removed by name, and a finished file's name is free again at once; so
whoever may be late looks first whether the name is another upload's by now.

A record with a ``client_key`` stays marked until its time is up: its client names the upload, not
we, so a chunk that comes late would otherwise begin the upload anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chunked_upload.records.repository import Record

from .errors import ServiceUnavailable, StorageFull
from .failures import translate_failures
from .parts import EngineParts
from .states import Event, State, allows, follow

#: Tries to mark a record that other requests keep changing.
_TRIES = 20


class Removal:
    """Removes uploads of one engine."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._storage = parts.storage
        self._records = parts.records

    def abort(self, record: Record) -> None:
        """Remove an upload, finished or not, also when there is no room to record that.

        :raises UploadNotFound: when somebody else has removed it.
        """
        try:
            with translate_failures():
                self._mark(record)
                self._purge(record)
        except StorageFull:
            # The bytes to be removed may be what takes up the room.
            with translate_failures(), self._records.with_reserve():
                self.discard_files(record)
                if allows(record, Event.REMOVE):
                    self._mark(record)
                self._purge(record)

    def forget(self, record: Record) -> None:
        """Remove a record without acknowledged bytes, unless its fencing token has moved on."""
        if not allows(record, Event.FORGET):
            return  # canceled meanwhile, and its key is to stay
        with translate_failures():
            # Marked first, so that a crash in between leaves the cleaner a record to go by.
            # Without its key: the client's next chunk may begin the upload anew.
            mark = {"status": int(State.DELETING), "client_key": None}
            if self._records.swap(record, mark, offset=0):
                self._purge(record)

    def expire(self, record: Record, now: datetime) -> bool:
        """Remove an upload whose time is up; False when it is no longer so."""
        with translate_failures():
            if not self._records.swap(record, self._mark_of(record), expired_at=now):
                return False
            self._purge(record)
        return True

    def finish(self, record: Record) -> None:
        """Finish a removal whose process died, or is only slow."""
        with translate_failures():
            if self._records.refresh(record):
                self.delete_late(record, record.path)
                self._purge(record, delete=False)

    def delete_late(self, record: Record, key: str | None) -> None:
        """Remove a removed upload's finished file, unless that name is another upload's by now.

        Another's it is when a record names it, or when it still is another upload's part as well.
        """
        if key is None:
            return
        if self._storage.has_part(record):  # and so can be told from others'
            self._storage.retract(record, self._parts.directory(record))
            return
        if not self._storage.is_part(key) and not self._records.is_others_file(key, record):
            self._storage.delete(key)

    def _mark(self, record: Record) -> None:
        for _ in range(_TRIES):
            if self._records.swap(record, self._mark_of(record)):
                return
            follow(self._parts.refresh(record), Event.REMOVE)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _mark_of(self, record: Record) -> dict[str, Any]:
        mark: dict[str, Any] = {"status": int(State.DELETING)}
        return mark if record.client_key is None else mark | {"expires_on": self._parts.expiry()}

    def _purge(self, record: Record, *, delete: bool = True) -> None:
        # Files first: a record without files can be purged again, files without one are litter.
        # Once the row is gone, another process has finished this removal, and the finished file's
        # name may be the next upload's.
        if delete and record.path and not self._records.refresh(record):
            return
        self.discard_files(record, delete=delete)
        self._records.remove(record, now=self._parts.now())

    def discard_files(self, record: Record, *, delete: bool = True) -> None:
        """Remove an upload's bytes, and nothing of its record.

        :param delete: also the finished file, by its name.
        """
        if record.path is None:
            self._storage.retract(record, self._parts.directory(record))
        elif delete:
            self._storage.delete(record.path)
        self._storage.discard_part(record)
