"""A toy storage: bytes in this process, each writer's under a key of its own.

It is one module, registers itself, and shows what a storage has to do at least.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO
from urllib.parse import urlsplit

from chunked_upload.settings.keys import Settings
from chunked_upload.storage import (
    PartMissing,
    PartWriter,
    Storage,
    StoredUpload,
    register_storage,
)
from chunked_upload.storage.powers import WritesRanges


class MemoryWriter(PartWriter):
    """Collects pieces; they are part of the upload once the record names them."""

    def __init__(self, blobs: dict[str, bytes], upload_id: str) -> None:
        self._blobs = blobs
        self._upload_id = upload_id
        self._pieces: list[tuple[int, bytearray]] = []

    def write(self, data: bytes | memoryview, position: int) -> None:
        if not self._pieces or self._pieces[-1][0] + len(self._pieces[-1][1]) != position:
            self._pieces.append((position, bytearray()))
        self._pieces[-1][1].extend(data)

    def sync(self) -> dict[str, list[int]]:
        state = {}
        for start, piece in self._pieces:
            key = f"{self._upload_id}/{uuid.uuid4().hex}"
            self._blobs[key] = bytes(piece)
            state[key] = [start, start + len(piece)]
        return state

    def close(self) -> None:
        self._pieces = []


@register_storage("memory")
class MemoryStorage(WritesRanges, Storage):
    """Parts and files in dictionaries."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.blobs: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.begun: set[str] = set()

    @classmethod
    def from_settings(cls, settings: Settings, default_root: str) -> MemoryStorage:
        return cls(urlsplit(settings.storage or "").netloc)

    def open_writer(
        self, upload: StoredUpload, start: int, stop: int | None, *, have: int
    ) -> MemoryWriter:
        if have:
            self._bytes(upload, have - 1, have)
        self.begun.add(upload.upload_id)
        return MemoryWriter(self.blobs, upload.upload_id)

    def read_part(self, upload: StoredUpload, start: int, stop: int) -> Iterator[bytes]:
        yield self._bytes(upload, start, stop)

    def _bytes(self, upload: StoredUpload, start: int, stop: int) -> bytes:
        pieces = sorted((span, key) for key, span in (upload.storage_state or {}).items())
        found, at = bytearray(), start
        for (low, high), key in pieces:
            if low <= at < min(high, stop) and key in self.blobs:
                found += self.blobs[key][at - low : stop - low]
                at = min(high, stop)
        if len(found) != stop - start:
            raise PartMissing(upload.upload_id)
        return bytes(found)

    def has_part(self, upload: StoredUpload) -> bool:
        return upload.upload_id in self.begun

    def discard_part(self, upload: StoredUpload) -> None:
        self.begun.discard(upload.upload_id)
        for key in [key for key in self.blobs if key.startswith(upload.upload_id)]:
            del self.blobs[key]

    def promote(self, upload: StoredUpload, directory: str) -> str:
        self.files[upload.upload_id] = self._bytes(upload, 0, upload.offset)
        return upload.upload_id

    def retract(self, upload: StoredUpload, directory: str) -> None:
        self.delete(upload.upload_id)

    def open(self, key: str) -> BinaryIO:
        if key not in self.files:
            raise FileNotFoundError(key)
        return BytesIO(self.files[key])

    def delete(self, key: str) -> None:
        self.files.pop(key, None)

    @property
    def identity(self) -> str:
        return f"memory://{self.name}"

    def check(self) -> None:
        """Nothing can be wrong with a dictionary."""
