"""Completing an upload, in this order: MD5, final place, record, the application's hook.

Every step may be repeated, so that a crash in any of them is finished by repeating the request: the
part keeps its name until the record says complete, the record is swapped once, and the hook runs
under a lock until it has returned once.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from chunked_upload.checksum import md5
from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartMissing
from chunked_upload.support.blocking import blocking

from .errors import NotComplete, ServiceUnavailable
from .failures import translate_failures
from .parts import EngineParts
from .removal import Removal
from .states import Event, State, refusal, state_of

logger = logging.getLogger(__name__)

#: Compare-and-swap tries before giving up on a record that others keep changing.
_TRIES = 20

#: Bytes of a completed file read at a time.
_READ_SIZE = 1024 * 1024

#: Not for security: so that it can be had on systems under FIPS rules too.
_md5 = partial(hashlib.md5, usedforsecurity=False)


class Completion:
    """Completes uploads of one engine.

    :param removal: removes what was promoted for an upload that was removed meanwhile.
    """

    def __init__(self, parts: EngineParts, removal: Removal) -> None:
        self._parts = parts
        self._storage = parts.storage
        self._records = parts.records
        self._removal = removal

    def checksum(self, record: Record) -> str:
        """Return the MD5 of all recorded bytes, reading only those that the digest has not seen.

        :raises NotComplete: when bytes are missing.
        :raises AlreadyComplete: when another request has completed the upload meanwhile.
        """
        if state_of(record) is State.COMPLETE:
            return self._checksum_of_file(record)
        if record.offset != record.length:
            raise NotComplete(record.offset)
        digest = self._parts.digests.take(record.upload_id, record.offset)
        if digest is not None:
            digest.wait()
            return md5.MD5(digest.reached[0]).hexdigest()
        with blocking(), translate_failures():
            seen = record.digest_offset
            running: Any = md5.MD5.pick_up(record.digest_state, seen, seen)
            if running is None:
                running, seen = _md5(), 0
            with self._part_in_use(record):
                for data in self._storage.read_part(record.upload_id, seen, record.offset):
                    running.update(data)
        return str(running.hexdigest())

    def _checksum_of_file(self, record: Record) -> str:
        running = _md5()
        with blocking(), translate_failures(), self._storage.open(record.path or "") as file:
            while data := file.read(_READ_SIZE):
                running.update(data)
        return running.hexdigest()

    def prepare(self, record: Record) -> PendingCompletion:
        """Return the completion of an upload whose checksum is right, for hooks to see first."""
        self.mark(record)
        return PendingCompletion(record, self)

    def mark(self, record: Record) -> None:
        """Set on the record what a completion sets, for hooks to see; nothing is stored yet."""
        record.status = int(State.COMPLETE)
        record.completed_on = self._parts.now()

    def promote(self, record: Record) -> None:
        """Put the file in its final place.

        Nothing is recorded until :meth:`commit`; both may be repeated.

        :raises NotComplete: when bytes are missing.
        :raises AlreadyComplete: when another request has completed the upload meanwhile.
        """
        if record.offset != record.length:
            raise NotComplete(record.offset)
        with translate_failures(), self._part_in_use(record):
            record.path = self._storage.promote(
                record.upload_id, record.offset, self._parts.directory(record), record.filename
            )
        self.mark(record)

    def commit(self, record: Record) -> bool:
        """Record the completion. False when another request did so first.

        :raises UploadNotFound: when the upload was removed meanwhile.
        """
        key = record.path
        values = {
            "status": int(State.COMPLETE),
            "path": key,
            "md5": record.md5,
            "completed_on": record.completed_on,
            "digest_state": None,
        }
        with translate_failures():
            for _ in range(_TRIES):
                if self._records.swap(record, values, offset=record.offset):
                    return True
                state = self._parts.refresh(record)
                if (refused := refusal(state, Event.COMPLETE)) is not None:
                    self._removal.delete_late(record, key)
                    raise refused
                if state is State.COMPLETE:
                    return False
                # Only the fencing token has moved: by a chunk that came too late, and is refused.
        raise ServiceUnavailable("Upload is being changed by other requests")

    def settle(self, record: Record, notify: Callable[[], None]) -> None:
        """Do what follows a recorded completion, once: drop the part, run the hook.

        :param notify: the application's hook. What it raises is logged; it runs again when the
            completion is repeated or ``retry-completions`` is called.
        """
        with translate_failures():
            self._storage.discard_part(record.upload_id)
            if record.notified_on is not None:
                return
            with self._storage.only_one(record.upload_id) as mine:
                if mine and self._records.refresh(record) and record.notified_on is None:
                    self._notify(record, notify)

    def _notify(self, record: Record, notify: Callable[[], None]) -> None:
        try:
            notify()
        except Exception:
            logger.exception("on_completion failed for upload %s; it can be retried", record)
        else:
            self._record_notified(record)

    def _record_notified(self, record: Record) -> None:
        for _ in range(_TRIES):
            if self._records.swap(record, {"notified_on": self._parts.now()}):
                return
            # A chunk that came too late has moved the fencing token; or the upload is being
            # removed.
            if refusal(self._parts.refresh(record), Event.NOTIFY) is not None:
                return
        logger.error("on_completion ran for upload %s, which could not be recorded", record)

    @contextmanager
    def _part_in_use(self, record: Record) -> Iterator[None]:
        """Tell a part that is lost from one that a removal or completion took away meanwhile.

        :raises UploadNotFound, AlreadyComplete: for the latter.
        """
        try:
            yield
        except PartMissing:
            self._parts.look_again(record)
            self._parts.check_open(record)
            raise


class PendingCompletion:
    """The completion of an upload that is checked, and not recorded yet."""

    def __init__(self, record: Record, completion: Completion) -> None:
        self.record = record
        self.committed = False
        self._completion = completion

    def commit(self) -> None:
        """Put the file in its final place and record it; fine when another request was first.

        :raises NotComplete, UploadNotFound:
        :raises AlreadyComplete: when the part is gone, another request having completed the upload.
        """
        # Not before hooks have run, so that one that raises leaves no file in the final place.
        self._completion.promote(self.record)
        self._completion.commit(self.record)
        self.committed = True
