"""Final uploads: the bytes of partial uploads, in order, in a new one (``concatenation``).

The storage copies the bytes, so they do not pass through this process. A request may be repeated
from any point, because its answer was lost or the server died: the same partial uploads with the
same metadata are the same final upload, which is found by a hash of both. What has been copied is
recorded from time to time, and the repeated request continues there.
The partial uploads are removed once the final one is complete.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from chunked_upload.engine.errors import OffsetMismatch, ServiceUnavailable, UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.engine.plan import WritePlan
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.repository import KeyTaken, Record

from ...wire.upload_metadata import Metadata
from .base import TusView, is_complete, is_whole
from .declared import Declared
from .headers import Concat
from .partials import Partials

#: Bytes after which what has been copied is recorded: a slow disk takes less than a minute for
#: them, after which proxies lose patience, and a repeated request takes over.
_PROGRESS = 1024 * 1024 * 1024

#: Look-ups of a record that other requests keep creating and removing.
_TRIES = 20


def create_final(view: TusView, concat: Concat, metadata: Metadata, partials: Partials) -> Record:
    """Return the final upload of some partial ones: a new one, or that of an earlier request.

    :param partials: looked up before. Those that are gone belong to a final upload that is whole.
    :raises BadRequest: when one of the partial uploads cannot be used.
    :raises ChunkedUploadError: when a rule or hook refuses the final upload.
    """
    named = " ".join(partials.ids) + "\n" + metadata.raw
    key = hashlib.sha256(f"tus-final:{named}".encode()).hexdigest()
    for _ in range(_TRIES):
        record = _find(view, key)
        if record is not None:
            view.engine.check_unexpired(record)
            return record
        partials.check(may_wait=view.joins_unfinished)
        with suppress(KeyTaken):  # the same request came twice, at the same time
            return view.start(
                filename=metadata.filename,
                metadata=metadata.fields,
                content_type=metadata.content_type,
                length=partials.length,
                declared=Declared(metadata=metadata.raw, concat=concat.raw).dump(),
                client_key=key,
                joined=True,
            )
    raise UploadNotFound(reason="the final upload of these partial ones has been deleted")


class Concatenation:
    """Puts a final upload together.

    :param record: the final upload.
    :param known: a client knows its URL. If it is refused, it is then invalid; else it is removed.
    """

    def __init__(
        self, view: TusView, record: Record, partials: Partials, *, known: bool = False
    ) -> None:
        self._view = view
        self._engine = view.engine
        self._record = record
        self._partials = partials
        self._known = known

    def run(self) -> Record:
        """Copy what is missing, complete the final upload, and remove the partial ones.

        :return: the final upload.
        :raises ChunkedUploadError: when one of the partial uploads cannot be used, or a rule or
            hook refuses the final upload; the partial uploads stay.
        """
        record = self._record
        try:
            if not is_complete(record) and (not is_whole(record) or record.length == 0):
                self._join(record)
            self._view.complete_if_whole(record)
        except Exception as error:
            record = self._completed_meanwhile(error)
        for partial in self._partials.found:
            if not self._is_awaited(partial):
                with suppress(ChunkedUploadError):  # it expires at the latest
                    self._engine.abort(partial)
        return record

    def _is_awaited(self, partial: Record) -> bool:
        """Return whether another final upload still waits for a partial one (waiting.py)."""
        for upload_id in {*Declared.of(partial).finals} - {self._record.upload_id}:
            with suppress(UploadNotFound):
                other = self._view.find(upload_id)
                if not is_complete(other) and not self._engine.has_expired(other):
                    return True
        return False

    def _join(self, record: Record) -> None:
        """Copy what is missing.

        :raises OffsetMismatch: when another request copies it too.
        :raises BadRequest: when one of the partial uploads is gone.
        """
        self._partials.check(may_wait=False)
        rules = self._view.rules
        length = self._partials.length
        if record.length is None:  # it was created before its partial uploads were finished
            self._view.ask_checks(record, length=length)
        plan = WritePlan(
            start=record.offset,
            stop=length,
            total=length,
            max_bytes=rules.most_bytes(self._view.request),
            joins=True,
        )
        with self._engine.begin(record, plan) as chunk:
            unrecorded = 0
            for partial, start in self._partials.behind(chunk.position):
                while start < partial.offset:
                    stop = min(partial.offset, start + _PROGRESS - unrecorded)
                    chunk.append_part(partial, start=start, stop=stop)
                    unrecorded, start = unrecorded + stop - start, stop
                    if unrecorded == _PROGRESS:
                        chunk.commit_progress()
                        unrecorded = 0
            chunk.finish_whole()
            rules.commit(chunk, new=False)

    def _completed_meanwhile(self, error: Exception) -> Record:
        """Return the final upload, if the same request that came twice has completed it.

        :raises Exception: the given one, when it has not; a refused upload is removed then.
        """
        found = _find(self._view, self._record.client_key)
        if found is not None and is_complete(found):
            self._view.complete_if_whole(found)
            return found
        # Otherwise another request goes on with it, or this one will when it is repeated.
        if not isinstance(error, (OffsetMismatch, ServiceUnavailable)):
            self._refuse()
        raise error

    def _refuse(self) -> None:
        """Remove a refused upload, unless another request has completed it at this moment.

        Its key is free again, since the request may be repeated.
        """
        record = self._record
        with suppress(ChunkedUploadError), translate_failures():
            self._engine.invalidate(record)
            if not self._known:
                self._engine.records.rename(record, None, visitor=record.visitor)
                self._engine.expire(record)


def _find(view: TusView, key: str | None) -> Record | None:
    """Return the caller's final upload by its key; None when there is none."""
    records = view.engine.records
    with translate_failures():
        return records.first(
            records.queries.by_client_key(view.get_queryset(view.request), key or "")
        )
