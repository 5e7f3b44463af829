"""What a record says about a copy of its file in another storage, while the file is moved.

The column ``other_copy`` holds one of two notes::

    {"to": name, "offset": bytes, "state": {…}, "digests": {…}}    being copied, this far
    {"from": name, "key": key, "at": seconds}                      moved; the old file is there

``name`` is a storage's, ``state`` the ``storage_state`` of the copy, ``digests`` are frozen
checksums of the bytes up to the offset, by name, and ``at`` is the time of the switch. A note is
written before anything is in the other storage, so that whoever removes the upload finds the copy.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chunked_upload.records.repository import Record
from chunked_upload.storage import Storage
from chunked_upload.storage.base import StorageState
from chunked_upload.storage.stores import StorageUnknown

from .parts import EngineParts

Note = dict[str, Any]


class Copy:
    """A copy of a completed upload, as the storage sees it that makes it.

    :param note: of a copy that is being made.
    """

    def __init__(self, record: Record, note: Note) -> None:
        self.upload_id: str = record.upload_id
        self.filename: str = record.filename
        self.offset: int = note["offset"]
        self.length: int | None = record.offset
        self.created_on: datetime = record.created_on
        self.storage_state: StorageState | None = note["state"]
        self.wanted_key: str | None = record.path


def is_being_made(record: Record, storage: Storage) -> bool:
    """Return whether a storage has a part of a copy."""
    return (record.other_copy or {}).get("to") == storage.known_as


def discard(record: Record, parts: EngineParts) -> None:
    """Remove the other copy's bytes. Idempotent.

    A copy in a storage that this server does not know stays: the move is over, and has kept it.
    """
    note: Note = record.other_copy or {}
    name = note.get("to") or note.get("from")
    if name is None:
        return
    try:
        storage = parts.stores.named(name, upload_id=record.upload_id)
    except StorageUnknown:
        return
    if "to" in note:
        discard_copy(record, storage, note, parts)
    else:
        storage.delete(note["key"])
        storage.discard_part(record)


def discard_copy(record: Record, storage: Storage, note: Note, parts: EngineParts) -> None:
    """Remove a copy that is being made. Idempotent."""
    copy = Copy(record, note)
    _, directory = parts.target(record)
    if copy.offset == copy.length:
        storage.withdraw(copy, directory)
    else:
        storage.discard_part(copy)
