"""Makes the finished file of what an upload consists of.

Parts of the multipart upload are there already. Objects are copied by the store, as parts, or read
and sent where they are too small for that or the store cannot. The list of parts is ours, never
the store's, with the file's CRC-32 and size. All of it may be repeated: after a lost answer the
object itself tells, by its size and the upload's id in its metadata, whether it is this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..base import PartMissing, StorageBusy, StoredUpload
from .bucket import Bucket, Found, Multipart, SentPart
from .buffer import Budget, Buffer
from .grid import LARGEST_PART, MOST_PARTS, SMALLEST_PART, Grid
from .layout import Extent, Layout, covering
from .numbers import for_completion
from .objects import Objects

#: A range of one extent: the extent, and the range of the file.
Piece = tuple[Extent, int, int]


def metadata_of(upload: StoredUpload) -> dict[str, str]:
    """Return the metadata by which a finished file is known as this upload's."""
    return {"upload-id": upload.upload_id}


def is_file_of(bucket: Bucket, key: str, upload: StoredUpload) -> bool:
    """Return whether an object is the finished file of an upload.

    On a store that keeps no metadata, only the size and the id in the key tell.
    """
    found = bucket.find(key)
    if found is None or found.size != upload.offset:
        return False
    known = found.metadata.get("upload-id")
    return upload.upload_id in key if known is None else known == upload.upload_id


def names_upload(found: Found, upload_id: str) -> bool:
    """Return whether an object's metadata say that it is an upload's file."""
    return found.metadata.get("upload-id") == upload_id


class Assembly:
    """Assembles finished files.

    :param copies: whether the store copies objects as parts.
    :param replaces: whether an object that has the key is replaced.
    """

    def __init__(
        self, objects: Objects, budget: Budget, *, copies: bool, replaces: bool = False
    ) -> None:
        self._objects = objects
        self._bucket = objects.bucket
        self._budget = budget
        self._copies = copies
        self._replaces = replaces

    def make(self, upload: StoredUpload, layout: Layout, grid: Grid, key: str) -> None:
        """Make an upload's recorded bytes the object ``key``.

        :raises PartMissing: when some of them are missing.
        """
        extents = self._objects.load(upload.upload_id, layout)
        pieces = covering(extents, 0, upload.offset)
        try:
            self._make(upload, layout, grid, key, pieces)
        except (FileNotFoundError, FileExistsError, PartMissing, StorageBusy, OSError) as error:
            if is_file_of(self._bucket, key, upload):
                return
            if isinstance(error, FileNotFoundError):  # the store has lost the multipart upload
                raise PartMissing(upload.upload_id) from error
            if not isinstance(error, FileExistsError) or upload.upload_id not in key:
                raise
            # A versitygw that was killed while it stored an object says that the key is taken, but
            # has no such object. With the upload's id in it, the key is nobody else's.
            whole = Assembly(self._objects, self._budget, copies=self._copies, replaces=True)
            whole._make(upload, layout, grid, key, pieces)

    def _make(
        self, upload: StoredUpload, layout: Layout, grid: Grid, key: str, pieces: list[Piece]
    ) -> None:
        multipart = layout.multipart
        if multipart is not None and any(extent.number for extent, _, _ in pieces):
            groups = list(_by_slot(grid, pieces))
            if multipart.key == key:
                return self._finish(upload, multipart, groups)
            return self._elsewhere(upload, multipart, groups, key)
        if upload.offset <= SMALLEST_PART:
            return self._put(upload, key, pieces)
        [(first, _, stop), *others] = pieces
        if not others and first.size == stop <= LARGEST_PART:
            return self._copy(upload, key, first)
        multipart = self._objects.start(upload.upload_id, key, metadata_of(upload))
        groups = list(enumerate(_in_a_row(pieces, upload.offset), start=1))
        return self._finish(upload, multipart, groups)

    def _put(self, upload: StoredUpload, key: str, pieces: list[Piece]) -> None:
        buffer = self._read(upload, pieces)
        try:
            metadata = metadata_of(upload)
            self._bucket.put(key, buffer.body(), metadata=metadata, replaces=self._replaces)
        finally:
            buffer.close()

    def _copy(self, upload: StoredUpload, key: str, extent: Extent) -> None:
        source = self._objects.key(upload.upload_id, extent.name)
        try:
            self._bucket.copy(source, key, metadata_of(upload))
        except FileNotFoundError as error:
            raise PartMissing(source) from error
        self._check_made(upload, key)

    def _finish(
        self, upload: StoredUpload, multipart: Multipart, groups: list[tuple[int, list[Piece]]]
    ) -> None:
        parts = list(self._send(upload, multipart, groups))
        self._bucket.complete(multipart, parts, replaces=self._replaces)
        self._check_made(upload, multipart.key)

    def _elsewhere(
        self,
        upload: StoredUpload,
        multipart: Multipart,
        groups: list[tuple[int, list[Piece]]],
        key: str,
    ) -> None:
        """Finish a file whose place was chosen after its first part was sent."""
        if not is_file_of(self._bucket, multipart.key, upload):
            self._finish(upload, multipart, groups)
        self._bucket.copy_any(multipart.key, key, metadata_of(upload))
        self._check_made(upload, key)

    def _check_made(self, upload: StoredUpload, key: str) -> None:
        """Check that the file is there: once it is recorded, its parts are removed.

        To a completion that is repeated while the first one is being carried out, versitygw answers
        200 at once.

        :raises StorageBusy:
        """
        if not is_file_of(self._bucket, key, upload):
            raise StorageBusy("the object store has not made the file yet")

    def _send(
        self, upload: StoredUpload, multipart: Multipart, groups: list[tuple[int, list[Piece]]]
    ) -> Iterator[SentPart]:
        """Yield the parts in order; send those that are not there."""
        return self._bucket.connection.each(
            partial(self._part, upload, multipart, number, pieces) for number, pieces in groups
        )

    def _part(
        self, upload: StoredUpload, multipart: Multipart, number: int, pieces: list[Piece]
    ) -> SentPart:
        [(extent, low, high), *others] = pieces
        alone = not others and high - low == extent.size
        if alone and extent.number:
            return SentPart(extent.number, extent.size, extent.etag, extent.crc)
        if alone and self._copies:
            source = self._objects.key(upload.upload_id, extent.name)
            etag = self._bucket.copy_part(multipart, number, source)
            return SentPart(number, extent.size, etag, extent.crc)
        buffer = self._read(upload, pieces)
        try:
            return self._bucket.put_part(multipart, number, buffer.body())
        finally:
            buffer.close()

    def _read(self, upload: StoredUpload, pieces: list[Piece]) -> Buffer:
        buffer = Buffer(0, self._budget)
        try:
            for extent, low, high in pieces:
                for data in self._objects.read_extent(upload.upload_id, extent, low, high):
                    buffer.add(data)
        except BaseException:
            buffer.close()
            raise
        return buffer


def _by_slot(grid: Grid, pieces: list[Piece]) -> Iterator[tuple[int, list[Piece]]]:
    """Yield the pieces of each slot, with the part number under which they are sent."""
    group: list[Piece] = []
    slot = grid.at(0)
    for extent, low, high in pieces:
        while low < high:
            if low >= slot.stop:
                yield for_completion(slot), group
                group, slot = [], grid.at(low)
            end = min(high, slot.stop)
            group.append((extent, low, end))
            low = end
    if group:
        yield for_completion(slot), group


def _in_a_row(pieces: list[Piece], length: int) -> Iterator[list[Piece]]:
    """Yield the pieces of each part, of which all but the last are large enough."""
    least = max(SMALLEST_PART, -(-length // (MOST_PARTS // 2)))
    group: list[Piece] = []
    size = 0
    for piece in pieces:
        group.append(piece)
        size += piece[2] - piece[1]
        if size >= least:
            yield group
            group, size = [], 0
    if group:
        yield group
