"""Computes the checksums of an upload while its chunks arrive.

The background digest (:mod:`~chunked_upload.checksum.background`) does the hashing, and every
commit records how far it is. The next chunk continues with the digest that this process kept. If
there is none, it continues from the recorded states, and reads the bytes after them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from chunked_upload.checksum.background import BackgroundDigest, BackgroundDigests
from chunked_upload.checksum.protocol import Checksum
from chunked_upload.checksum.registry import find
from chunked_upload.records.repository import Record
from chunked_upload.storage.base import PartHidden
from chunked_upload.support.measuring import Figure, measured

#: Most bytes that one chunk reads back for the digest, when a gap has closed or the recorded states
#: are behind. The next chunk or the completion continues from there.
_CATCH_UP = 64 * 1024 * 1024

#: Returns the stored bytes ``[low, high)`` of the upload.
Read = Callable[[int, int], Iterator[bytes]]


class Digests:
    """The checksums that one engine keeps, and the background digests of its uploads.

    :param names: the checksums' names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.kinds = {name: find(name) for name in names}
        self.background = BackgroundDigests()

    def resumable(self) -> list[type[Checksum]]:
        """Return the checksums that can be kept between chunks; others read the file at the end."""
        return [kind for kind in self.kinds.values() if kind.resumable()]


class ChunkDigest:
    """Feeds one chunk's bytes to the checksums of its upload.

    :param start: position of the chunk's first byte in the file.
    :param read: reads the upload's part.
    """

    def __init__(self, record: Record, digests: Digests, *, start: int, read: Read) -> None:
        self._record = record
        self._start = start
        self._kinds = digests.resumable()
        self._background = digests.background
        self._read = read
        #: The digest of all bytes up to the chunk's position; None while earlier bytes are missing.
        self._digest: BackgroundDigest | None = None

    def pick_up(self) -> None:
        """Find the digest of the bytes before the chunk, if all of them are recorded."""
        if not self._kinds or self._start > self._record.offset:
            return
        self._digest = self._background.take(self._record.upload_id, self._start)
        if self._digest is None:
            self._digest = self._thaw_if_readable(self._start)

    def feed(self, data: bytes) -> None:
        """Hash the chunk's next bytes, once they are written."""
        if self._digest is not None:
            self._digest.feed(data)

    def wait(self) -> None:
        """Wait until the digest has seen all bytes that it was fed."""
        if self._digest is not None:
            self._digest.wait()

    def stop(self) -> None:
        """Stop the digest: the next bytes were copied without passing through this process."""
        self._digest = None

    def reached(self, offset: int) -> dict[str, Any]:
        """Return the digest's states for a commit to record.

        :param offset: the prefix's length with this chunk. The chunk may have closed a gap; then
            the digest catches up as far as that is cheap.
        """
        if self._digest is not None:
            self._follow(self._digest, min(offset, self._digest.end + _CATCH_UP))
        else:
            seen = [self._seen(kind.name) for kind in self._kinds]
            if seen and min(seen) < offset:
                self._digest = self._thaw_if_readable(min(offset, max(seen) + _CATCH_UP))
        return {} if self._digest is None else self._advanced(self._digest)

    def keep(self) -> None:
        """Keep the digest for the next chunk, now that this one is committed."""
        if self._digest is not None:
            measured(Figure.DIGEST_LAG_BYTES, self._digest.lag)
            self._background.keep(self._record.upload_id, self._digest)

    def _seen(self, name: str) -> int:
        seen: int = self._record.checksum_states.get(name, {}).get("offset", 0)
        return seen

    def _advanced(self, digest: BackgroundDigest) -> dict[str, Any]:
        """Return the record's states, replaced by the digest's where these are further."""
        states, offset = digest.reached
        new = {
            name: {"offset": offset, "state": b64encode(state).decode()}
            for name, state in states.items()
            if offset > self._seen(name)
        }
        return {"checksum_states": {**self._record.checksum_states, **new}} if new else {}

    def _thaw_if_readable(self, end: int) -> BackgroundDigest | None:
        """Continue as :meth:`_thaw`; what cannot be read yet is left to the completion."""
        try:
            return self._thaw(end)
        except PartHidden:
            return None

    def _thaw(self, end: int) -> BackgroundDigest | None:
        """Continue from the recorded states, reading the bytes from there up to ``end``.

        A checksum that is too far behind is left to the completion.
        """
        thawed = [thaw(self._record, kind) for kind in self._kinds]
        near = [(checksum, seen) for checksum, seen in thawed if 0 <= end - seen <= _CATCH_UP]
        if not near:
            return None
        position = max(seen for _, seen in near)
        for checksum, seen in near:
            if seen < position:  # a checksum that was not kept from the upload's start
                for data in self._read(seen, position):
                    checksum.update(data)
        return self._follow(BackgroundDigest([checksum for checksum, _ in near], position), end)

    def _follow(self, digest: BackgroundDigest, end: int) -> BackgroundDigest:
        if digest.end < end:
            for data in self._read(digest.end, end):
                digest.feed(data)
        return digest


def thaw(record: Record, kind: type[Checksum]) -> tuple[Checksum, int]:
    """Return a checksum in its recorded state, and how many bytes it has seen.

    It starts at 0 when the record has no usable state.
    """
    recorded = record.checksum_states.get(kind.name, {})
    if recorded.get("state"):
        with suppress(ValueError):  # a state of another version
            return kind.thaw(b64decode(recorded["state"])), recorded["offset"]
    return kind(), 0


def follows(record: Record, names: Iterable[str], start: int) -> bool:
    """Return whether the recorded states of checksums have seen the bytes up to ``start``."""
    states = record.checksum_states
    return all(states.get(name, {}).get("offset", 0) >= start for name in names)
