"""Handles a duplicate chunk: compares it with the stored bytes and writes nothing.

A client sends a chunk again when the answer was lost, since it cannot know that the chunk was
stored. By then the upload may be complete. The same bytes get the same answer. Different bytes are
refused, and the stored bytes stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartMissing

from .errors import BytesDiffer, SizeMismatch
from .failures import translate_failures
from .parts import EngineParts
from .states import Event, follow

#: Bytes read from the storage at a time.
_BUFFER = 2**20


class DuplicateChunk:
    """A chunk being compared. Use it as a context manager.

    Made by :meth:`~chunked_upload.engine.engine.UploadEngine.duplicate_of`.
    """

    def __init__(self, record: Record, parts: EngineParts, *, start: int, stop: int) -> None:
        self.record = record
        #: Bytes received so far.
        self.received = 0
        self._start = start
        self._stop = stop
        self._parts = parts
        self._storage = parts.storage_of(record)
        self._file: BinaryIO | None = None
        self._closing = ExitStack()

    def write(self, data: bytes) -> None:
        """Compare the next bytes.

        :raises SizeMismatch: when there are more bytes than declared.
        :raises BytesDiffer:
        :raises UploadNotFound: when the upload was removed meanwhile.
        """
        low = self._start + self.received
        high = low + len(data)
        if high > self._stop:
            raise SizeMismatch(f"{self._stop - self._start} bytes were declared, more arrived")
        with translate_failures():
            same = self._stored(low, high) == data
        if not same:
            raise BytesDiffer(self.record.offset)
        self.received += len(data)

    def finish(self) -> None:
        """Check the number of bytes, and refresh the record.

        :raises SizeMismatch: when bytes are missing.
        :raises UploadNotFound: when the upload was removed meanwhile.
        """
        if self._start + self.received != self._stop:
            declared = self._stop - self._start
            raise SizeMismatch(f"{declared} bytes were declared, {self.received} arrived")
        with translate_failures():
            self._look_again()

    def compared(self) -> Iterator[bytes]:
        """Yield the stored bytes that were found equal so far, in buffers.

        :raises UploadNotFound: when the upload was removed meanwhile.
        """
        for low in range(0, self.received, _BUFFER):
            high = min(low + _BUFFER, self.received)
            with translate_failures():
                data = self._stored(self._start + low, self._start + high)
            yield data

    def _stored(self, low: int, high: int) -> bytes:
        if self.record.path is None:
            try:
                return b"".join(self._storage.read_part(self.record, low, high))
            except PartMissing:
                self._look_again()
                if self.record.path is None:
                    raise
        return self._from_file(self.record.path, low, high)

    def _from_file(self, path: str, low: int, high: int) -> bytes:
        """Read bytes of the completed file, whose part is gone."""
        if self._file is None:
            try:
                self._file = self._closing.enter_context(self._parts.open_file(self.record))
            except FileNotFoundError as error:
                raise PartMissing(self.record.upload_id) from error
        self._file.seek(low)
        return self._file.read(high - low)

    def _look_again(self) -> None:
        follow(self._parts.refresh(self.record), Event.COMPARE)

    def __enter__(self) -> DuplicateChunk:
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.close()
