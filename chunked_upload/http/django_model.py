"""django-chunked-upload's model methods, on the engine.

They need an app context. What would break a guarantee is refused with what to write instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from flask import current_app, has_request_context, request

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.failures import translate_failures
from chunked_upload.engine.plan import WritePlan
from chunked_upload.records.model import ChunkedUploadMixin
from chunked_upload.records.relationships import leave_session
from chunked_upload.records.repository import Record
from chunked_upload.storage.powers import LocalPaths

from .upload_set import BoundUploadSet
from .uploaded_file import UploadedFile

#: Bytes read at a time from a chunk.
_BUFFER = 1024 * 1024


class StoredFile:
    """The file of a completed upload, with the names of Django's ``FieldFile``.

    It is false while the upload is unfinished: there is no file yet.
    """

    def __init__(self, upload: AbstractChunkedUpload) -> None:
        self._upload = upload

    def __bool__(self) -> bool:
        return self._upload.path is not None

    @property
    def name(self) -> str:
        """The file's name in its storage."""
        if self._upload.path is None:
            raise ValueError(f"{self._upload!r} is not complete, it has no file yet")
        return self._upload.path

    @property
    def path(self) -> str:
        """The absolute path.

        :raises TypeError: when the storage keeps no files on this host.
        """
        storage = _engine(self._upload).storage_of(self._upload)
        if not isinstance(storage, LocalPaths):
            raise TypeError(f"{type(storage).__name__} keeps no files on this host; use open()")
        return storage.path(self.name)

    @property
    def size(self) -> int:
        """Bytes."""
        return self._upload.offset

    @property
    def url(self) -> str:
        """The URL by the file's name."""
        return _upload_set(self._upload).file_url(self.name)

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open the file for reading; the caller closes it.

        :raises ValueError: for another mode, since a complete file never changes.
        """
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: a complete file is only read; use 'rb'")
        if not self:
            raise ValueError(f"{self._upload!r} is not complete, it has no file yet")
        with translate_failures():
            return _engine(self._upload).open_file(self._upload)

    def read(self) -> bytes:
        """Return the whole file; large ones are better read by :meth:`chunks`."""
        with self.open() as stream:
            return stream.read()

    def chunks(self, chunk_size: int = 64 * 1024) -> Iterator[bytes]:
        """Yield the file from its start, ``chunk_size`` bytes at a time."""
        with self.open() as stream:
            while data := stream.read(chunk_size):
                yield data


class AbstractChunkedUpload(ChunkedUploadMixin):
    """The mixin with the methods of django-chunked-upload's model.

    ``class Upload(AbstractChunkedUpload, db.Model)``. The built-in model does not have them.
    """

    @property
    def file(self) -> StoredFile:
        """The completed file; false until there is one."""
        return StoredFile(self)

    def delete(self, delete_file: bool = True) -> None:
        """Delete the record and the bytes, finished or not.

        :raises UploadNotFound: when another request has deleted it.
        :raises UploadClaimed: when a row of the app has it attached.
        :raises ValueError: for ``delete_file=False``.
        """
        if not delete_file:
            raise ValueError(
                "delete(delete_file=False) would leave a file that no record names; move the file"
                " away first (upload.file.path), then call delete()"
            )
        engine = _engine(self)
        record = _own_copy(engine, self)
        engine.release([record])  # a row's claim stays: the row must be deleted
        engine.abort(record)
        leave_session(self)

    def append_chunk(self, chunk: Any, chunk_size: int | None = None, save: bool = True) -> None:
        """Append bytes, durable and recorded when it returns, with the checks of a chunk over HTTP.

        An upload whose ``length`` is not known gets its whole file by one call.

        :param chunk: bytes, or an object with ``read()``.
        :param chunk_size: how many bytes there must be; None for as many as there are.
        :raises ChunkedUploadError: when the upload takes no more, or not these; nothing is kept.
        :raises ValueError: for ``save=False``, and when the size of the chunk is not known.
        """
        if not save:
            raise ValueError(
                "append_chunk(save=False) would store bytes that no record knows; leave save out,"
                " the offset is saved with the bytes"
            )
        engine = _engine(self)
        record = _own_copy(engine, self)
        size = _size(chunk) if chunk_size is None else chunk_size
        plan = WritePlan(
            start=record.offset,
            stop=record.offset + size,
            max_bytes=_max_bytes(engine),
        )
        with engine.begin(record, plan) as target:
            for data in _pieces(chunk):
                target.write(data)
            target.finish_whole()
            target.commit()
        engine.records.refresh(self)

    def get_uploaded_file(self) -> UploadedFile:
        """Return the completed file, open for reading; the caller closes it.

        :raises ValueError: when the upload is not complete.
        """
        file = self.file
        path = file.path if isinstance(_engine(self).storage_of(self), LocalPaths) else None
        return UploadedFile(file.open(), path=path, upload=self)


def _size(chunk: Any) -> int:
    if isinstance(chunk, (bytes, bytearray, memoryview)):
        return len(chunk)
    size = getattr(chunk, "size", None)
    if size is None and hasattr(chunk, "seek") and hasattr(chunk, "tell"):
        here = chunk.tell()
        chunk.seek(0, os.SEEK_END)
        size = chunk.tell() - here
        chunk.seek(here)
    if size is None:
        raise ValueError(f"the size of {chunk!r} is not known; pass chunk_size=")
    return int(size)


def _max_bytes(engine: UploadEngine) -> int | None:
    """Return the largest file; a limit that depends on the request counts within one."""
    limit: Any = engine.settings.max_bytes
    if not callable(limit):
        return None if limit is None else int(limit)
    return limit(request) if has_request_context() else None


def _pieces(chunk: Any) -> Iterator[bytes]:
    if isinstance(chunk, (bytes, bytearray, memoryview)):
        yield bytes(chunk)
        return
    while data := chunk.read(_BUFFER):
        yield data


def _upload_set(upload: ChunkedUploadMixin) -> BoundUploadSet:
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    if upload.upload_set not in upload_sets:
        raise LookupError(
            f"{upload!r} belongs to the upload set {upload.upload_set!r}, which this app does not"
            f" have; it has: {', '.join(upload_sets)}"
        )
    return upload_sets[upload.upload_set]


def _engine(upload: ChunkedUploadMixin) -> UploadEngine:
    return _upload_set(upload).engine_for(type(upload))


def _own_copy(engine: UploadEngine, upload: ChunkedUploadMixin) -> Record:
    """Return the upload's record as it is now, outside of the app's session."""
    queries = engine.records.queries
    return engine.find(queries.by_id(queries.visible(upload.upload_set), upload.upload_id))
