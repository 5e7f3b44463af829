"""What the engine asks of a place for bytes: a small interface that every storage implements.

An upload's bytes first lie in a *part* that belongs to its id; completing *promotes* the part to a
*key*, a name relative to the storage that the record keeps. The engine decides what may be written
and when; a storage sees to it that what it confirmed is durable, and that a promoted file appears
whole or not at all. What only some storages can do is in powers.py.

A storage gets the upload's record, and may keep a little state of its own in it: what a writer's
:meth:`PartWriter.sync` returns is merged into ``storage_state`` in the statement that commits the
offset, or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from chunked_upload.settings.keys import Settings

#: A flat JSON object: the keys that change. None as a value removes the key.
StorageState = dict[str, Any]


def merge(state: StorageState | None, changes: StorageState | None) -> StorageState | None:
    """Return an upload's ``storage_state`` with what a writer's sync has returned."""
    merged = (state or {}) | (changes or {})
    return {key: value for key, value in merged.items() if value is not None} or None


class LeaseLost(Exception):
    """Another request has taken over this range of the upload; nothing more was written."""


class PartMissing(Exception):
    """The bytes that the record promises are not there."""


class StorageBusy(Exception):
    """The storage cannot do it now, for example because a process that hangs holds a lock."""


class StoredUpload(Protocol):
    """What a storage may know of an upload: these attributes of its record, to read only."""

    @property
    def upload_id(self) -> str:
        """32 hex digits."""

    @property
    def filename(self) -> str:
        """The client's name for the file, of any form: metadata, never a path."""

    @property
    def offset(self) -> int:
        """Recorded bytes from the start of the file without a gap."""

    @property
    def length(self) -> int | None:
        """Declared size of the file in bytes; None when not known yet."""

    @property
    def created_on(self) -> datetime:
        """When the upload was created, in UTC."""

    @property
    def storage_state(self) -> StorageState | None:
        """What this storage's writers have returned, as far as it was committed."""


class PartWriter(ABC):
    """Writes one range of an upload's part, for one request."""

    @abstractmethod
    def write(self, data: bytes | memoryview, position: int) -> None:
        """Put bytes in their place within the range.

        :raises OSError: what the medium says, ENOSPC among it.
        """

    @abstractmethod
    def sync(self) -> StorageState | None:
        """Return once everything written is on stable storage (if the storage is durable).

        :return: what to merge into the upload's ``storage_state``.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back what it holds. Idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class WriteLease(PartWriter):
    """A writer with the exclusive right to its range."""

    #: True when taking it preempted another one that may still be alive.
    preempted: bool
    #: How many leases the upload's part has had, this one included; None where that is not counted.
    number: int | None = None

    @property
    def part_writer(self) -> PartWriter:
        """The storage's own writer: this one, unless it wraps another."""
        return self

    #: The fencing token that taking it has set in the record; 0 when it did not touch the record.
    fencing_token: int = 0

    @abstractmethod
    def write(self, data: bytes | memoryview, position: int) -> None:
        """Put bytes in their place within the range.

        :raises LeaseLost: when a newcomer has taken over; then no byte was written that counts.
        :raises OSError: what the medium says, ENOSPC among it.
        """

    @abstractmethod
    def stands(self) -> bool:
        """Whether nobody has taken over yet."""

    def abandon(self) -> None:
        """Close without giving the lease back, so that whoever comes next ends it. Idempotent."""
        self.close()

    def released(self) -> StorageState:
        """Return the record's columns that give the lease back, for the commit to write."""
        return {}


class Storage(ABC):
    """A place for bytes. Everything that touches an upload's data is named by its id."""

    #: Names of the options that a URL of this storage may carry after a question mark.
    options: ClassVar[frozenset[str]] = frozenset()

    #: Class of the storage's own settings (see settings/schema.py). A field ``toy_place`` in it is
    #: the key ``CHUNKED_UPLOAD_TOY_PLACE``; :meth:`from_settings` finds it by
    #: ``settings.of(ToySettings).toy_place``.
    settings: ClassVar[type | None] = None

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Settings, default_root: str) -> Storage:
        """Build from the upload set's settings, ``settings.storage`` (a URL, or None) among them.

        :param default_root: where to keep bytes when the settings name no place.
        :raises ConfigurationError: for settings that cannot work.
        """

    # Parts

    @abstractmethod
    def open_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> PartWriter:
        """Return a writer of ``[start, stop)``.

        Several may be open for one range, since an older request may not have noticed yet that
        another has taken over. A storage either has leases of its own for ranges
        (:class:`~chunked_upload.storage.powers.LeasesRanges`); or each writer writes to a place of
        its own (a key that is never used twice) which is part of the upload only once the state
        from :meth:`PartWriter.sync` is committed.

        :param stop: end of the range, exclusive; None when it is not known.
        :param have: length the part has at least, according to the record; 0 for a new one.
        :raises PartMissing: when the part is shorter.
        :raises StorageBusy: when it cannot be written now.
        """

    @abstractmethod
    def read_part(self, upload: StoredUpload, start: int, stop: int) -> Iterator[bytes]:
        """Yield the part's recorded bytes ``[start, stop)`` in buffers.

        :raises PartMissing: when they are not all there.
        """

    @abstractmethod
    def has_part(self, upload: StoredUpload) -> bool:
        """Whether the upload has a part."""

    @abstractmethod
    def discard_part(self, upload: StoredUpload) -> None:
        """Remove the part and what belongs to it, ending every writer. Idempotent."""

    # Completed files

    @abstractmethod
    def promote(self, upload: StoredUpload, directory: str) -> str:
        """Make the part's first ``offset`` bytes a file, whole and durable, overwriting nothing.

        Repeating it after a crash finds what an earlier try left and returns the same key. The
        part itself stays until :meth:`discard_part`, so a promotion that is not recorded can be
        repeated or taken back.

        :param directory: where to, relative, slashes between components.
        :return: the file's key.
        :raises PartMissing: when the part is shorter.
        """

    @abstractmethod
    def retract(self, upload: StoredUpload, directory: str) -> None:
        """Take back a promotion that was never recorded, if there is one."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Open a promoted file for reading; it can seek.

        :raises FileNotFoundError: when it is gone.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove a promoted file. Idempotent."""

    def is_part(self, key: str) -> bool:
        """Whether a promoted file is an upload's part as well, since its completion continues.

        Only where keys are free for others once their file is deleted; not where a key carries the
        upload's id.
        """
        return False

    # The place

    @property
    @abstractmethod
    def identity(self) -> str:
        """Equal for two objects that keep their bytes in the same place."""

    @abstractmethod
    def check(self) -> None:
        """Raise OSError when the storage cannot take bytes now."""
