"""Receives one chunk: takes its write lease, feeds the digest, and commits.

Order (Guarantee 1): write the bytes at their offset → sync → compare-and-swap → tell the client.

Concurrent requests are sorted out at the commit. Its compare-and-swap names the fencing token that
this chunk read *before* it checked that its lease still stands. A newcomer works in this order: it
ends the lease, raises the record's fencing token, and then reads the record. So either this commit
comes before the newcomer reads, and the newcomer sees these bytes as received. Or the token has
changed, the commit changes no row, and the second check finds that the lease is lost. If a commit
of another range has changed the token, the lease still stands, and the commit is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chunked_upload.records.events import EventKind
from chunked_upload.records.repository import Record
from chunked_upload.storage.base import LeaseLost, PartMissing, StorageState, WriteLease, merge
from chunked_upload.storage.powers import LeasesRanges, WritesParts, concatenating
from chunked_upload.support.blocking import blocking
from chunked_upload.support.measuring import Figure, measured, timed

from . import ranges
from .digesting import ChunkDigest
from .errors import (
    BeyondLength,
    BytesDiffer,
    FileTooLarge,
    LimitReached,
    OffsetMismatch,
    ServiceUnavailable,
    SizeMismatch,
)
from .failures import translate_failures
from .holding import Holding, held_at_commit
from .parts import EngineParts
from .plan import is_empty
from .states import Event, State, refusal

#: Commits tried while chunks of other ranges keep coming first.
_TRIES = 100

#: Most separate ranges beyond the prefix. No real client needs more, and they slow every commit.
_MAX_RANGES = 10_000


class Chunk:
    """A chunk being received. Use it as a context manager: leaving it without commit drops it.

    :param lease: the right to write the range of the chunk's plan.
    :param holding: what the owner's quota holds for the upload.
    :param forget: removes a new upload's record and files if this chunk is dropped.
    """

    def __init__(
        self,
        record: Record,
        lease: WriteLease,
        holding: Holding,
        parts: EngineParts,
        *,
        forget: Callable[[Record], None],
    ) -> None:
        self.record = record
        self.plan = plan = holding.plan
        #: Where in the file the chunk starts.
        self.start = plan.start
        #: Bytes received so far.
        self.received = 0
        self.committed = False
        self._goes_on = False  # more bytes follow those that are being recorded
        #: Whether this commit is the upload's first; known once the chunk is finished.
        self.first = False
        self._first_source: str | None = None  # the upload whose bytes are the first of this one
        self._lease, self._holding = lease, holding
        self._parts, self._forget = parts, forget
        self._records, self._storage = parts.records, parts.storage_of(record)
        #: Whether this request created the record and no other request has touched it.
        untouched = is_empty(record) and record.fencing_token == lease.fencing_token
        self._alone = plan.creates and untouched
        self._state: StorageState = {}  # changes of the storage's own, committed with the offset
        self._stored = ranges.add(record.received, 0, record.offset)
        self._digest = ChunkDigest(record, parts.digests, start=plan.start, read=self._read)

    @property
    def position(self) -> int:
        """Where in the file the next byte goes."""
        return self.start + self.received

    def write(self, data: bytes) -> None:
        """Write the next bytes to the storage and feed them to the digest.

        :raises SizeMismatch, FileTooLarge, BeyondLength: when there are more bytes than declared,
            allowed, or in the file.
        :raises LimitReached: when the owner's quota has no room for them.
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
            declared = plan.stop - self.start
            raise SizeMismatch(f"{declared} bytes were declared, more arrived")
        if plan.appends and end > self._most(end):
            raise BeyondLength(self._most(end), end)
        if plan.max_bytes is not None and end > plan.max_bytes:
            raise FileTooLarge(plan.max_bytes)
        if end > self._holding.end:
            self._holding.cover(end)

    def _most(self, end: int) -> int:
        """Return the file's length; ``end`` when it is not known."""
        length = self.plan.total if self.record.length is None else self.record.length
        return end if length is None else length

    def _read(self, low: int, high: int) -> Iterator[bytes]:
        """Read bytes of the part.

        :raises UploadNotFound, AlreadyComplete: when the part is gone because the upload was
            removed or completed.
        :raises PartMissing: when the part is gone although the upload still takes chunks.
        """
        try:
            yield from self._storage.read_part(self.record, low, high)
        except PartMissing as error:
            raise self._refused(error) from error

    def append_part(self, source: Record, *, start: int = 0, stop: int | None = None) -> None:
        """Append recorded bytes of another upload; the storage copies them if it can and has both.

        Checksums at the file's start are the other upload's. Completion reads what is behind.

        :param start, stop: the range of its bytes; by default all.
        :raises SizeMismatch, FileTooLarge, LimitReached, OffsetMismatch: as :meth:`write`.
        :raises UploadExpired, UploadNotFound: when the other upload's bytes are lost, or removed.
        """
        stop = source.offset if stop is None else stop
        far = not self._parts.stores.has(source, self._storage)
        with translate_failures(), self._parts.source(source):
            joining = None if far or self._may_repeat() else concatenating(self._storage)
            if joining is None:
                for data in self._parts.storage_of(source).read_part(source, start, stop):
                    self.write(data)
                return
        self._check_size(stop - start)
        if self.position == 0:
            self._first_source = source.upload_id
        with translate_failures(), self._parts.source(source), blocking():
            try:
                joining.append_part(
                    self._lease.part_writer, source, self.position, start=start, stop=stop
                )
            except LeaseLost as error:
                raise self._refused() from error
        if self._first_source != source.upload_id or self.position != start:
            self._first_source = None
        elif stop == source.offset:  # the file begins with all bytes of the other
            self.record.checksum_states = dict(source.checksum_states)
        self._digest.stop()
        self.received += stop - start

    def _may_repeat(self) -> bool:
        """Whether bytes at the chunk's position may be stored already."""
        return self.position < (self._stored[-1][1] if self._stored else 0)

    def _put(self, data: bytes) -> None:
        """Write the bytes that are new, and compare those that are stored already."""
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
        except (LeaseLost, PartMissing, FileNotFoundError) as error:
            raise self._refused(error) from error

    def finish_whole(self) -> None:
        """Make a whole chunk durable, and refuse a truncated one (the rule of chunk dialects).

        Sets the new offset on the record.

        :raises SizeMismatch: when bytes are missing.
        """
        plan = self.plan
        if not plan.last and plan.stop is not None and self.position != plan.stop:
            raise SizeMismatch(
                f"{plan.stop - self.start} bytes were declared, {self.received} arrived"
            )
        self.finish_prefix()

    def finish_prefix(self) -> None:
        """Make the received bytes durable, even if some are missing (the rule of offset dialects).

        Sets the new offset on the record.

        :raises OffsetMismatch: when a newer request has taken over.
        """
        with translate_failures():
            self._sync()
            self._values = self._merged()
        for name, value in self._values.items():
            setattr(self.record, name, value)

    def end_file(self) -> None:
        """Have the file end with the bytes received so far, unless its length is known."""
        if self.plan.total is None and self.record.length is None:
            self.plan = replace(self.plan, total=self.position)

    def commit_progress(self) -> None:
        """Make durable and record what has arrived so far; the chunk goes on under its lease.

        :raises OffsetMismatch, AlreadyComplete, UploadNotFound: when another request was first.
        """
        self._goes_on = True
        with translate_failures():
            self._sync()
            self._values = self._merged()
            self._swap_until_done()
        self._goes_on = False
        self._state = {}
        # Beyond this chunk's own bytes if others were stored there before.
        self.plan = replace(self.plan, start=self.record.offset)

    def _sync(self) -> None:
        try:
            with timed(Figure.SYNC_SECONDS):
                self._state |= self._lease.sync() or {}
        except (LeaseLost, PartMissing, FileNotFoundError) as error:
            raise self._refused(error) from error
        if isinstance(self._storage, WritesParts):
            self._digest.wait()  # no other host can read what it has not seen

    def commit(self) -> None:
        """Record the bytes. Only after this may the client be told.

        :raises OffsetMismatch, AlreadyComplete, UploadNotFound: when another request was first.
        """
        with translate_failures():
            self._swap_until_done()
        self.committed = True
        self._holding.settle(self._values.get("reserved"))
        measured(Figure.CHUNK_BYTES, self.received)
        self._lease.committed(self.record.offset, self.record.fencing_token)
        self._digest.keep()
        if self.first:
            self._parts.emit("created", self.record)
        self._parts.emit("chunk_received", self.record)

    def _swap_until_done(self) -> None:
        for _ in range(_TRIES):
            if self._swap():
                return
            self._look_again()
        raise ServiceUnavailable("Upload is being changed by too many requests")

    def _swap(self) -> bool:
        try:
            told = EventKind.CREATED if self.first else None
            at = self._offset_read
            return self._records.swap(self.record, self._values, offset=at, event=told)
        except BaseException:
            # If the connection broke, the database may still carry out the statement, even later.
            # So leave the lease standing: the next request then raises the token before it reads.
            self._lease.abandon()
            raise

    def _look_again(self) -> None:
        """Read the record again, and merge this chunk into it if it may still be committed."""
        self._alone = False
        if self._parts.refresh(self.record) is not State.UPLOADING or not self._lease.stands():
            raise self._refused()
        self._parts.check_unexpired(self.record)  # or it was made invalid
        self.plan.check_fits(self.record)  # another chunk may have set the length
        self._values = self._merged()

    def _merged(self) -> dict[str, Any]:
        """Return the record's new values: those read, plus this chunk."""
        record, plan = self.record, self.plan
        self._offset_read = record.offset
        self.first = is_empty(record) and (plan.creates or not plan.sequential)
        beyond = ranges.add(record.received, self.start, self.position)
        offset, beyond = ranges.settle(record.offset, beyond)
        if len(beyond) > _MAX_RANGES:
            raise LimitReached(f"Too many separate ranges (at most {_MAX_RANGES})")
        values: dict[str, Any] = {
            "offset": offset,
            "expires_on": self._parts.expiry_after_chunk(record),
        }
        if beyond != record.received:
            values["received"] = beyond
        if beyond or record.received:
            # The offset stays the same here, so only the token tells two such commits apart.
            values["fencing_token"] = record.fencing_token + 1
        if plan.last:
            values["length"] = self.position
        elif record.length is None and (plan.whole or plan.total is not None):
            values["length"] = self.position if plan.total is None else plan.total
        values |= held_at_commit(record, plan, self.position)
        state = self._state
        if not self._goes_on:
            length = values.get("length", record.length)
            values |= self._lease.released(end=None if beyond else offset, length=length)
            state = state | self._lease.ended(state)
        if state:
            # Set it on the record now, so that the digest can read what has just been written.
            record.storage_state = merge(record.storage_state, state)
            values["storage_state"] = record.storage_state
        return values | self._digest.reached(offset)

    def _refused(self, lost: Exception | None = None) -> Exception:
        """Return why this chunk is refused: the record's reason, read again, or what is lost."""
        self._alone = False
        refused = refusal(self._parts.refresh(self.record), Event.WRITE)
        if refused is None and isinstance(lost, PartMissing | FileNotFoundError):
            return type(lost)(*lost.args)
        return refused or OffsetMismatch(self.record.offset)

    def bytes(self) -> Iterator[bytes]:
        """Read back the received bytes."""
        if not isinstance(self._storage, LeasesRanges):  # only synced bytes can be read
            with translate_failures():
                self._sync()
            self.record.storage_state = merge(self.record.storage_state, self._state)
        return self._read(self.start, self.position)

    def __enter__(self) -> Chunk:
        return self

    def __exit__(self, *exception: object) -> None:
        self._lease.close()
        if self._alone and not self.committed:
            self._forget(self.record)
