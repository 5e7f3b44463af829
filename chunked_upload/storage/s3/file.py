"""A finished object as a file that can be read from any place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from .bucket import Bucket


class ObjectFile(io.RawIOBase):
    """Reads an object by range requests; each goes on to the end until the place changes.

    :param size: the object's, in bytes.
    """

    def __init__(self, bucket: Bucket, key: str, size: int) -> None:
        super().__init__()
        self._bucket = bucket
        self._key = key
        self._size = size
        self._position = 0
        self._source: Iterator[bytes] | None = None
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset != self._position:
            self._stop()
            self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if not view or self._position >= self._size:
            return 0
        if not self._rest:
            if self._source is None:
                self._source = self._bucket.read(self._key, self._position, self._size)
            self._rest = memoryview(next(self._source, b""))
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        self._position += size
        return size

    def close(self) -> None:
        self._stop()
        super().close()

    def _stop(self) -> None:
        source, self._source, self._rest = self._source, None, memoryview(b"")
        if source is not None:
            source.close()  # type: ignore[attr-defined]
