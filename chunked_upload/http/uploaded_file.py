"""The finished file as a FileStorage, the type that Flask's users know."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from werkzeug.datastructures import FileStorage

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.records.model import ChunkedUploadMixin
from chunked_upload.storage.powers import LocalPaths


class UploadedFile(FileStorage):
    """What ``on_completion`` gets: ``.filename``, ``.stream``, ``.save()`` and more.

    ``name``, ``size``, ``content_type``, :meth:`chunks` and :meth:`multiple_chunks` work as on
    Django's ``UploadedFile``.
    The content type follows from the file's name, since the client's cannot be trusted.

    ``.md5`` and the values of ``.checksums`` (by name) are hex digits.

    :param stream: the completed file, open for reading.
    :param path: its absolute path; None when the storage has no paths on this host.
    :param upload: its record.
    """

    def __init__(self, stream: BinaryIO, *, path: str | None, upload: ChunkedUploadMixin) -> None:
        content_type = mimetypes.guess_type(upload.filename)[0] or "application/octet-stream"
        super().__init__(
            stream,
            filename=upload.filename,
            name=upload.filename,
            content_type=content_type,
            content_length=upload.offset,
        )
        self._path = path
        self.upload = upload
        self.size = upload.offset
        self.md5 = upload.md5
        self.checksums = dict(upload.checksums)

    @property
    def path(self) -> str:
        """The absolute path of the completed file.

        :raises TypeError: when the storage keeps no files on this host.
        """
        if self._path is None:
            raise TypeError("the storage keeps no files on this host; read from .stream")
        return self._path

    def chunks(self, chunk_size: int = 64 * 1024) -> Iterator[bytes]:
        """Yield the file from its start, as Django's ``UploadedFile.chunks`` does.

        :param chunk_size: bytes at a time.
        """
        self.stream.seek(0)
        while data := self.stream.read(chunk_size):
            yield data

    def multiple_chunks(self, chunk_size: int = 64 * 1024) -> bool:
        """Return whether :meth:`chunks` yields more than one, as Django's method does."""
        return self.size > chunk_size


def open_later(engine: UploadEngine, upload: ChunkedUploadMixin) -> UploadedFile:
    """Return a completed upload as a file that is opened when something reads from it."""
    storage = engine.storage_of(upload)
    path = storage.path(upload.path or "") if isinstance(storage, LocalPaths) else None
    stream: Any = _OpenedLater(lambda: engine.open_file(upload))
    return UploadedFile(stream, path=path, upload=upload)


class _OpenedLater:
    """A stream that is opened at its first use."""

    def __init__(self, open_stream: Callable[[], BinaryIO]) -> None:
        self._open = open_stream
        self._stream: BinaryIO | None = None

    def close(self) -> None:
        """Close the stream, if it is open; a later use opens it again."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._opened)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    @property
    def _opened(self) -> BinaryIO:
        if self._stream is None:
            self._stream = self._open()
        return self._stream
