"""Bytes of one part while they arrive: in memory, or in a file when memory is short.

Nothing in here has been confirmed to a client. All buffers of a process share one budget. Their
memory is mapped in blocks, which go back to the system at once: parts of many sizes that come and
go would otherwise take several times the budget of the heap.
"""

from __future__ import annotations

import io
import mmap
import tempfile
import threading
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from .body import Body

#: Bytes of memory taken at a time.
_BLOCK = 1024 * 1024

#: Bytes that are read at a time.
_PIECE = 256 * 1024


class Budget:
    """Bytes that a process's buffers may take in memory."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take bytes if there are enough; return whether there were."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give(self, size: int) -> None:
        """Give bytes back."""
        with self._lock:
            self._free += size


class Buffer:
    """Bytes that begin at a position of the file."""

    def __init__(self, start: int, budget: Budget) -> None:
        self.start = start
        self.size = 0
        self._crc = 0
        self._budget = budget
        self._blocks: list[mmap.mmap] = []
        self._file: BinaryIO | None = None

    @property
    def stop(self) -> int:
        """The end of the bytes in the file."""
        return self.start + self.size

    def add(self, data: bytes | memoryview) -> None:
        """Add bytes at the end.

        :raises OSError: when they need a temporary file, and there is no room for it.
        """
        self._crc = zlib.crc32(data, self._crc)
        rest = memoryview(data)
        while rest and self._file is None:
            used = self.size - _BLOCK * (len(self._blocks) - 1) if self._blocks else _BLOCK
            if used == _BLOCK and not self._add_block():
                self._move_to_file()
                break
            used %= _BLOCK
            size = min(len(rest), _BLOCK - used)
            self._blocks[-1][used : used + size] = rest[:size]
            self.size, rest = self.size + size, rest[size:]
        if self._file is not None:
            self._file.seek(0, io.SEEK_END)  # it may have been read
            self._file.write(rest)
            self.size += len(rest)

    def body(self) -> Body:
        """Return the bytes to send; they must not be closed before they are sent."""
        return Body(self._content(), self.size, self._crc)

    def read(self) -> Iterator[bytes]:
        """Yield the bytes."""
        content = self._content()
        content.seek(0)
        while data := content.read(_PIECE):
            yield data

    def close(self) -> None:
        """Forget the bytes. Idempotent."""
        blocks, self._blocks = self._blocks, []
        for block in blocks:
            block.close()
        self._budget.give(_BLOCK * len(blocks))
        if self._file is not None:
            self._file.close()
            self._file = None

    def _content(self) -> _Content:
        return _Blocks(self._blocks, self.size) if self._file is None else _File(self._file)

    def _add_block(self) -> bool:
        if not self._budget.take(_BLOCK):
            return False
        self._blocks.append(mmap.mmap(-1, _BLOCK))
        return True

    def _move_to_file(self) -> None:
        file = tempfile.TemporaryFile(prefix="chunked-upload-")  # noqa: SIM115 - close() closes it
        try:
            for data in self.read():
                file.write(data)
        except BaseException:
            file.close()
            raise
        size = self.size
        self.close()
        self._file, self.size = file, size


class _Content(io.RawIOBase):
    """Bytes to send, as a file for boto3.

    It asks for 16 KiB when it sends, which costs more processor time than all checksums, and for a
    MiB when it signs, of which each thread's heap would keep several. So :meth:`read` returns a
    piece of another size than asked for. (Whatever came of that, the CRC-32 would not fit.)
    """

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        return self.piece() if size else b""

    def piece(self) -> bytes:
        """Return the next piece; nothing at the end."""
        raise NotImplementedError


class _File(_Content):
    """The bytes of a file."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def piece(self) -> bytes:
        return self._file.read(_PIECE)


class _Blocks(_Content):
    """Bytes in blocks of memory."""

    def __init__(self, blocks: list[mmap.mmap], size: int) -> None:
        super().__init__()
        self._blocks = blocks
        self._size = size
        self._position = 0

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def piece(self) -> bytes:
        nth, at = divmod(self._position, _BLOCK)
        size = max(0, min(_PIECE, _BLOCK - at, self._size - self._position))
        self._position += size
        return self._blocks[nth][at : at + size] if size else b""
