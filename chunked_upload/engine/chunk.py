"""One chunk on its way in: a lease to write a range, the digest that follows, and the commit.

Order (Guarantee 1): bytes at their place → sync → compare-and-swap of the record → only then may a
dialect tell the client.

The commit is where requests meet. It names the fencing token that the record had when this chunk
last looked *and then* found its claim still standing, in this order: a newcomer strikes the claim
out first,
raises the record's fencing token next, and reads the record last. So either this commit comes
before the newcomer's reading, and the newcomer sees these bytes as received; or the token has
moved, the
commit changes no row, and the second look finds the claim gone. Chunks of other ranges move the
token as
well, by committing; then the claim still stands, and the commit is tried again on the record as it
is now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from chunked_upload.checksum.background import BackgroundDigests
from chunked_upload.errors import (
    AlreadyComplete,
    BytesDiffer,
    ChunkedUploadError,
    FileTooLarge,
    LimitExceeded,
    OffsetMismatch,
    ServiceUnavailable,
    SizeMismatch,
    UploadNotFound,
)
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record, Records
from chunked_upload.storage import LeaseLost, Storage, WriteLease
from chunked_upload.storage.base import PartMissing

from . import ranges
from .digesting import ChunkDigest
from .failures import translate_failures

#: Commits tried while chunks of other ranges keep coming first.
_TRIES = 100

#: Separate ranges beyond the prefix; more is no client, and would make every commit slow.
_MAX_RANGES = 10_000


class Chunk:
    """A chunk being received. Use as a context manager: leaving it without commit drops it.

    Made by :meth:`~chunked_upload.engine.engine.UploadEngine.begin`.

    :param lease: the right to write ``[start, stop)``.
    :param new: the record was created by this very request.
    :param alone: and nobody else has had to do with it yet.
    :param sequential: the chunk must start where the prefix ends, also at its commit.
    :param last: where this chunk ends, the file ends; ``stop`` is the most it can be.
    :param expires: returns when the upload will expire if nothing more comes.
    :param forget: removes what a new upload has made, should this chunk be dropped.
    :param digests: the digests to continue with; None when no digest is wanted.
    """

    def __init__(
        self,
        record: Record,
        lease: WriteLease,
        *,
        start: int,
        stop: int | None,
        total: int | None,
        new: bool,
        alone: bool,
        sequential: bool,
        last: bool,
        max_bytes: int | None,
        records: Records,
        storage: Storage,
        emit: Callable[[str, Record], None],
        expires: Callable[[], datetime],
        forget: Callable[[Record], None],
        digests: BackgroundDigests | None,
    ) -> None:
        self.record = record
        self.start = start
        self.new = new
        #: Bytes taken in so far.
        self.received = 0
        self.committed = False
        #: Whether its commit is the upload's first; known from :meth:`finish` on.
        self.first = False
        self._lease = lease
        self._stop = stop
        self._total = total
        self._sequential = sequential
        self._last = last
        self._max_bytes = max_bytes
        self._records = records
        self._storage = storage
        self._emit = emit
        self._expires = expires
        self._forget = forget
        self._alone = alone
        self._stored = ranges.add(record.received, 0, record.offset)
        self._digest = ChunkDigest(record, start=start, kept=digests, read=self._read)

    @property
    def position(self) -> int:
        """Where in the file the next byte goes."""
        return self.start + self.received

    def write(self, data: bytes) -> None:
        """Take in the next bytes.

        :raises SizeMismatch, FileTooLarge: when there are more than declared or allowed.
        :raises BytesDiffer: when other bytes are already stored there.
        :raises OffsetMismatch: when a newer request has taken over.
        :raises StorageFull, ServiceUnavailable: when the storage fails.
        """
        end = self.position + len(data)
        if self._stop is not None and end > self._stop:
            raise SizeMismatch(f"{self._stop - self.start} bytes were declared, more arrived")
        if self._max_bytes is not None and end > self._max_bytes:
            raise FileTooLarge(self._max_bytes)
        with translate_failures():
            if not self.received:
                self._digest.pick_up()
            self._put(data)
        self._digest.feed(data)
        self.received += len(data)

    def _read(self, low: int, high: int) -> Iterator[bytes]:
        """Read bytes of the part.

        :raises UploadNotFound, AlreadyComplete: when the part is gone with its upload's end.
        :raises PartMissing: when it is gone and the upload is not.
        """
        try:
            yield from self._storage.read_part(self.record.upload_id, low, high)
        except PartMissing as error:
            refusal = self._refused()
            if isinstance(refusal, OffsetMismatch):  # it still takes chunks
                raise
            raise refusal from error

    def _put(self, data: bytes) -> None:
        """Write what is new of the data, compare what is stored already."""
        try:
            if self.position >= (self._stored[-1][1] if self._stored else 0):
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

    def finish(self, *, whole: bool = True) -> None:
        """Check the count and make the bytes durable; sets the new offset on the record.

        :param whole: True drops a chunk that broke off (the rule of chunk dialects); False keeps
            the prefix that arrived (the rule of offset dialects).
        :raises SizeMismatch: when bytes are missing from a whole chunk.
        """
        exact = whole and not self._last
        if exact and self._stop is not None and self.position != self._stop:
            declared = self._stop - self.start
            raise SizeMismatch(f"{declared} bytes were declared, {self.received} arrived")
        with translate_failures():
            self._lease.sync()
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
        self._lease.close()
        self._digest.keep()
        if self.first:
            self._emit("created", self.record)
        self._emit("chunk_received", self.record)

    def _swap(self) -> bool:
        try:
            return self._records.swap(self.record, self._values, offset=self._offset_read)
        except BaseException:
            # The database may carry it out all the same, even later, its connection being cut:
            # with the claim left standing the next request raises the token before it reads.
            self._lease.abandon()
            raise

    def _look_again(self) -> None:
        """Merge this chunk with the record as it is now, if this chunk may still be committed."""
        self._alone = False
        if not self._records.refresh(self.record) or self.record.status != Status.UPLOADING:
            raise self._refused()
        if not self._lease.stands():
            raise self._refused()
        if self._sequential and self.record.offset != self.start:
            raise OffsetMismatch(self.record.offset)
        self._values = self._merged()

    def _merged(self) -> dict[str, Any]:
        """Return the record's new values: as read, plus this chunk."""
        record = self.record
        self._offset_read = record.offset
        self.first = not (record.offset or record.received) and (self.new or not self._sequential)
        beyond = ranges.add(record.received, self.start, self.position)
        offset, beyond = ranges.settle(record.offset, beyond)
        if len(beyond) > _MAX_RANGES:
            raise LimitExceeded(f"Too many separate ranges (at most {_MAX_RANGES})")
        values: dict[str, Any] = {"offset": offset, "expires_on": self._expires()}
        if beyond != record.received:
            values["received"] = beyond
        if beyond or record.received:
            # Offsets alone do not tell two such commits apart.
            values["fencing_token"] = record.fencing_token + 1
        if self._last:
            values["length"] = self.position
        elif record.length is None and (self._sequential or self._total is not None):
            values["length"] = self.position if self._total is None else self._total
        return values | self._digest.reached(offset)

    def _refused(self) -> ChunkedUploadError:
        """Say why this chunk is not taken, from what the record says now."""
        self._alone = False
        if not self._records.refresh(self.record) or self.record.status == Status.DELETING:
            return UploadNotFound()
        if self.record.status == Status.COMPLETE:
            return AlreadyComplete()
        return OffsetMismatch(self.record.offset)

    def bytes(self) -> Iterator[bytes]:
        """Read back what was taken in."""
        return self._read(self.start, self.position)

    def __enter__(self) -> Chunk:
        return self

    def __exit__(self, *exception: object) -> None:
        self._lease.close()
        if self._alone and not self.committed:
            self._forget(self.record)
