"""One chunk on its way in: a lease to write a range, the digest that follows, and the commit.

Order (Guarantee 1): bytes at their place → sync → compare-and-swap of the record → only then may a
dialect tell the client.

The commit is where requests meet. It names the fencing token that the record had when this chunk
last looked *and then* found its lease still standing, in this order: a newcomer ends the lease
first, raises the record's fencing token next, and reads the record last. So either this commit
comes before the newcomer's reading, and the newcomer sees these bytes as received; or the token has
moved, the commit changes no row, and the second look finds the lease gone. Chunks of other ranges
move the token as well, by committing; then the lease still stands, and the commit is tried again on
the record as it is now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.repository import Record
from chunked_upload.storage.base import LeaseLost, PartMissing, StorageState, WriteLease, merge
from chunked_upload.storage.powers import Concatenates, LeasesRanges

from . import ranges
from .digesting import ChunkDigest
from .errors import (
    BytesDiffer,
    FileTooLarge,
    LimitReached,
    OffsetMismatch,
    ServiceUnavailable,
    SizeMismatch,
)
from .failures import translate_failures
from .parts import EngineParts
from .plan import WritePlan, is_empty
from .states import Event, State, refusal

#: Commits tried while chunks of other ranges keep coming first.
_TRIES = 100

#: Separate ranges beyond the prefix; more is no client, and would make every commit slow.
_MAX_RANGES = 10_000


class Chunk:
    """A chunk being received. Use as a context manager: leaving it without commit drops it.

    Made by :meth:`~chunked_upload.engine.engine.UploadEngine.begin`.

    :param lease: the right to write the plan's range.
    :param forget: removes what a new upload has made, should this chunk be dropped.
    """

    def __init__(
        self,
        record: Record,
        lease: WriteLease,
        plan: WritePlan,
        parts: EngineParts,
        *,
        forget: Callable[[Record], None],
    ) -> None:
        self.record = record
        self.plan = plan
        #: Bytes taken in so far.
        self.received = 0
        self.committed = False
        #: Whether its commit is the upload's first; known once the chunk is finished.
        self.first = False
        self._lease = lease
        self._parts = parts
        self._records = parts.records
        self._storage = parts.storage
        self._forget = forget
        #: Whether nobody else has had to do with a record that this request created.
        untouched = is_empty(record) and record.fencing_token == lease.fencing_token
        self._alone = plan.creates and untouched
        #: What the storage wants committed.
        self._state: StorageState | None = None
        self._stored = ranges.add(record.received, 0, record.offset)
        self._digest = ChunkDigest(record, parts.digests, start=plan.start, read=self._read)

    @property
    def start(self) -> int:
        """Where in the file the chunk starts."""
        return self.plan.start

    @property
    def position(self) -> int:
        """Where in the file the next byte goes."""
        return self.plan.start + self.received

    def write(self, data: bytes) -> None:
        """Take in the next bytes.

        :raises SizeMismatch, FileTooLarge: when there are more than declared or allowed.
        :raises BytesDiffer: when other bytes are already stored there.
        :raises OffsetMismatch: when a newer request has taken over.
        :raises StorageFull, ServiceUnavailable: when the storage fails.
        """
        self._check_size(len(data))
        with translate_failures():
            if not self.received:
                self._digest.pick_up()
            self._put(data)
        self._digest.feed(data)
        self.received += len(data)

    def _check_size(self, more: int) -> None:
        plan, end = self.plan, self.position + more
        if plan.stop is not None and end > plan.stop:
            raise SizeMismatch(f"{plan.stop - plan.start} bytes were declared, more arrived")
        if plan.max_bytes is not None and end > plan.max_bytes:
            raise FileTooLarge(plan.max_bytes)

    def _read(self, low: int, high: int) -> Iterator[bytes]:
        """Read bytes of the part.

        :raises UploadNotFound, AlreadyComplete: when the part is gone with its upload's end.
        :raises PartMissing: when it is gone and the upload is not.
        """
        try:
            yield from self._storage.read_part(self.record, low, high)
        except PartMissing as error:
            refusal = self._refused()
            if isinstance(refusal, OffsetMismatch):  # it still takes chunks
                raise
            raise refusal from error

    def append_part(self, source: Record) -> None:
        """Take in the recorded bytes of another upload, without reading them where that can be.

        :param source: an upload in the same storage.
        :raises SizeMismatch, FileTooLarge, OffsetMismatch: as :meth:`write`.
        """
        if not isinstance(self._storage, Concatenates) or self._may_repeat():
            for data in self._storage.read_part(source, 0, source.offset):
                self.write(data)
            return
        self._check_size(source.offset)
        with translate_failures():
            try:
                self._storage.append_part(self._lease.part_writer, source, self.position)
            except LeaseLost as error:
                raise self._refused() from error
        self._digest.stop()
        self.received += source.offset

    def _may_repeat(self) -> bool:
        """Whether bytes at the chunk's position may be stored already."""
        return self.position < (self._stored[-1][1] if self._stored else 0)

    def _put(self, data: bytes) -> None:
        """Write what is new of the data, compare what is stored already."""
        try:
            if not self._may_repeat():
                return self._lease.write(data, self.position)
            view = memoryview(data)
            for low, high, stored in ranges.split(
                self._stored, self.position, self.position + len(data)
            ):
                piece = view[low - self.position : high - self.position]
                if not stored:
                    self._lease.write(piece, low)
                elif piece != b"".join(self._read(low, high)):
                    raise BytesDiffer(self.record.offset)
        except LeaseLost as error:
            raise self._refused() from error

    def finish_whole(self) -> None:
        """Make a whole chunk durable; one that broke off is refused (the rule of chunk dialects).

        Sets the new offset on the record.

        :raises SizeMismatch: when bytes are missing.
        """
        plan = self.plan
        if not plan.last and plan.stop is not None and self.position != plan.stop:
            declared = plan.stop - plan.start
            raise SizeMismatch(f"{declared} bytes were declared, {self.received} arrived")
        self.finish_prefix()

    def finish_prefix(self) -> None:
        """Make the bytes durable that arrived, all or not (the rule of offset dialects).

        Sets the new offset on the record.
        """
        with translate_failures():
            self._state = self._lease.sync()
            self._values = self._merged()
        for name, value in self._values.items():
            setattr(self.record, name, value)

    def commit(self) -> None:
        """Record the bytes. After this, and not before, the client may be told.

        :raises OffsetMismatch, AlreadyComplete, UploadNotFound: when another request was first.
        """
        with translate_failures():
            for _ in range(_TRIES):
                if self._swap():
                    break
                self._look_again()
            else:
                raise ServiceUnavailable("Upload is being changed by too many requests")
        self.committed = True
        self._parts.last_leases.remember(self.record, self._lease.number)
        self._lease.close()
        self._digest.keep()
        if self.first:
            self._parts.emit("created", self.record)
        self._parts.emit("chunk_received", self.record)

    def _swap(self) -> bool:
        try:
            return self._records.swap(self.record, self._values, offset=self._offset_read)
        except BaseException:
            # The database may carry it out all the same, even later, its connection being cut:
            # with the lease left standing the next request raises the token before it reads.
            self._lease.abandon()
            raise

    def _look_again(self) -> None:
        """Merge this chunk with the record as it is now, if this chunk may still be committed."""
        self._alone = False
        if self._parts.refresh(self.record) is not State.UPLOADING or not self._lease.stands():
            raise self._refused()
        if self.plan.sequential and self.record.offset != self.start:
            raise OffsetMismatch(self.record.offset)
        self._values = self._merged()

    def _merged(self) -> dict[str, Any]:
        """Return the record's new values: as read, plus this chunk."""
        record = self.record
        self._offset_read = record.offset
        plan = self.plan
        self.first = is_empty(record) and (plan.creates or not plan.sequential)
        beyond = ranges.add(record.received, self.start, self.position)
        offset, beyond = ranges.settle(record.offset, beyond)
        if len(beyond) > _MAX_RANGES:
            raise LimitReached(f"Too many separate ranges (at most {_MAX_RANGES})")
        values: dict[str, Any] = {"offset": offset, "expires_on": self._parts.expiry()}
        if beyond != record.received:
            values["received"] = beyond
        if beyond or record.received:
            # Offsets alone do not tell two such commits apart.
            values["fencing_token"] = record.fencing_token + 1
        if plan.last:
            values["length"] = self.position
        elif record.length is None and (plan.sequential or plan.total is not None):
            values["length"] = self.position if plan.total is None else plan.total
        if self._state:
            # On the record at once, so that the digest can read what has just been written.
            record.storage_state = merge(record.storage_state, self._state)
            values["storage_state"] = record.storage_state
        return values | self._lease.released() | self._digest.reached(offset)

    def _refused(self) -> ChunkedUploadError:
        """Say why this chunk is not taken, from what the record says now."""
        self._alone = False
        refused = refusal(self._parts.refresh(self.record), Event.WRITE)
        return refused or OffsetMismatch(self.record.offset)

    def bytes(self) -> Iterator[bytes]:
        """Read back what was taken in."""
        if not isinstance(self._storage, LeasesRanges):  # nothing of it can be read before
            with translate_failures():
                self.record.storage_state = merge(self.record.storage_state, self._lease.sync())
        return self._read(self.start, self.position)

    def __enter__(self) -> Chunk:
        return self

    def __exit__(self, *exception: object) -> None:
        self._lease.close()
        if self._alone and not self.committed:
            self._forget(self.record)
