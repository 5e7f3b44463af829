"""The objects of one upload, below the prefix ``.incoming/<upload_id>/``."""

from __future__ import annotations

import json
import secrets
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator

from chunked_upload.support.blocking import blocking

from ..base import PartHidden, PartMissing, StorageBusy
from .body import Body
from .bucket import Bucket, Multipart
from .layout import Extent, Layout, covering

INCOMING = ".incoming/"

#: First letter of the names of notes about multipart uploads; other names are hex digits.
_NOTE = "u"

#: Lists of extents that a process keeps, of about 5 KB.
_MOST_KEPT = 512


class Objects:
    """Reads and writes the objects of uploads.

    :param prefix: what all keys of the storage begin with; empty, or with a slash at its end.
    """

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self._listings: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def now(self) -> float | None:
        """Seconds since 1970 by the store's clock; None while it has not answered."""
        return self.bucket.connection.clock.now

    def folder(self, upload_id: str) -> str:
        """Return what the keys of an upload's objects begin with."""
        return f"{self.prefix}{INCOMING}{upload_id}/"

    def key(self, upload_id: str, name: str) -> str:
        """Return the key of one of an upload's objects."""
        return self.folder(upload_id) + name

    def put(self, upload_id: str, name: str, start: int, body: Body) -> Extent:
        """Store bytes as an object."""
        etag = self.bucket.put(self.key(upload_id, name), body)
        return Extent(name, start, body.size, body.crc, etag)

    def load(self, upload_id: str, layout: Layout) -> list[Extent]:
        """Return all extents of an upload.

        :raises PartMissing: when a list of them is missing.
        """
        return layout.load(lambda name: self._listing(self.key(upload_id, name)))

    def _listing(self, key: str) -> bytes:
        with self._lock:
            if key in self._listings:
                self._listings.move_to_end(key)
                return self._listings[key]
        try:
            content = self.bucket.read_all(key)
        except FileNotFoundError as error:
            raise PartMissing(key) from error
        with self._lock:
            self._listings[key] = content
            while len(self._listings) > _MOST_KEPT:
                self._listings.popitem(last=False)
        return content

    def read(self, upload_id: str, extents: list[Extent], start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes ``[start, stop)``; what is read whole is compared with its CRC-32.

        :raises PartMissing: when an object is missing.
        :raises PartHidden: when only a part has the bytes.
        :raises StorageBusy: when they are not the bytes that were stored.
        """
        for extent, low, high in covering(extents, start, stop):
            yield from self.read_extent(upload_id, extent, low, high)

    def read_extent(self, upload_id: str, extent: Extent, low: int, high: int) -> Iterator[bytes]:
        """Yield the bytes of one extent that lie in ``[low, high)`` of the file."""
        if extent.number:
            raise PartHidden(upload_id)
        key, crc = self.key(upload_id, extent.name), 0
        try:
            for data in self.bucket.read(key, low - extent.start, high - extent.start):
                crc = zlib.crc32(data, crc)
                yield data
        except FileNotFoundError as error:
            raise PartMissing(key) from error
        if high - low == extent.size and crc != extent.crc:
            raise StorageBusy(f"the object store returned other bytes of {key} than it was given")

    # Multipart uploads that nothing refers to yet

    def start(self, upload_id: str, key: str, metadata: dict[str, str]) -> Multipart:
        """Start a multipart upload, which is aborted with the upload.

        If this process is killed before it can write down which one it has started, the key tells
        whose it is. A moved file's does not (it is that of the other storage); so it is written
        down before, and stands for all multipart uploads with it.
        """
        if upload_id not in key:
            self._note(upload_id, key, "")
            return self.bucket.start(key, metadata)
        multipart = self.bucket.start(key, metadata)
        self._note(upload_id, key, multipart.upload)
        return multipart

    def _note(self, upload_id: str, key: str, multipart: str) -> None:
        content = json.dumps([key, multipart]).encode()
        self.bucket.put(self.key(upload_id, _NOTE + secrets.token_hex(8)), Body.of(content))

    def forget(self, upload_id: str) -> None:
        """Remove all objects of an upload, and its multipart uploads that are written down."""
        folder = self.folder(upload_id)
        keys = [key for key, _ in self.bucket.keys(folder)]
        for key in keys:
            if key.startswith(folder + _NOTE):
                self._abort_noted(key)
        self.bucket.delete(keys)

    def _abort_noted(self, key: str) -> None:
        try:
            noted, multipart = json.loads(self.bucket.read_all(key))
        except FileNotFoundError:  # another request removes them too
            return
        except ValueError as error:
            raise StorageBusy(f"the object store did not return {key}") from error
        if multipart:
            self.bucket.abort(noted, multipart)
            return
        for found, multipart, _ in self.bucket.multiparts(noted):
            if found == noted:
                self.bucket.abort(found, multipart)

    def delete_later(self, upload_id: str, names: list[str]) -> None:
        """Remove objects in another thread; what it cannot remove goes with the upload."""
        keys = [self.key(upload_id, name) for name in names]
        self.bucket.connection.threads.submit(self.bucket.delete, keys)

    def has_any(self, upload_id: str) -> bool:
        """Return whether the upload has an object."""
        with blocking():
            return any(self.bucket.keys(self.folder(upload_id), most=1))

    def check(self) -> None:
        """Store an object and remove it."""
        # Named as if it were an upload's, so that what a killed process leaves is an orphan.
        key = self.key(secrets.token_hex(16), "check")
        self.bucket.put(key, Body.of(b""))
        self.bucket.delete([key])
