"""What the parts of one engine share: its settings, storage, records, clock and listener."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from chunked_upload.records.repository import Record, Records
from chunked_upload.settings.keys import Settings
from chunked_upload.storage import PartMissing, Storage, StoredUpload
from chunked_upload.storage.stores import Stores

from .digesting import Digests
from .errors import UploadExpired, UploadNotFound
from .states import Event, State, follow, state_of
from .target import target_of

#: Receives the engine's events: the event's name and the record that it concerns.
Emit = Callable[[str, Record], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineParts:
    """The collaborators of one upload set's engine.

    :param emit: called after each event with its name (``created``, ``chunk_received``,
        ``completed``, ``expired``, ``aborted`` or ``hook_failed``) and the record.
    :param digests: the checksums that the engine keeps.
    """

    settings: Settings
    stores: Stores
    records: Records
    emit: Emit
    digests: Digests

    def now(self) -> datetime:
        """Return the time by the database's clock, aware and in UTC."""
        return self.records.clock.now()

    def storage_of(self, record: Record) -> Storage:
        """Return the storage that has an upload's bytes.

        :raises StorageUnknown: when it is none of this server's.
        """
        return self.stores.of(record)

    def open_file(self, record: Record) -> BinaryIO:
        """Open a completed upload's file; look again if it has moved to another storage meanwhile.

        :raises FileNotFoundError: when it is gone.
        """
        try:
            return self.storage_of(record).open(record.path or "")
        except FileNotFoundError:
            if not self.has_moved(record):
                raise
        return self.storage_of(record).open(record.path or "")

    def has_moved(self, record: Record) -> bool:
        """Return whether a file has moved to another storage since its record was read.

        If so, the record tells where.
        """
        before = record.stored_in
        return self.records.refresh(record) and record.stored_in != before

    def expiry(self) -> datetime:
        """Return when an upload expires that is created now."""
        return self.now() + self.settings.expiration_delta

    def expiry_after_chunk(self, record: Record) -> datetime:
        """Return when an upload expires if no bytes arrive after these."""
        if self.settings.expiration_from == "creation":
            return record.expires_on
        return self.expiry()

    def target(self, record: Record) -> tuple[StoredUpload, str]:
        """Return the upload as the storage shall name it, and the directory of its file."""
        return target_of(record, self.settings)

    def has_expired(self, record: Record) -> bool:
        """Return whether an unfinished upload is past its time, by the clock that has set it."""
        return state_of(record) is State.UPLOADING and record.expires_on <= self.now()

    def check_unexpired(self, record: Record) -> None:
        """:raises UploadExpired: for an unfinished upload past its time."""
        if self.has_expired(record):
            raise UploadExpired

    def check_open(self, record: Record) -> None:
        """Check that the upload still takes chunks.

        :raises UploadExpired, AlreadyComplete, UploadNotFound:
        """
        follow(state_of(record), Event.WRITE)
        self.check_unexpired(record)

    @contextmanager
    def source(self, record: Record) -> Iterator[None]:
        """Distinguish lost bytes of an upload, which are copied, from its removal meanwhile.

        :raises UploadNotFound: when another request has removed it.
        """
        try:
            yield
        except PartMissing as error:
            if self.refresh(record) in (State.GONE, State.DELETING):
                raise UploadNotFound(reason=f"{record.upload_id} has been deleted") from error
            raise

    def refresh(self, record: Record) -> State:
        """Read the record again, and return the upload's current state."""
        return state_of(record) if self.records.refresh(record) else State.GONE

    def look_again(self, record: Record) -> None:
        """Read the record again after its part has been touched.

        :raises UploadNotFound: when the upload has been removed meanwhile.
        """
        state = self.refresh(record)
        # Another request ended it between look-up and lease. Taking the lease may have made its
        # files again.
        if state is State.COMPLETE:
            self.storage_of(record).discard_part(record)
        elif state is not State.UPLOADING:
            # Not only the part: it tells which finished file is the upload's, if a request has died
            # between promotion and record.
            self.storage_of(record).withdraw(*self.target(record))
        follow(state, Event.COMPARE)
