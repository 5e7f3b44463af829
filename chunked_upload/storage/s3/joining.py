"""Copies recorded bytes of one upload into another one, within the store.

Small objects, and those of which only a part is wanted, pass through the node: so they come
together, and the store could not use them as parts of the file.
"""

from __future__ import annotations

from functools import partial

from ..base import PartMissing, StoredUpload
from .grid import SMALLEST_PART
from .layout import Extent, Layout, covering
from .objects import Objects
from .writer import S3Writer


class Joining:
    """Copies bytes of one upload to where a writer writes.

    :param source: the other upload.
    """

    def __init__(self, objects: Objects, writer: S3Writer, source: StoredUpload) -> None:
        self._objects = objects
        self._writer = writer
        self._source = source

    def copy(self, position: int, *, start: int, stop: int) -> None:
        """Copy the bytes ``[start, stop)`` to a position of the writer's file.

        :raises PartMissing: when some of them are missing.
        """
        layout = Layout(self._source.storage_state)
        extents = self._objects.load(self._source.upload_id, layout)
        wanted: list[tuple[Extent, int]] = []
        for extent, low, high in covering(extents, start, stop):
            at = position + low - start
            if not extent.number and high - low == extent.size >= SMALLEST_PART:
                wanted.append((extent, at))
                continue
            for data in self._objects.read_extent(self._source.upload_id, extent, low, high):
                self._writer.write(data, at)
                at += len(data)
        if wanted:
            each = self._objects.bucket.connection.each
            self._writer.take_in(list(each(partial(self._copy, *one) for one in wanted)))

    def _copy(self, extent: Extent, at: int) -> Extent:
        source = self._objects.key(self._source.upload_id, extent.name)
        name = self._writer.new_name()
        try:
            etag = self._objects.bucket.copy(source, self._writer.key(name), {})
        except FileNotFoundError as error:
            raise PartMissing(source) from error
        return Extent(name, at, extent.size, extent.crc, etag)
