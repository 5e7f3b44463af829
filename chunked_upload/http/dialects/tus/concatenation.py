"""Final uploads: the bytes of partial uploads, in order, in a new one (``concatenation``).

The storage copies the bytes, so they do not pass through this process. A request may be repeated
from any point, because its answer was lost or the server died: the same partial uploads with the
same metadata are the same final upload, which is found by a hash of both. What has been copied is
recorded from time to time, between two partial uploads, and the repeated request continues there.
The partial uploads are removed once the final one is complete.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress

from chunked_upload.engine.errors import OffsetMismatch, ServiceUnavailable, UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.engine.plan import WritePlan
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequest
from chunked_upload.records.repository import KeyTaken, Record

from ...wire.upload_metadata import Metadata
from .base import TusView, is_complete, is_whole
from .declared import Declared
from .headers import Concat

#: Most partial uploads of a final one. Clients use a handful; the answer to HEAD lists them all.
_MAX_PARTIALS = 1000

#: Bytes after which what has been copied is recorded.
_PROGRESS = 256 * 1024 * 1024

#: Look-ups of a record that other requests keep creating and removing.
_TRIES = 20

#: The id in the URL of an upload, which may be absolute or relative.
_URL = re.compile(r"(?:.*/)?([0-9a-f]{32})/?")


class Concatenation:
    """The creation of one final upload.

    :param view: the view that was called; the upload set's rules and hooks are its.
    :raises BadRequest: for what is no URL of an upload, and for too many of them.
    """

    def __init__(self, view: TusView, concat: Concat, metadata: Metadata) -> None:
        if len(concat.urls) > _MAX_PARTIALS:
            raise BadRequest(
                f"Upload-Concat names {len(concat.urls)} uploads, at most {_MAX_PARTIALS} can be"
                " joined"
            )
        self._view = view
        self._engine = view.engine
        self._concat = concat
        self._metadata = metadata
        self._ids = [_id_in(url) for url in concat.urls]
        named = " ".join(self._ids) + "\n" + metadata.raw
        self._key = hashlib.sha256(f"tus-final:{named}".encode()).hexdigest()

    def run(self) -> Record:
        """Create the final upload, or continue with one that is there, and complete it.

        :raises BadRequest: when one of the partial uploads cannot be used.
        :raises ChunkedUploadError: when a rule or hook refuses the final upload. Nothing is left
            of it then, and the partial uploads stay.
        """
        # In this order: partial uploads that are gone by now belong to a final one that is whole.
        partials = self._find_partials()
        record = self._find_or_create(partials)
        try:
            if not is_complete(record) and (not is_whole(record) or record.length == 0):
                self._join(record, partials)
            self._view.complete_if_whole(record)
        except Exception as error:
            record = self._completed_meanwhile(record, error)
        for partial in partials.values():
            with suppress(ChunkedUploadError):  # it expires at the latest
                self._engine.abort(partial)
        return record

    def _find_partials(self) -> dict[str, Record]:
        """Return the caller's uploads among those that are named, by their ids."""
        records = self._engine.records
        visible = self._view.get_queryset(self._view.request)
        with translate_failures():
            found = records.all(records.queries.among(visible, set(self._ids)))
        return {record.upload_id: record for record in found}

    def _find_or_create(self, partials: dict[str, Record]) -> Record:
        for _ in range(_TRIES):
            record = self._find()
            if record is not None:
                self._engine.check_unexpired(record)
                return record
            self._check(partials)
            with suppress(KeyTaken):  # the same request came twice, at the same time
                return self._view.start(
                    filename=self._metadata.filename,
                    metadata=self._metadata.fields,
                    content_type=self._metadata.content_type,
                    length=sum(partials[upload_id].offset for upload_id in self._ids),
                    declared=Declared(metadata=self._metadata.raw, concat=self._concat.raw).dump(),
                    client_key=self._key,
                )
        raise UploadNotFound(reason="the final upload of these partial ones has been deleted")

    def _find(self) -> Record | None:
        records = self._engine.records
        visible = self._view.get_queryset(self._view.request)
        with translate_failures():
            return records.first(records.queries.by_client_key(visible, self._key))

    def _check(self, partials: dict[str, Record]) -> None:
        """Check that each partial upload can be used.

        :raises BadRequest: naming the first that cannot.
        """
        for upload_id in self._ids:
            partial = partials.get(upload_id)
            problem = "is not an upload of yours" if partial is None else self._problem(partial)
            if problem:
                raise BadRequest(f"Upload-Concat cannot use {upload_id}: it {problem}")

    def _problem(self, partial: Record) -> str:
        if not Declared.of(partial).is_partial:
            return "is not a partial upload"
        if partial.expired:
            return "has expired"
        if not is_whole(partial):
            return f"has {partial.offset} of {_count(partial.length)} bytes"
        return ""

    def _join(self, record: Record, partials: dict[str, Record]) -> None:
        """Copy what is missing of the final upload.

        :raises OffsetMismatch: when another request copies it too, or has changed it.
        :raises BadRequest: when one of the partial uploads is gone.
        """
        self._check(partials)
        rules = self._view.rules
        plan = WritePlan(
            start=record.offset,
            stop=record.length,
            total=record.length,
            max_bytes=rules.get_max_bytes(self._view.request),
        )
        with self._engine.begin(record, plan) as chunk:
            recorded = chunk.position
            for partial in self._missing(chunk.position, partials):
                chunk.append_part(partial)
                if chunk.position - recorded >= _PROGRESS:
                    chunk.commit_progress()
                    recorded = chunk.position
            chunk.finish_whole()
            rules.commit(chunk, new=False)

    def _missing(self, offset: int, partials: dict[str, Record]) -> Iterator[Record]:
        """Yield the partial uploads behind an offset, each as often as it is named."""
        end = 0
        for upload_id in self._ids:
            partial = partials[upload_id]
            if end >= offset and partial.offset:
                yield partial
            end += partial.offset
            if end > offset > end - partial.offset:
                raise OffsetMismatch(offset)  # bytes that did not come from here

    def _completed_meanwhile(self, record: Record, error: Exception) -> Record:
        """Return the final upload, if the same request that came twice has completed it.

        :raises Exception: the given one, when it has not; a refused upload is removed then.
        """
        found = self._find()
        if found is not None and is_complete(found):
            self._view.complete_if_whole(found)
            return found
        # Otherwise another request goes on with it, or this one will when it is repeated.
        if not isinstance(error, (OffsetMismatch, ServiceUnavailable)):
            self._drop(record)
        raise error

    def _drop(self, record: Record) -> None:
        """Remove a refused upload, unless another request has completed it at this moment.

        Its key is free again, since the request may be repeated.
        """
        with suppress(ChunkedUploadError), translate_failures():
            self._engine.invalidate(record)
            self._engine.records.rename(record, None, visitor=record.visitor)
            self._engine.expire(record)


def _id_in(url: str) -> str:
    found = _URL.fullmatch(url)
    if found is None:
        raise BadRequest(f"Upload-Concat has {url[:100]!r}, which is no URL of an upload here")
    return found[1]


def _count(length: int | None) -> str:
    return "an unknown number of" if length is None else str(length)
