"""Moves a completed upload's file to another storage, while it can be downloaded and removed.

In this order: note the copy in the record, copy, compare checksums, make the copy a file, compare
its size, switch the record by compare-and-swap, and remove the old file later. Until the switch
the old file counts, afterwards the new one. Every step may be repeated. A process that was killed
leaves the note of how far it came, and the next one continues there.

One process at a time copies an upload: whoever holds its completion lease, which expires when its
host dies. If a paused process wakes up afterwards, it finds another note than its own, and stops. A
storage gives each of both separate names and part numbers, as it does to requests.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from chunked_upload.records.repository import Record
from chunked_upload.storage import PartWriter
from chunked_upload.storage.base import LeaseLost, PartMissing, merge
from chunked_upload.storage.powers import WritesParts

from .file_check import FileDigests, differing, read_from, size_of
from .other_copy import Copy, Note, discard, discard_copy, is_being_made
from .parts import EngineParts
from .states import State, state_of

_MIB = 1024 * 1024

#: Bytes after which the progress is recorded, and the largest number of times that it is.
_STEP, _MOST_STEPS = 32 * _MIB, 320

#: Compare-and-swap tries before giving up on a record that others keep changing.
_TRIES = 20


class MoveFailed(Exception):
    """An upload cannot be moved; its old file stays."""


class BeingMoved(Exception):
    """Another process moves the upload, or runs its hook, right now."""


class NotToBeMoved(Exception):
    """The upload has been moved by another process, or removed."""


class Moving:
    """Moves the files of one engine's completed uploads from its old storage to its current one.

    :param sent: called with the number of bytes before they are sent; it may wait.
    :param read_back: whether to read each copy again before it counts.
    """

    def __init__(
        self, parts: EngineParts, *, sent: Callable[[int], None], read_back: bool = False
    ) -> None:
        self._parts = parts
        self._records = parts.records
        self._target = parts.stores.current
        self._sent = sent
        self._read_back = read_back

    def move(self, record: Record) -> None:
        """Copy an upload's file, check the copy, and have it count.

        :raises BeingMoved, NotToBeMoved:
        :raises MoveFailed: when the old file is not what the record says, or the new storage has
            another file of that name.
        :raises StorageBusy, OSError: when a storage fails.
        """
        with self._records.leases.hold(record.upload_id) as mine:
            if not mine:
                raise BeingMoved
            self._check(record)
            self._begin(record)
            try:
                self._copy(record)
                key = self._promote(record)
            except NotToBeMoved:
                self._retract(record)
                raise
            except LeaseLost as error:
                raise BeingMoved from error
            except (PartMissing, FileNotFoundError) as error:
                if self._is_gone(record):
                    self._retract(record)
                    raise NotToBeMoved from error
                self._give_up(record)
                raise MoveFailed("parts of its copy are gone; run it again") from error
            except MoveFailed:
                self._give_up(record)
                raise
            self._switch(record, key)

    def drop_old(self, record: Record) -> None:
        """Remove the old file of a moved upload.

        The name of the old file is never given to another one (Completion), so this may come late.
        """
        discard(record, self._parts)
        with suppress(NotToBeMoved):
            self._swap(record, {"other_copy": None})

    def _check(self, record: Record) -> None:
        state = self._parts.refresh(record)
        if state is not State.COMPLETE or self._parts.storage_of(record) is self._target:
            raise NotToBeMoved

    def _begin(self, record: Record) -> None:
        """Note the copy, or the numbers of its next parts, before anything is sent."""
        if is_being_made(record, self._target):
            note: Note = dict(record.other_copy or {})
        else:
            discard(record, self._parts)  # an earlier move has kept it
            note = {"to": self._target.known_as, "offset": 0, "state": None, "digests": {}}
        target, copy = self._target, Copy(record, note)
        if isinstance(target, WritesParts) and copy.offset < record.offset:
            changes = target.reserve(copy, copy.offset, record.offset, extends=True, token=None)
            note["state"] = merge(copy.storage_state, changes)
        self._swap(record, {"other_copy": note})

    def _copy(self, record: Record) -> None:
        storage, path = self._parts.storage_of(record), record.path or ""
        try:
            file = storage.open(path)
        except FileNotFoundError as error:
            if self._is_gone(record):
                raise NotToBeMoved from error
            raise MoveFailed(f"its file is missing: {path}") from error
        with file:
            size = size_of(file)
            if size != record.offset:
                raise MoveFailed(f"its file has {size} bytes, the record says {record.offset}")
            digests = FileDigests(record)
            self._send(record, file, digests)
        if (problem := digests.differ(record)) is not None:
            raise MoveFailed(f"its {problem} differs from the record's; the old file is damaged")

    def _send(self, record: Record, file: BinaryIO, digests: FileDigests) -> None:
        """Send the bytes that are not noted as sent, and note every step."""
        note: Note = dict(record.other_copy or {})
        begin = note["offset"]
        step = max(_STEP, record.offset // _MOST_STEPS)
        noted = begin
        with self._writer(record, note) as writer:
            for position, data in read_from(file, digests.begin(begin)):
                digests.update(data, position)
                end = position + len(data)
                fresh = memoryview(data)[max(0, begin - position) :]
                if fresh:
                    self._sent(len(fresh))
                    writer.write(fresh, end - len(fresh))
                if end - noted >= step and end < record.offset:
                    self._note(record, writer, end, digests)
                    noted = end
            if noted < record.offset or not record.offset:
                self._note(record, writer, record.offset, digests)

    def _writer(self, record: Record, note: Note) -> PartWriter:
        target, copy = self._target, Copy(record, note)
        open_writer = target.open_writer
        if isinstance(target, WritesParts) and copy.offset < record.offset:
            open_writer = target.open_part_writer
        return open_writer(copy, copy.offset, record.offset, have=copy.offset)

    def _note(self, record: Record, writer: PartWriter, end: int, digests: FileDigests) -> None:
        note: Note = dict(record.other_copy or {})
        note["state"] = merge(note["state"], writer.sync())
        note |= {"offset": end, "digests": digests.frozen()}
        self._swap(record, {"other_copy": note})

    def _promote(self, record: Record) -> str:
        """Make the copy a file and check it; return its key."""
        copy = Copy(record, record.other_copy or {})
        _, directory = self._parts.target(record)
        try:
            key = self._target.promote(copy, directory)
        except FileExistsError as error:
            raise MoveFailed(
                f"the storage {self._target.known_as} has another file named {record.path};"
                " move that file away"
            ) from error
        with self._target.open(key) as file:
            if (size := size_of(file)) != record.offset:
                raise MoveFailed(f"the copy has {size} bytes, the record says {record.offset}")
            if self._read_back and (problem := differing(record, file)) is not None:
                raise MoveFailed(f"the {problem} of the copy differs from the record's")
        return key

    def _switch(self, record: Record, key: str) -> None:
        copy = Copy(record, record.other_copy or {})
        old = {"from": self._parts.storage_of(record).known_as, "key": record.path}
        values = {
            "path": key,
            "stored_in": self._target.known_as,
            "storage_state": None,
            "other_copy": old | {"at": int(self._parts.now().timestamp())},
        }
        try:
            self._swap(record, values)
        except NotToBeMoved:
            self._retract(record)
            raise
        self._target.discard_part(copy)

    def _swap(self, record: Record, values: dict[str, Any]) -> None:
        """Write to the record, unless another process has moved or removed the upload.

        Claims and hooks change the fencing token, and nothing that matters here.

        :raises BeingMoved: when another process has taken over.
        """
        mine = record.other_copy
        for _ in range(_TRIES):
            if self._records.swap(record, values | {"fencing_token": record.fencing_token + 1}):
                return
            if self._is_gone(record):
                raise NotToBeMoved
            if record.other_copy != mine:
                raise BeingMoved
        raise BeingMoved

    def _is_gone(self, record: Record) -> bool:
        """Return whether another process has moved or removed the upload; keep the note."""
        mine, stored_in = record.other_copy, record.stored_in
        state = self._parts.refresh(record)
        gone = state is not State.COMPLETE or record.stored_in != stored_in
        if gone:
            record.other_copy = mine
        return gone

    def _retract(self, record: Record) -> None:
        """Remove the copy of an upload that another request has removed."""
        if state_of(record) is State.COMPLETE and self._parts.storage_of(record) is self._target:
            return  # another process has moved it; the file is the same
        if is_being_made(record, self._target):
            discard_copy(record, self._target, record.other_copy or {}, self._parts)

    def _give_up(self, record: Record) -> None:
        """Remove the copy, so that the next run begins with the file's first byte."""
        if is_being_made(record, self._target):
            discard_copy(record, self._target, record.other_copy or {}, self._parts)
            with suppress(BeingMoved, NotToBeMoved):
                self._swap(record, {"other_copy": None})
