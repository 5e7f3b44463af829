"""Bytes that are sent to the store."""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import NamedTuple

#: Bytes read at a time.
_BUFFER = 1024 * 1024


class Body(NamedTuple):
    """Bytes to send: in memory, or in a file that is read from its start.

    :param tried: whether the store has been sent them before, and did not answer in time.
    """

    data: bytes | io.RawIOBase
    size: int
    crc: int
    tried: bool = False

    @classmethod
    def of(cls, data: bytes) -> Body:
        """Return bytes that are in memory as a body."""
        return cls(data, len(data), zlib.crc32(data))

    def md5(self) -> str:
        """Return their MD5, in hex digits."""
        digest = hashlib.md5(usedforsecurity=False)
        if isinstance(self.data, bytes):
            digest.update(self.data)
            return digest.hexdigest()
        self.data.seek(0)
        while data := self.data.read(_BUFFER):
            digest.update(data)
        return digest.hexdigest()
