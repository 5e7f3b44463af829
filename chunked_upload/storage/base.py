"""What the engine asks of a place for bytes.

An upload's bytes first lie in a *part* named after its id alone; completing *promotes* the part to
a *key*, a name relative to the storage that the record keeps. The engine decides what may be
written and when; a storage sees to it that what it confirmed is durable, that one writer's bytes
never mix with another's, and that a promoted file appears whole or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from chunked_upload.settings.keys import Settings


class LeaseLost(Exception):
    """Another request has taken over this range of the upload; nothing more was written."""


class PartMissing(Exception):
    """The bytes that the record promises are not there."""


class StorageBusy(Exception):
    """Another process holds the part's lock far longer than any write takes."""


class WriteLease(ABC):
    """One request's exclusive right to write a range of an upload's part."""

    #: True when taking it preempted another one that may still be alive.
    preempted: bool

    @abstractmethod
    def write(self, data: bytes | memoryview, position: int) -> None:
        """Put bytes in their place within the range.

        :raises LeaseLost: when a newcomer has taken over; then no byte was written.
        :raises OSError: what the medium says, ENOSPC among it.
        """

    @abstractmethod
    def stands(self) -> bool:
        """Whether nobody has taken over yet."""

    @abstractmethod
    def sync(self) -> None:
        """Return once everything written is on stable storage (if the storage is durable)."""

    @abstractmethod
    def close(self) -> None:
        """Give the lease back. Idempotent."""

    def abandon(self) -> None:
        """Close without giving the lease back, so that whoever comes next ends it. Idempotent."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Storage(ABC):
    """A place for bytes. Everything that touches another request's data is named by upload id."""

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Settings, default_root: str) -> Storage:
        """Build from the upload set's settings.

        :param default_root: where to keep bytes when the settings name no place.
        """

    @abstractmethod
    def take_lease(self, upload_id: str, start: int, stop: int | None, *, have: int) -> WriteLease:
        """Take the exclusive right to write ``[start, stop)``, ending any overlapping lease.

        :param have: length the part has at least, according to the record; 0 for one not begun.
        :raises PartMissing: when they are not.
        :raises StorageBusy: when the part's lock cannot be had.
        """

    @abstractmethod
    def read_part(self, upload_id: str, start: int, stop: int) -> Iterator[bytes]:
        """Yield the part's bytes ``[start, stop)`` in buffers.

        :raises PartMissing: when they are not all there.
        """

    @abstractmethod
    def promote(self, upload_id: str, length: int, directory: str, filename: str) -> str:
        """Make the part visible under its final key, whole and durable, overwriting nothing.

        Repeating it after a crash finds what an earlier try left and returns the same key. The
        part itself stays until :meth:`discard_part`, so a promotion that is not recorded can be
        repeated or taken back.

        :param directory: where to, relative, slashes between components.
        :param filename: the client's name, of any form.
        :raises PartMissing: when the part has not ``length`` bytes.
        """

    @abstractmethod
    def retract(self, upload_id: str, directory: str, filename: str) -> None:
        """Take back a promotion that was never recorded, if there is one."""

    @abstractmethod
    def discard_part(self, upload_id: str) -> None:
        """Remove the part and what belongs to it, ending every lease. Idempotent."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove a promoted file. Idempotent."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Open a promoted file for reading.

        :raises FileNotFoundError: when it is gone.
        """

    @abstractmethod
    def path(self, key: str) -> str:
        """Return the absolute path of a promoted file."""

    @abstractmethod
    def has_part(self, upload_id: str) -> bool:
        """Whether the upload has a part."""

    def is_part(self, key: str) -> bool:
        """Whether a promoted file still is some upload's part as well: its completion goes on."""
        return False

    @abstractmethod
    def parts(self) -> Iterator[tuple[str, datetime]]:
        """Yield the id of every upload that has a part (or what belongs to one), and when any of
        it was last touched, in UTC. Foreign files are passed over."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Equal for two objects that keep their bytes in the same place."""

    @abstractmethod
    def only_one(self, upload_id: str) -> AbstractContextManager[bool]:
        """Hold the upload's completion lock; yields False when someone else holds it."""

    @abstractmethod
    def check(self) -> None:
        """Raise OSError when the storage cannot take bytes now."""
