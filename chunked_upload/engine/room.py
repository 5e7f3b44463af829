"""Refuses a new upload that is larger than the room that is left, before its bytes are sent.

A client with 100 GB then knows at once, and not after hours. This is a courtesy, no reservation:
others fill the disk, too, and every write is checked again.
"""

from __future__ import annotations

from chunked_upload.records.quota import held
from chunked_upload.records.repository import Record
from chunked_upload.storage import Storage
from chunked_upload.storage.powers import TellsRoom

from .errors import StorageFull
from .pieces import is_joined

#: No client has such a file. One that declares it does not know the length yet.
_PLACEHOLDER = 2**53 - 1


def check_room(record: Record, storage: Storage) -> None:
    """Check that a new upload fits, as far as its length is known.

    :raises StorageFull: when it does not.
    """
    # What is joined of pieces may share their bytes, and they are removed afterwards.
    if not isinstance(storage, TellsRoom) or is_joined(record):
        return
    size = held(record)
    if size < _PLACEHOLDER and size > storage.free_bytes():
        raise StorageFull(reason=f"there is no room for a file of {size} bytes")
