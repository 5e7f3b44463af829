"""Powers: what only some storages can do, one small class each.

A storage that has a power inherits from its class. The engine checks with ``isinstance``, and works
without the power otherwise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from .base import PartWriter, StoredUpload, WriteLease


class LeasesRanges(ABC):
    """Has its own write leases, which are cheaper than leases in the database."""

    @abstractmethod
    def open_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> WriteLease:
        """Return a writer with the exclusive right to its range; preempt overlapping writers."""

    def end_appends(self, upload: StoredUpload) -> int | None:
        """End the leases that have begun an append (:meth:`WriteLease.begin_append`).

        :return: the end of the bytes that they have written, durable now, and 0 if none of them
            count; None when there was no append.
        """
        return None


class WritesRanges:
    """Takes chunks at any offset, several at once. Without it an upload grows only at its end."""


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


class LocksExclusively(ABC):
    """Has locks that end with their holder, for every process that can reach the storage.

    Such a lock is held by a living process or by none, so it needs no time to expire.
    """

    @abstractmethod
    def only_one(self, upload: StoredUpload) -> AbstractContextManager[bool]:
        """Hold the upload's completion lock; yield False when another request holds it."""
