"""Writes one range of an upload, for one request.

Bytes are gathered to the end of their slot (grid.py). A whole slot is sent as a part of the
multipart upload if nobody needs to read it before the file is complete, else as an object. It is
sent while its bytes arrive if they come quickly (ahead.py), else in another thread while the next
ones do. ``sync`` sends what is left as an object too, so that nothing is confirmed that is only in
this process. Small objects are joined as they become many, and into the whole slot once its last
byte arrives, so each byte is read again a few times at most.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain, count

from chunked_upload.support.blocking import blocking

from ..base import PartMissing, PartWriter, StorageBusy, StorageState
from .ahead import Ahead
from .body import Body
from .bucket import Multipart
from .buffer import Budget, Buffer
from .failures import waited
from .grid import Grid, Slot
from .layout import LISTED, Extent, Layout, listed
from .numbers import PartNumbers
from .objects import Objects
from .stream import Stream, Streams

#: Small objects of about the same size that are joined.
_JOINED = 32

#: Seconds after which no request reads objects any more that others have replaced.
_READ_BY_THEN = 60


@dataclass(frozen=True, kw_only=True)
class PartsTo:
    """Where whole slots go as parts.

    :param key: of the finished file.
    :param metadata: of the finished file.
    :param numbers: the part numbers that this request was given.
    :param length: the declared length, for which the file is cut into slots.
    """

    key: str
    metadata: dict[str, str]
    numbers: PartNumbers
    length: int | None


class S3Writer(PartWriter):
    """A writer of one upload.

    :param layout: the upload as this request's lease has found it.
    :param stop: the end of the range; None when it is not known.
    :param parts: where whole slots go as parts; None when they must be readable.
    """

    def __init__(
        self,
        objects: Objects,
        upload_id: str,
        layout: Layout,
        grid: Grid,
        *,
        stop: int | None,
        budget: Budget,
        streams: Streams,
        parts: PartsTo | None,
    ) -> None:
        self._stop, self._streams = stop, streams
        self._objects, self._upload_id = objects, upload_id
        self._layout, self._grid = layout, grid
        self._budget = budget
        self._parts = parts
        self._multipart: Multipart | None = layout.multipart
        self._buffer: Buffer | None = None
        self._ahead: Ahead | None = None
        #: The name of what is sent ahead, and its number if it is a part.
        self._planned: tuple[str, int | None] = "", None
        self._sending: tuple[Future[Extent], Buffer, list[Extent]] | None = None
        #: What the next sync returns.
        self._changes: StorageState = {}
        self._token, self._names = secrets.token_hex(8), count(1)
        self._forget_replaced()

    def write(self, data: bytes | memoryview, position: int) -> None:
        rest = memoryview(data)
        while rest:
            slot = self._grid.at(position)
            size = min(len(rest), slot.stop - position)
            buffer = self._buffer_at(position)
            buffer.add(rest[:size])
            if self._ahead is not None:
                self._ahead.add(buffer, rest[:size])
            rest, position = rest[size:], position + size
            if position == slot.stop:
                self._buffer = None
                self._send_slot(slot, buffer)

    def sync(self) -> StorageState | None:
        self._flush()
        self._await()
        self._list_whole_slots()
        if self._parts is not None and self._layout.end:
            self._change(self._parts.numbers.extended(self._grid.at(self._layout.end)))
        changes, self._changes = self._changes, {}
        return changes or None

    def new_name(self) -> str:
        """Return a name for an object, which nobody else gets. Any thread may ask."""
        return f"{self._token}.{next(self._names)}"

    def key(self, name: str) -> str:
        """Return the key of an object of the writer's upload."""
        return self._objects.key(self._upload_id, name)

    def take_in(self, extents: list[Extent]) -> None:
        """Take in objects that have been made otherwise; many of them as lists."""
        for at in range(0, len(extents), LISTED):
            some = extents[at : at + LISTED]
            if len(some) == LISTED:
                self._put_list(some)
            else:
                for each in some:
                    self._change(each.entry)

    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.stop()
            self._ahead = None
        if self._buffer is not None:
            self._buffer.close()
            self._buffer = None
        if self._sending is not None:
            sending, buffer, _ = self._sending
            sending.add_done_callback(lambda _: buffer.close())
            self._sending = None

    def _buffer_at(self, position: int) -> Buffer:
        if self._buffer is not None and self._buffer.stop != position:
            self._flush()
        if self._buffer is None:
            self._buffer = Buffer(position, self._budget)
            self._ahead = Ahead(self._open_stream)
        return self._buffer

    # Sent while it arrives

    def _open_stream(self, buffer: Buffer) -> Stream | None:
        """Open a stream for a buffer's bytes; None for those that may be joined with others."""
        slot = self._grid.at(buffer.start)
        stop = min(slot.stop, slot.stop if self._stop is None else self._stop)
        number = self._number(slot) if (buffer.start, stop) == (slot.start, slot.stop) else None
        if number is None and self._layout.run_before(buffer.start, not_before=slot.start):
            return None
        self._planned = name, number = self.new_name(), number
        key, part = self._objects.key(self._upload_id, name), None
        if number is not None and self._multipart is not None:
            key = self._multipart.key
            part = {"partNumber": number, "uploadId": self._multipart.upload}
        return self._streams.open(key, stop - buffer.start, query=part)

    def _take_stream(self, buffer: Buffer | None) -> Stream | None:
        """Return the stream that has got all of a buffer's bytes, if there is one."""
        ahead, self._ahead = self._ahead, None
        if ahead is None or buffer is None:
            return None
        return ahead.stream(buffer)

    def _number(self, slot: Slot) -> int | None:
        """Return the part number for a whole slot; None when it must be an object."""
        number = None if self._parts is None else self._parts.numbers.of(slot)
        if number is not None and self._multipart is None:
            self._start_multipart()
        return number

    # Whole slots

    def _send_slot(self, slot: Slot, buffer: Buffer) -> None:
        stream, replaced = self._take_stream(buffer), list[Extent]()
        try:
            if stream is not None:
                name, number = self._planned
            else:
                buffer, replaced = self._with_run(slot, buffer)
                name = self.new_name()
                number = self._number(slot) if buffer.start == slot.start else None
            self._await()
        except BaseException:
            if stream is not None:
                stream.abort()
            buffer.close()
            raise
        threads = self._objects.bucket.connection.threads
        sending = threads.submit(self._send, name, buffer.start, buffer.body(), number, stream)
        self._sending = sending, buffer, replaced

    def _send(
        self, name: str, start: int, body: Body, number: int | None, stream: Stream | None
    ) -> Extent:
        if stream is not None:
            if (etag := stream.finish(body.crc)) is not None:
                return Extent(name, start, body.size, body.crc, etag, number or 0)
            body = body._replace(tried=stream.hung)
        if number is None or self._multipart is None:
            return self._objects.put(self._upload_id, name, start, body)
        try:
            sent = self._objects.bucket.put_part(self._multipart, number, body)
        except FileNotFoundError as error:  # the store has lost the multipart upload
            raise PartMissing(self._upload_id) from error
        return Extent(name, start, sent.size, sent.crc, sent.etag, number)

    def _await(self) -> None:
        """Wait until the slot that is being sent is stored."""
        if self._sending is None:
            return
        (sending, buffer, replaced), self._sending = self._sending, None
        began = time.monotonic()
        try:
            with blocking():
                extent = sending.result()
        except StorageBusy:
            waited(began)
            raise
        finally:
            buffer.close()
        self._replace(replaced, extent)

    def _start_multipart(self) -> None:
        """Start the upload's multipart upload; another one's, if it was first, is what counts."""
        parts = self._parts
        if parts is None:
            return
        multipart = self._objects.start(self._upload_id, parts.key, parts.metadata)
        self._multipart = multipart
        self._change({"multipart": [*multipart, parts.length]})

    # Parts of slots

    def _flush(self) -> None:
        """Store the bytes of a slot that is not whole yet."""
        buffer, self._buffer = self._buffer, None
        stream, replaced = self._take_stream(buffer), list[Extent]()
        if buffer is None or not buffer.size:
            return
        try:
            self._await()
            if stream is not None:
                name, _ = self._planned
            else:
                buffer, replaced = self._joined(buffer, self._many_small(buffer))
                name = self.new_name()
            extent = self._send(name, buffer.start, buffer.body(), None, stream)
        finally:
            if stream is not None:
                stream.abort()
            buffer.close()
        self._replace(replaced, extent)

    def _many_small(self, buffer: Buffer) -> list[Extent]:
        """Return the objects before a buffer that are not larger than it, if they are many."""
        slot = self._grid.at(buffer.start)
        run = self._layout.run_before(buffer.start, not_before=slot.start)
        size, many = buffer.size, 0
        for nth, each in enumerate(reversed(run), start=1):
            if _order(each.size) > _order(size):
                break
            if nth % _JOINED == _JOINED - 1:
                many, size = nth, buffer.start + buffer.size - each.start
        return run[len(run) - many :]

    def _with_run(self, slot: Slot, buffer: Buffer) -> tuple[Buffer, list[Extent]]:
        """Return the whole slot with the objects that begin it, if they are all there."""
        run: list[Extent] = []
        if buffer.start > slot.start:
            self._await()
            run = self._layout.run_before(buffer.start, not_before=slot.start)
        return self._joined(buffer, run if run and run[0].start == slot.start else [])

    def _joined(self, buffer: Buffer, run: list[Extent]) -> tuple[Buffer, list[Extent]]:
        """Return the bytes of a run of objects and of a buffer in one buffer."""
        if not run:
            return buffer, run
        whole = Buffer(run[0].start, self._budget)
        try:
            for each in run:
                for data in self._objects.read_extent(self._upload_id, each, each.start, each.stop):
                    whole.add(data)
            for rest in buffer.read():
                whole.add(rest)
        except PartMissing:  # another request has replaced them meanwhile
            whole.close()
            return buffer, []
        except BaseException:
            whole.close()
            raise
        buffer.close()
        return whole, run

    def _replace(self, replaced: list[Extent], extent: Extent) -> None:
        self._change(extent.entry)
        for each in replaced:
            self._change(each.removal)
        if replaced:
            names = [each.name for each in replaced]
            self._change({f"x{self.new_name()}": [int(self._objects.now or time.time()), *names]})

    def _forget_replaced(self) -> None:
        """Remove objects that others replaced long ago."""
        if (now := self._objects.now) is None:
            return  # the next writer's turn
        before = now - _READ_BY_THEN
        old = {key: names for key, (at, names) in self._layout.replaced.items() if at < before}
        if old:
            self._objects.delete_later(self._upload_id, list(chain(*old.values())))
            self._change({f"x{key}": None for key in old})

    def _list_whole_slots(self) -> None:
        """Move whole slots from the state into a list, once they are many.

        Nobody writes to a whole slot again, so no request can be replacing what it consists of.
        """
        whole = self._layout.whole_slots(self._grid)
        if len(whole) < LISTED:
            return
        self._put_list(whole)
        for each in whole:
            self._change(each.removal)

    def _put_list(self, extents: list[Extent]) -> None:
        name, body = self.new_name(), Body.of(listed(extents))
        start, stop = min(each.start for each in extents), max(each.stop for each in extents)
        self._objects.put(self._upload_id, name, start, body)
        self._change({f"m{name}": [start, stop - start, body.crc]})

    def _change(self, changes: StorageState) -> None:
        self._changes |= changes
        self._layout.change(changes)


def _order(size: int) -> int:
    """Return the order of magnitude of a size, to the base 32."""
    return size.bit_length() // 5
