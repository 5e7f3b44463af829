"""The small interface that every storage implements.

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
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from chunked_upload.settings.keys import Settings

#: A flat JSON object: the keys that change. None as a value removes the key.
StorageState = dict[str, Any]


def merge(state: StorageState | None, changes: StorageState | None) -> StorageState | None:
    """Return an upload's ``storage_state``, merged with the changes that a sync returned."""
    merged = (state or {}) | (changes or {})
    return {key: value for key, value in merged.items() if value is not None} or None


class LeaseLost(Exception):
    """Another request has taken over this range of the upload; nothing more was written."""


class PartMissing(Exception):
    """Bytes that the record promises are missing."""


class StorageBusy(Exception):
    """The storage cannot do it now, for example because a hung process holds a lock."""


class PartHidden(StorageBusy):
    """The storage has the bytes, but nobody can read them before the upload has all of its own."""


class StoredUpload(Protocol):
    """The attributes of an upload's record that a storage may read."""

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
        """The committed state that this storage's writers have returned."""

    @property
    def wanted_key(self) -> str | None:
        """The key that the completed file had in another storage; None for a file without one.

        A storage keeps that key if it can, so that the file's name stays the same when it moves.
        """


class PartWriter(ABC):
    """Writes one range of an upload's part, for one request."""

    @abstractmethod
    def write(self, data: bytes | memoryview, position: int) -> None:
        """Write bytes at a position within the range.

        :raises OSError: when the medium fails; ENOSPC when it is full.
        """

    @abstractmethod
    def sync(self) -> StorageState | None:
        """Return once everything written is on stable storage (if the storage is durable).

        :return: what to merge into the upload's ``storage_state``: the changes since the last call,
            or more.
        """

    @abstractmethod
    def close(self) -> None:
        """Release everything that it holds. Idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class WriteLease(PartWriter):
    """A writer with the exclusive right to its range."""

    #: True when taking it preempted another one that may still be alive.
    preempted: bool
    #: Whether taking it has read the record again.
    fresh = False
    #: The end of the bytes that preempted appends have written, for :meth:`sync` to make durable;
    #: None when it preempted none.
    kept: int | None = None

    @property
    def part_writer(self) -> PartWriter:
        """The storage's own writer: this object, unless it wraps another writer."""
        return self

    #: The fencing token that taking the lease has set in the record; 0 when it set none.
    fencing_token: int = 0

    @abstractmethod
    def write(self, data: bytes | memoryview, position: int) -> None:
        """Write bytes at a position within the range.

        :raises LeaseLost: when a newcomer has taken over; then no byte that counts was written.
        :raises OSError: when the medium fails; ENOSPC when it is full.
        """

    @abstractmethod
    def stands(self) -> bool:
        """Return whether no newcomer has taken over."""

    def begin_append(self, *, keeps: bool) -> None:
        """Make it the lease of an append, which a question for the upload's offset ends.

        :param keeps: whether what it has written by then counts.
        :raises LeaseLost: when a newcomer has taken over.
        """
        return

    def abandon(self) -> None:
        """Close without releasing the lease, so that the next writer preempts it. Idempotent."""
        self.close()

    def released(self, *, end: int | None, length: int | None) -> StorageState:
        """Return the record's columns that release the lease, for the commit to write.

        :param end: where the next chunk begins; None when there are gaps.
        :param length: the file's length; None when it is not known.
        """
        return {}

    def ended(self, state: StorageState) -> StorageState:
        """Return what to merge into ``storage_state`` in the commit that ends the lease.

        :param state: what is merged into it beside that.
        """
        return {}

    def committed(self, offset: int, fencing_token: int) -> None:
        """Close, now that the commit that ends the lease has succeeded.

        :param offset, fencing_token: as it has left the record.
        """
        self.close()

    def follows(self, offset: int, fencing_token: int) -> bool:
        """Return whether no other writer has had a lease since a commit left the record so.

        A record changes only under a lease, or when the upload ends, which the commit notices. So
        a record with these values need not be read again. False if the storage does not know.
        """
        return False


class Storage(ABC):
    """A place for bytes. An upload's id names everything that belongs to its data."""

    #: Names of the options that a URL of this storage may carry after a question mark.
    options: ClassVar[frozenset[str]] = frozenset()

    #: Class of the storage's own settings (see settings/schema.py). A field ``toy_place`` in it is
    #: the key ``CHUNKED_UPLOAD_TOY_PLACE``; :meth:`from_settings` finds it by
    #: ``settings.of(ToySettings).toy_place``.
    settings: ClassVar[type | None] = None

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Settings, default_root: str) -> Storage:
        """Build from the upload set's settings, including ``settings.storage`` (a URL or None).

        :param default_root: where to keep bytes when the settings name no place.
        :raises ConfigurationError: for settings that cannot work.
        """

    # Parts

    @abstractmethod
    def open_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> PartWriter:
        """Return a writer of ``[start, stop)``.

        Several writers may be open for one range, since an older request may not have noticed yet
        that another has taken over. So either the storage has its own write leases
        (:class:`~chunked_upload.storage.powers.LeasesRanges`), or each writer writes to a separate
        place (a key that is never used twice) that becomes part of the upload only when the state
        from :meth:`PartWriter.sync` is committed.

        :param stop: end of the range, exclusive; None when it is not known.
        :param have: least length of the part in bytes, according to the record; 0 for a new one.
        :raises PartMissing: when the part is shorter.
        :raises StorageBusy: when it cannot be written now.
        """

    @abstractmethod
    def read_part(self, upload: StoredUpload, start: int, stop: int) -> Iterator[bytes]:
        """Yield the part's recorded bytes ``[start, stop)`` in buffers.

        :raises PartMissing: when some of them are missing.
        """

    @abstractmethod
    def has_part(self, upload: StoredUpload) -> bool:
        """Return whether the upload has a part."""

    @abstractmethod
    def discard_part(self, upload: StoredUpload) -> None:
        """Remove the part with all that belongs to it, and end every writer. Idempotent."""

    # Completed files

    @abstractmethod
    def promote(self, upload: StoredUpload, directory: str) -> str:
        """Make the part's first ``offset`` bytes a file, whole and durable; overwrite nothing.

        Calling it again after a crash returns the same key. The part itself stays until
        :meth:`discard_part`, so a promotion that is not recorded can be repeated or retracted.

        :param directory: the target, relative, with slashes between components.
        :return: the file's key.
        :raises FileExistsError: when another file has the key that the upload wants.
        :raises PartMissing: when the part is shorter.
        """

    @abstractmethod
    def retract(self, upload: StoredUpload, directory: str) -> None:
        """Undo a promotion that was never recorded, if there is one."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """Open a promoted file for reading; it can seek.

        :raises FileNotFoundError: when it is gone.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove a promoted file. Idempotent."""

    def withdraw(self, upload: StoredUpload, directory: str) -> None:
        """Remove a part, and what a promotion has made of it that was never recorded. Idempotent.

        A request may be promoting the part at this moment.
        """
        self.retract(upload, directory)
        self.discard_part(upload)

    def delete_own(self, key: str, *, is_others: Callable[[], bool]) -> None:
        """Remove a removed upload's file, unless another upload has its key by now. Idempotent.

        Several requests may do this at once, and any of them late.

        :param is_others: asks whether another upload's record has the key.
        :raises StorageBusy: when another request is removing it.
        """
        if not is_others():
            self.delete(key)

    # The place

    @property
    @abstractmethod
    def identity(self) -> str:
        """A text that is equal for two objects that keep their bytes in the same place."""

    @property
    def known_as(self) -> str:
        """The name by which records know this storage, at most 255 characters.

        It must stay the same as long as there are bytes. Two storages between which files are moved
        (engine/moving.py) need different names. By default it is the name of the class.
        """
        return type(self).__name__

    @abstractmethod
    def check(self) -> None:
        """Raise OSError when the storage cannot take bytes now."""

    def check_promotion(self, directory: str) -> None:
        """Raise OSError when no part can be promoted now; by default this is not known.

        :param directory: the target, as for :meth:`promote`.
        """
        return
