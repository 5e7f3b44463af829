"""Completing an upload, in this order: checksums, final place, record, the application's hook.

Every step may be repeated, so that a crash in any of them is finished by repeating the request: the
part keeps its name until the record says complete, the record is swapped once, and the hook runs
under a lock until it has returned once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartMissing
from chunked_upload.storage.powers import LocksExclusively

from .checksumming import FileChecksums
from .errors import NotComplete, ServiceUnavailable
from .failures import translate_failures
from .parts import EngineParts
from .removal import Removal
from .states import Event, State, refusal

logger = logging.getLogger(__name__)

#: Compare-and-swap tries before giving up on a record that others keep changing.
_TRIES = 20


class Completion:
    """Completes uploads of one engine.

    :param removal: removes what was promoted for an upload that was removed meanwhile.
    """

    def __init__(self, parts: EngineParts, removal: Removal) -> None:
        self._parts = parts
        self._storage = parts.storage
        self._records = parts.records
        self._removal = removal
        self._checksums = FileChecksums(parts, part_in_use=self._part_in_use)

    def checksums(self, record: Record, also: Iterable[str] = ()) -> dict[str, str]:
        """Return the checksums of the file by name: those that are kept, and those of ``also``.

        :raises NotComplete: when bytes are missing.
        :raises AlreadyComplete: when another request has completed the upload meanwhile.
        """
        return self._checksums.of(record, also)

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
            record.path = self._storage.promote(record, self._parts.directory(record))
        self.mark(record)

    def commit(self, record: Record) -> bool:
        """Record the completion. False when another request did so first.

        :raises UploadNotFound: when the upload was removed meanwhile.
        """
        key = record.path
        values = {
            "status": int(State.COMPLETE),
            "path": key,
            "checksums": record.checksums,
            "completed_on": record.completed_on,
            "checksum_states": {},
        }
        with translate_failures():
            for _ in range(_TRIES):
                if self._records.swap(record, values, offset=record.offset):
                    self._checksums.drop(record)
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
            self._storage.discard_part(record)
            if record.notified_on is not None:
                return
            with self._only_one(record) as mine:
                if mine and self._records.refresh(record) and record.notified_on is None:
                    self._notify(record, notify)

    def _only_one(self, record: Record) -> AbstractContextManager[bool]:
        """Hold the right to run the hook: by a lock that no dead process holds, else by a lease."""
        if isinstance(self._storage, LocksExclusively):
            return self._storage.only_one(record)
        return self._records.leases.hold(record.upload_id)

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
