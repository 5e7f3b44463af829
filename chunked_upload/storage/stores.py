"""The storages of an upload set: the one that takes new uploads, and the one that files move from.

Each record has the name of the storage that keeps its bytes. A server that does not know that name,
since it was not restarted with the new settings, refuses the upload instead of looking elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Protocol

from .base import Storage, StorageBusy

logger = logging.getLogger(__name__)


class StorageUnknown(StorageBusy):
    """The upload's bytes are in a storage that this server does not know."""


class Stored(Protocol):
    """The attributes of a record that say where its bytes are."""

    @property
    def upload_id(self) -> str:
        """32 hex digits."""

    @property
    def stored_in(self) -> str | None:
        """The storage's name; None in records from before storages had one."""


class Stores:
    """The storages of one upload set.

    :param current: takes new uploads.
    :param old: keeps the bytes of older ones until they are moved; None without a move.
    """

    def __init__(self, current: Storage, old: Storage | None = None) -> None:
        self.current = current
        self.old = old

    def __iter__(self) -> Iterator[Storage]:
        yield self.current
        if self.old is not None:
            yield self.old

    def of(self, record: Stored) -> Storage:
        """Return the storage that has an upload's bytes.

        :raises StorageUnknown:
        """
        if record.stored_in is None:
            return self.old or self.current
        return self.named(record.stored_in, upload_id=record.upload_id)

    def has(self, record: Stored, storage: Storage) -> bool:
        """Return whether an upload's bytes are in one of these storages."""
        if record.stored_in is None:
            return storage is (self.old or self.current)
        return record.stored_in == storage.known_as

    def named(self, name: str, *, upload_id: str) -> Storage:
        """Return a storage by its name.

        :param upload_id: whose bytes it has, for the log.
        :raises StorageUnknown:
        """
        for storage in self:
            if storage.known_as == name:
                return storage
        logger.error(
            "upload %s is in the storage %r, but this server only knows %s; set"
            " CHUNKED_UPLOAD_STORAGE or CHUNKED_UPLOAD_OLD_STORAGE to it, and restart",
            upload_id,
            name,
            " and ".join(repr(storage.known_as) for storage in self),
        )
        raise StorageUnknown("this server does not know the storage of this upload")
