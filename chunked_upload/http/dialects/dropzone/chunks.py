"""Dropzone's dialect (5.9, 6): chunks in any order, named by the client, complete with the last.

Dropzone knows no upload's id. It names the file itself (``dzuuid``), sends its chunks one after the
other or all at once, sends one again when its answer was lost, and takes the answer to the chunk
that is answered last for the answer to the file. So every chunk of a file must find the same
record, whichever comes first, and whichever makes the file whole completes it.

A name that a client made is no secret and no proof. The record is found by the hash of it together
with whose it is: the owner; or for anonymous callers the visitor in the session's cookie, or the
network address that began the upload. The address is what the first chunks of a browser have in
common when they are sent at once and it has no cookie yet; the cookie is what stays when the
address changes. Chunks that come first at the same time agree by the unique index on that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, request

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.duplicate_chunk import DuplicateChunk
from chunked_upload.engine.failures import translate_failures
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.errors import (
    AlreadyComplete,
    BadRequest,
    ChunkedUploadError,
    FileTooLarge,
    LimitExceeded,
    OffsetMismatch,
    ServiceUnavailable,
    SizeMismatch,
    TotalMismatch,
    UploadNotFound,
)
from chunked_upload.http.access import callers
from chunked_upload.http.dialects import complete_on_last_byte as complete_on_last_byte
from chunked_upload.http.views.base import ChunkedUploadBaseView
from chunked_upload.http.views.receiving import chunk_too_large
from chunked_upload.http.views.resources import ResourceView
from chunked_upload.http.wire.incoming import Incoming
from chunked_upload.http.wire.replies import add_progress
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import KeyTaken, Record

from .fields import FIELDS, LAYOUT, DropzoneChunk, read_chunk, read_uuid

if TYPE_CHECKING:
    from chunked_upload.http.views.receiving import ReceivingView

#: How often a record is looked up that other requests make and remove meanwhile.
_TRIES = 20

#: Uploads that one caller may cancel before any chunk of theirs has come, in the time that this is
#: remembered.
_MAX_FORBIDDEN = 1000


def read(incoming: Incoming) -> DropzoneChunk | None:
    """Return what Dropzone says about a chunk; None for another client's.

    In a form it is said by fields before the file, with a raw body by the query or by headers.
    """
    return read_chunk(_values(incoming))


def refuse_late_fields(incoming: Incoming) -> None:
    """:raises BadRequest: when Dropzone's fields have come after the file."""
    if FIELDS & incoming.fields.keys():
        raise BadRequest("Dropzone's fields must come before the file")


def _values(incoming: Incoming) -> Mapping[str, str]:
    if not incoming.raw:
        return incoming.fields
    names = FIELDS | {"md5"}
    return {name: request.headers[name] for name in names if name in request.headers} | {
        name: request.args[name] for name in names if name in request.args
    }


class Names:
    """The caller's own names for uploads.

    :param view: whose model, upload set and queryset.
    """

    def __init__(self, view: ChunkedUploadBaseView, uuid: str) -> None:
        self._view = view
        self._caller = view.upload_set.caller(request)
        self.key = hashlib.sha256(f"dropzone:{uuid}".encode(errors="replace")).hexdigest()
        self.quota_key = callers.quota_key(request, self._caller)
        self.visitor = None if self._caller.owner else callers.visitor()

    def find(self) -> Record | None:
        """Return the upload of that name, None when there has been none.

        :raises UploadNotFound: when there has been one, which is removed.
        """
        view = self._view
        visible = view.get_queryset(request)
        any_of_mine = view.engine.records.queries.any_of(view.upload_set.name)
        with translate_failures():
            record = self._first(visible)
            if record is None and self._first(any_of_mine) is not None:
                record = self._first(visible)  # unless it was made in between
                if record is None:
                    raise UploadNotFound
        return record

    def _first(self, statement: UploadQuery) -> Record | None:
        records = self._view.engine.records
        return records.first(
            records.queries.by_client_key(
                statement, self.key, quota_key=self.quota_key, visitor=self.visitor
            )
        )

    def record(self) -> Record:
        """Make a record of that name without a file, to have it taken."""
        record: Record = self._view.model(
            upload_set=self._view.upload_set.name,
            owner=self._caller.owner,
            visitor=self.visitor,
            quota_key=self.quota_key,
            client_key=self.key,
            filename="",
        )
        return record


class DropzoneRequest:
    """One chunk of Dropzone's, from its fields to the answer.

    :param view: the view that was asked; its hooks are called as for other chunks.
    :param upload_id: the upload's id, where the client sends it as well.
    """

    def __init__(
        self, view: ReceivingView, incoming: Incoming, sent: DropzoneChunk, upload_id: str | None
    ) -> None:
        self._view = view
        self._engine = view.engine
        self._incoming = incoming
        self._sent = sent
        self._upload_id = upload_id
        self._md5 = _values(incoming).get("md5", "").strip() or None
        self._names = Names(view, sent.uuid)
        self._max_bytes = view.get_max_bytes(request)

    def answer(self) -> Response:
        """Take the chunk; complete the upload when it was the missing one."""
        self._check_sizes()
        with self._open() as chunk:
            self._view.receive(self._incoming, chunk)
            record = self._keep(chunk)
        if record.length is None or record.offset != record.length:
            data = self._view.get_response_data(record, request)
        else:
            record, data = self._complete(record)
        return add_progress(self._view.reply(data), record)

    def _check_sizes(self) -> None:
        """Refuse by what is declared, before a byte is stored."""
        sent, incoming = self._sent, self._incoming
        if self._max_bytes is not None and sent.least_length > self._max_bytes:
            raise FileTooLarge(self._max_bytes)
        max_chunk = self._view.max_chunk
        if max_chunk is not None and sent.largest_size > max_chunk:
            raise chunk_too_large(max_chunk)
        size, declared = sent.size, incoming.declared
        if size is None or declared is None:
            return
        if declared < size or (incoming.raw and declared != size):
            raise SizeMismatch(f"'dzchunksize' says {size} bytes, the body has {declared}")

    # The record

    def _open(self) -> Chunk | DuplicateChunk:
        """Find or make the record and begin with the chunk."""
        problem = ChunkedUploadError(500)
        for _ in range(_TRIES):
            record, new = self._record()
            try:
                if not new:
                    repeat = self._engine.repeat(record, self._plan(creates=False))
                    if repeat is not None:
                        return repeat
                    self._view.is_valid_chunked_upload(record)
                return self._engine.begin(record, self._plan(creates=new))
            except (AlreadyComplete, OffsetMismatch, UploadNotFound) as error:
                # Since the look-up it was completed, or its maker has failed and taken it back.
                problem = error
        raise problem

    def _plan(self, *, creates: bool) -> WritePlan:
        sent = self._sent
        return WritePlan(
            start=sent.start,
            stop=sent.stop,
            placement=Placement.LAST if sent.last else Placement.ANYWHERE,
            max_bytes=self._max_bytes,
            creates=creates,
        )

    def _record(self) -> tuple[Record, bool]:
        """Return the chunk's upload, and whether it was made just now."""
        for _ in range(_TRIES):
            record = self._look_up()
            if record is not None:
                return record, False
            made = self._view.new_record(self._incoming)
            made.client_key, made.declared = self._names.key, self._declared({})
            try:
                self._view.create(made, length=self._sent.length, reserved=self._reserved)
            except KeyTaken:
                continue
            except LimitExceeded:
                # The quota's last place may be this upload's, taken by another of its chunks.
                if self._look_up() is None:
                    raise
                continue
            return made, True
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _look_up(self) -> Record | None:
        if self._upload_id is not None:
            record: Record | None = self._view.find(self._upload_id)
        else:
            record = self._names.find()
        if record is not None:
            self._check_agrees(record)
        return record

    def _check_agrees(self, record: Record) -> None:
        """Check that the chunk is cut from the same file in the same way as the first."""
        sent = self._sent
        if record.declared is None:  # begun in another dialect
            if None not in (sent.length, record.length) and sent.length != record.length:
                raise TotalMismatch(record.length or 0)
            return
        for name in LAYOUT:
            before, now = record.declared.get(name), sent.layout.get(name)
            if before == now:
                continue
            if name == "dztotalfilesize" and None not in (before, now):
                raise TotalMismatch(record.declared[name])
            raise BadRequest(
                f"'{name}' is {_said(now)}, the first chunk of this upload said {_said(before)}"
            )

    @property
    def _reserved(self) -> int | None:
        most = self._sent.most_length
        return self._incoming.declared if most is None else most

    def _declared(self, before: dict[str, Any]) -> dict[str, Any]:
        md5 = {} if self._md5 is None else {"md5": self._md5[:64]}
        return {**before, **self._sent.layout, **md5}

    # The bytes

    def _keep(self, chunk: Chunk | DuplicateChunk) -> Record:
        if isinstance(chunk, DuplicateChunk):
            chunk.finish()
            return chunk.record
        if not chunk.received and not self._sent.may_be_empty:
            raise SizeMismatch("the chunk has no bytes")
        record = chunk.record
        if record.declared is not None and self._md5 is not None:
            record.declared = self._declared(record.declared)
        if record.visitor is not None and self._names.visitor is not None:
            # Two uploads that a browser begins at once make two cookies, of which it keeps one.
            record.visitor = self._names.visitor
        return self._view.commit_chunk(chunk)

    def _complete(self, record: Record) -> tuple[Record, dict[str, Any]]:
        md5 = self._md5
        try:
            if md5 is None and record.declared is not None:
                record = self._view.find(record.upload_id)  # with what came beside this chunk
                md5 = (record.declared or {}).get("md5")
            return record, complete_on_last_byte.complete(self._view, [record], md5)[0]
        except ChunkedUploadError as error:
            # The bytes stay; with the id the client can do something about them.
            error.data.setdefault("upload_id", record.upload_id)
            raise


def _said(number: int | None) -> str:
    return "nothing" if number is None else str(number)


class DropzoneCancelView(ResourceView):
    """Removes an upload by its client's name, for a client that has not been told the id yet."""

    def delete(self) -> Response:
        """Remove the caller's upload ``?dzuuid=``; its chunks that come later are refused."""
        self.check_permissions(request)
        names = Names(self, read_uuid(request.args.get("dzuuid")))
        for _ in range(_TRIES):
            try:
                record = names.find()
                if record is not None:
                    self.engine.abort(record)
                else:
                    self._forbid(names)
            except KeyTaken:
                continue
            except UploadNotFound:
                pass  # removed already
            return Response(status=204)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _forbid(self, names: Names) -> None:
        records = self.engine.records
        with translate_failures():
            if records.count(records.queries.removed_of(names.quota_key)) >= _MAX_FORBIDDEN:
                raise LimitExceeded("Too many uploads were canceled; this one was not begun")
        self.engine.forbid(names.record())
