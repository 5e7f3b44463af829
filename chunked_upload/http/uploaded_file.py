"""The finished file as a Flask user knows files: a FileStorage."""

from __future__ import annotations

from typing import BinaryIO

from werkzeug.datastructures import FileStorage

from chunked_upload.records.model import ChunkedUploadMixin


class UploadedFile(FileStorage):
    """What ``on_completion`` gets: ``.filename``, ``.stream``, ``.save()`` and more.

    :param stream: the completed file, open for reading.
    :param path: its absolute path; None when the storage has no paths on this host.
    :param upload: its record.
    """

    def __init__(self, stream: BinaryIO, *, path: str | None, upload: ChunkedUploadMixin) -> None:
        super().__init__(
            stream, filename=upload.filename, name="file", content_length=upload.offset
        )
        self._path = path
        self.upload = upload
        self.size = upload.offset
        self.md5 = upload.md5

    @property
    def path(self) -> str:
        """The absolute path of the completed file.

        :raises TypeError: when the storage keeps no files on this host.
        """
        if self._path is None:
            raise TypeError("the storage keeps no files on this host; read from .stream")
        return self._path
