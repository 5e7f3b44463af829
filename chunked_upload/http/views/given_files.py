"""Stores files that an app's own view received: each becomes a completed upload.

The files come as Werkzeug's ``FileStorage``, from ``request.files``. The same hooks, limits, quota
and checksums apply to them as to those of a plain form, and all are kept or none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import HTTPException

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.repository import Record

from ..upload_set import BoundUploadSet
from ..wire.body import BUFFER_SIZE
from . import whole_files
from .exceptions import refusal_of


class GivenFile:
    """A file that lies in a stream, read like one that arrives (``wire/incoming.py``).

    :param file: the file; it is read from where its stream stands.
    :param fields: metadata to keep with the upload.
    """

    raw = False

    def __init__(self, file: FileStorage, fields: Mapping[str, str] | None = None) -> None:
        self.filename = file.filename or ""
        self.field_name = file.name or ""
        self.content_type = file.mimetype
        self.fields = dict(fields or {})
        self.declared = _size_of(file)
        self._stream = file.stream

    def __iter__(self) -> Iterator[bytes]:
        while data := self._stream.read(BUFFER_SIZE):
            yield data

    def next_file(self) -> bool:
        return False


def store(
    upload_set: BoundUploadSet,
    files: Iterable[FileStorage],
    *,
    fields: Mapping[str, str] | None = None,
    target: str | None = None,
) -> list[Record]:
    """Store files within a request of the app, and complete them.

    :param fields: metadata to keep with each of them.
    :param target: where they go, below the upload set's root; None for where its settings say.
    :return: the completed uploads, in the order of the files.
    :raises ChunkedUploadError: with its status and words, when a hook or a limit refuses one of
        them. Nothing is kept then.
    """
    view = upload_set.upload_view(upload_set)
    view.max_chunk = None  # they did not come in chunks
    given = [GivenFile(file, fields) for file in files]
    try:
        view.check_permissions(request)
        for file in given:
            view.upload_to_be = view.describe_incoming(file, length=file.declared)
            view.validate(request)
        with whole_files.all_or_none(view) as records:
            for file in given:
                whole_files.take_files(view, file, records, target=target)
            whole_files.complete(view, records, {})
            return records
    except (ChunkedUploadError, HTTPException) as error:
        raise view.dialect.refusal(refusal_of(error)) from error


def _size_of(file: FileStorage) -> int | None:
    """Return the bytes that are left in a file's stream; None when it cannot tell."""
    try:
        here = file.stream.tell()
        size = file.stream.seek(0, os.SEEK_END) - here
        file.stream.seek(here)
    except (AttributeError, OSError, ValueError):
        return None
    return size
