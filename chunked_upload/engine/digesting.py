"""The digest of an upload's bytes as its chunks bring them.

The digest follows in the background (:mod:`~chunked_upload.checksum.background`), and every commit
records how far it is. The next chunk continues with the digest that this process kept, or else from
the recorded state, reading from the storage what that state has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chunked_upload.checksum.background import BackgroundDigest, BackgroundDigests
from chunked_upload.checksum.md5 import MD5
from chunked_upload.records.repository import Record

#: Bytes that one chunk reads back for the digest at most, when gaps before them have closed or the
#: recorded state is behind; the next chunk or the completion continues from there.
_CATCH_UP = 64 * 1024 * 1024

#: Returns the stored bytes ``[low, high)`` of the upload.
Read = Callable[[int, int], Iterator[bytes]]


class ChunkDigest:
    """What one chunk does for the digest of its upload.

    :param start: where the chunk begins.
    :param kept: the digests to continue with; None when no digest is wanted.
    :param read: reads the upload's part.
    """

    def __init__(
        self, record: Record, *, start: int, kept: BackgroundDigests | None, read: Read
    ) -> None:
        self._record = record
        self._start = start
        self._kept = kept
        self._read = read
        #: The digest of all bytes up to where the chunk has come; None when it cannot follow yet.
        self._digest: BackgroundDigest | None = None

    def pick_up(self) -> None:
        """Find the digest of the bytes before the chunk, if they are all recorded."""
        if self._kept is None or self._start > self._record.offset:
            return
        self._digest = self._kept.take(self._record.upload_id, self._start)
        behind = self._start - self._record.digest_offset
        if self._digest is None and 0 <= behind <= _CATCH_UP:
            self._digest = self._thaw(self._start)

    def feed(self, data: bytes) -> None:
        """Take in the chunk's next bytes, once they are written."""
        if self._digest is not None:
            self._digest.feed(data)

    def reached(self, offset: int) -> dict[str, Any]:
        """Return what a commit records of the digest.

        :param offset: the prefix's length with this chunk, which may have closed a gap; the digest
            follows as far as that is cheap.
        """
        seen = self._record.digest_offset
        if self._digest is not None:
            self._follow(self._digest, min(offset, self._digest.end + _CATCH_UP))
        elif self._kept is not None and seen < offset:
            self._digest = self._thaw(min(offset, seen + _CATCH_UP))
        if self._digest is None or self._digest.reached[1] <= seen:
            return {}
        state, seen = self._digest.reached
        return {"digest_state": state, "digest_offset": seen}

    def keep(self) -> None:
        """Keep the digest for the next chunk, now that this one is committed."""
        if self._kept is not None and self._digest is not None:
            self._kept.keep(self._record.upload_id, self._digest)

    def _thaw(self, end: int) -> BackgroundDigest | None:
        """Continue from the recorded state, reading what it has not seen up to ``end``."""
        seen = self._record.digest_offset
        digest = MD5.pick_up(self._record.digest_state, seen, seen)
        return None if digest is None else self._follow(BackgroundDigest(digest, seen), end)

    def _follow(self, digest: BackgroundDigest, end: int) -> BackgroundDigest:
        if digest.end < end:
            for data in self._read(digest.end, end):
                digest.feed(data)
        return digest
