"""Completes an upload, in this order: checksums, final place, record, the application's hook.

Every step may be repeated, so a client recovers from a crash in any step by repeating the request.
The part keeps its name until the record says complete. The record is swapped once. The hook runs
under a lock, and is retried until it returns without an error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from chunked_upload.records.events import EventKind
from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartMissing, Storage
from chunked_upload.storage.powers import LocksExclusively
from chunked_upload.support.measuring import Figure, measured

from .checksumming import FileChecksums
from .errors import NotComplete, ServiceUnavailable
from .failures import translate_failures
from .parts import EngineParts
from .pieces import is_piece
from .removal import Removal
from .states import Event, State, refusal
from .target import chosen_target, unique_target

logger = logging.getLogger(__name__)

#: Compare-and-swap tries before giving up on a record that others keep changing.
_TRIES = 20


class Completion:
    """Completes uploads of one engine.

    :param removal: removes a promoted file whose upload another request removed meanwhile.
    """

    def __init__(self, parts: EngineParts, removal: Removal) -> None:
        self._parts = parts
        self._records = parts.records
        self._removal = removal
        self._checksums = FileChecksums(parts, part_in_use=self._part_in_use)

    def checksums(self, record: Record, also: Iterable[str] = ()) -> dict[str, str]:
        """Return the checksums that the engine keeps, and those named in ``also``, by name.

        :raises NotComplete: when bytes are missing, or the upload is a piece of another one.
        :raises AlreadyComplete: when another request has completed the upload meanwhile.
        """
        _check_is_file(record)
        return self._checksums.of(record, also)

    def prepare(self, record: Record) -> PendingCompletion:
        """Return a checked upload's completion, not committed yet, so that hooks run first."""
        self.mark(record)
        return PendingCompletion(record, self)

    def mark(self, record: Record) -> None:
        """Set the completion's values on the record, so that hooks see them. Store nothing yet."""
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
        _check_is_file(record)
        chosen = None if record.target else chosen_target(record, self._parts.settings)
        with translate_failures(), self._part_in_use(record):
            storage = self._parts.storage_of(record)
            if storage is self._parts.stores.old:
                # Files that have moved leave names behind, which must not become another file's.
                chosen = self._unique_target(record, chosen, storage)
            if chosen is not None:
                self._records.targets.settle(record, chosen)
            record.path = storage.promote(*self._parts.target(record))
        self.mark(record)

    def _unique_target(self, record: Record, chosen: str | None, storage: Storage) -> str | None:
        """Return a target with the upload's id in its name, unless that is settled already."""
        settled = record.target is not None and record.upload_id in record.target
        if settled or not storage.has_part(record):  # promoted before, by renaming the part
            return chosen
        return unique_target(record, self._parts.settings, chosen)

    def commit(self, record: Record) -> bool:
        """Record the completion, and return False when another request did so first.

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
                told = EventKind.COMPLETED
                if self._records.swap(record, values, offset=record.offset, event=told):
                    self._checksums.drop(record)
                    return True
                state = self._parts.refresh(record)
                if (refused := refusal(state, Event.COMPLETE)) is not None:
                    self._removal.withdraw(record)
                    raise refused
                if state is State.COMPLETE:
                    return False
                # Only the fencing token has changed: a chunk that arrived too late raised it.
        raise ServiceUnavailable("Upload is being changed by other requests")

    def settle(self, record: Record, notify: Callable[[], None]) -> bool:
        """Remove the part and run the hook, once, after the completion is recorded.

        Return False when another request or process is running it at this moment.

        :param notify: the application's hook. If it raises, the error is logged, and the hook runs
            again when the client repeats the completion or ``retry-completions`` is called.
        """
        with translate_failures():
            self._parts.storage_of(record).discard_part(record)
            if record.notified_on is not None:
                return True
            with self._only_one(record) as mine:
                if mine and self._records.refresh(record) and record.notified_on is None:
                    self._notify(record, notify)
            return mine

    def _only_one(self, record: Record) -> AbstractContextManager[bool]:
        """Hold the right to run the hook: a lock of the storage if it has any, else a lease."""
        storage = self._parts.storage_of(record)
        if isinstance(storage, LocksExclusively):
            return storage.only_one(record)
        return self._records.leases.hold(record.upload_id)

    def _notify(self, record: Record, notify: Callable[[], None]) -> None:
        try:
            notify()
        except Exception:
            logger.exception("on_completion failed for upload %s; it can be retried", record)
            measured(Figure.HOOK_FAILURES)
            self._parts.emit("hook_failed", record)
        else:
            self._record_notified(record)

    def _record_notified(self, record: Record) -> None:
        for _ in range(_TRIES):
            if self._records.swap(record, {"notified_on": self._parts.now()}):
                return
            # A chunk that arrived too late has raised the fencing token, or the upload is being
            # removed.
            if refusal(self._parts.refresh(record), Event.NOTIFY) is not None:
                return
        logger.error("on_completion ran for upload %s, but this could not be recorded", record)

    @contextmanager
    def _part_in_use(self, record: Record) -> Iterator[None]:
        """Distinguish a lost part from one that another request removed or completed meanwhile.

        :raises UploadNotFound, AlreadyComplete: when another request did.
        """
        try:
            yield
        except (PartMissing, FileNotFoundError):
            self._parts.look_again(record)
            self._parts.check_open(record)
            raise


def _check_is_file(record: Record) -> None:
    """:raises NotComplete: for a piece, which only its whole makes a file."""
    if is_piece(record):
        raise NotComplete(record.offset)


class PendingCompletion:
    """The completion of a checked upload, not recorded yet."""

    def __init__(self, record: Record, completion: Completion) -> None:
        self.record = record
        self.committed = False
        self._completion = completion

    def commit(self) -> None:
        """Put the file in its final place and record it, unless another request did so first.

        :raises NotComplete, UploadNotFound:
        :raises AlreadyComplete: when the part is gone because another request completed the upload.
        """
        # Promote only after the hooks: if one raises, there must be no file in the final place.
        self._completion.promote(self.record)
        self._completion.commit(self.record)
        self.committed = True
