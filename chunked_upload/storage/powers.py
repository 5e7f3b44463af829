"""Powers: what only some storages can do, one small class each.

A storage that has a power inherits from its class. The engine checks with ``isinstance``, and works
without the power otherwise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from .base import PartWriter, StorageState, StoredUpload, WriteLease


class LeasesRanges(ABC):
    """Has its own write leases, which are cheaper than leases in the database."""

    @abstractmethod
    def open_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> WriteLease:
        """Return a writer with the exclusive right to its range; preempt overlapping writers."""

    def is_leased(self, upload: StoredUpload) -> bool:
        """Return whether a request has a lease, or has died with one; False if unknown."""
        return False

    def end_appends(self, upload: StoredUpload) -> int | None:
        """End the leases that have begun an append (:meth:`WriteLease.begin_append`).

        :return: the end of the bytes that they have written, durable now, and 0 if none of them
            count; None when there was no append.
        """
        return None


class WritesRanges:
    """Takes chunks at any offset, several at once. Without it an upload grows only at its end."""


class WritesParts(ABC):
    """Has cheaper writers for bytes that nobody reads before the upload has all of its bytes.

    Reading them earlier raises :class:`~chunked_upload.storage.base.PartHidden`.
    """

    @abstractmethod
    def reserve(
        self,
        upload: StoredUpload,
        start: int,
        stop: int | None,
        *,
        extends: bool,
        token: int | None,
    ) -> StorageState:
        """Return what to merge into ``storage_state`` in the statement that takes the write lease.

        So each request can be given names or numbers that no other one gets. If that changes
        nothing, the request has what was handed over to it.

        :param extends: the writer is synced and its progress recorded as it goes on.
        :param token: the record's fencing token, before the lease is taken; None if nothing may
            have been handed over.
        """

    @abstractmethod
    def hand_over(
        self, upload: StoredUpload, start: int, stop: int, *, token: int, own: bool
    ) -> StorageState:
        """Return what to merge into ``storage_state`` in the commit that ends a write lease.

        The request sends nothing more. So the next one may get what it was given, and more, if
        :meth:`reserve` is told the same fencing token: then no request came in between.

        :param start, stop: what the next one most likely writes.
        :param token: the record's fencing token after the commit.
        :param own: whether :meth:`reserve` has given the request something.
        """

    @abstractmethod
    def open_part_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> PartWriter:
        """Return a writer of ``[start, stop)``, as ``open_writer`` does.

        :param upload: has the state of :meth:`reserve`.
        """


class LocalPaths(ABC):
    """Keeps completed files where programs on this host can open them."""

    @abstractmethod
    def path(self, key: str) -> str:
        """Return the absolute path of a promoted file."""

    @property
    def part_directory(self) -> str | None:
        """The directory of the parts, without links in it; None if they are not on this host."""
        return None


class Concatenates(ABC):
    """Joins parts without passing their bytes through the server."""

    @property
    def concatenates(self) -> bool:
        """Whether it can here; otherwise the engine reads the bytes and writes them."""
        return True

    @abstractmethod
    def append_part(
        self, writer: PartWriter, source: StoredUpload, position: int, *, start: int, stop: int
    ) -> None:
        """Copy recorded bytes of another upload's part to a place within a writer's range.

        As with :meth:`~chunked_upload.storage.base.PartWriter.write`, they are durable when the
        writer's ``sync`` returns, and count once they are recorded.

        :param writer: a writer of this storage.
        :param position: position of the first byte in the file of the writer's upload.
        :param start, stop: the range of the other upload's bytes.
        :raises LeaseLost: when a newcomer has taken over.
        :raises PartMissing: when the source has fewer bytes than its record says.
        """


def concatenating(storage: object) -> Concatenates | None:
    """Return a storage if it can concatenate here.

    :raises StorageBusy, OSError: when it cannot tell now.
    """
    return storage if isinstance(storage, Concatenates) and storage.concatenates else None


class PresignsURLs(ABC):
    """Lets browsers fetch completed files directly from the storage."""

    @abstractmethod
    def presigned_url(self, key: str, *, filename: str, expires_in: timedelta) -> str:
        """Return a URL from which anybody can download the file for a while.

        :param filename: the name to save it under.
        """


class ListsParts(ABC):
    """Lists the uploads that have parts, so that orphans are found."""

    @abstractmethod
    def parts(self) -> Iterator[tuple[str, datetime]]:
        """Yield the id of every upload with a part, and when it was last touched, in UTC.

        Files that belong to a part count as part of it. Foreign files are skipped.
        """

    @abstractmethod
    def discard_orphan(self, upload_id: str) -> None:
        """Remove a part that has no record, with what belongs to it. Idempotent."""


class ListsFiles(ABC):
    """Tells of completed files whose they are, so that those without a record are found.

    A storage whose files have names that anybody's may have does not have this power.
    """

    @abstractmethod
    def files(self) -> Iterator[tuple[str, str, datetime]]:
        """Yield keys that look like a completed file's: key, upload id, and when it was stored."""

    @abstractmethod
    def is_file_of(self, key: str, upload_id: str) -> bool:
        """Return whether this service has made the file, of that upload."""


class TellsRoom(ABC):
    """Knows how much room there is, so that a file too large for it is refused before its bytes."""

    @abstractmethod
    def free_bytes(self) -> int:
        """Return how many bytes can be stored now.

        :raises OSError: when the storage does not work.
        """


class LocksExclusively(ABC):
    """Has locks that end with their holder, for every process that can reach the storage.

    Such a lock is held by a living process or by none, so it needs no time to expire.
    """

    @abstractmethod
    def only_one(self, upload: StoredUpload) -> AbstractContextManager[bool]:
        """Hold the upload's completion lock; yield False when another request holds it."""
