"""Receives one chunk from Dropzone (5.9, 6).

Dropzone does not know the upload's id. It names the file itself (``dzuuid``), and sends the chunks
one after another or all at once. It sends a chunk again when its answer was lost. The last answer
that it gets counts as the answer for the file. So every chunk of a file must find the same record,
whichever arrives first, and the chunk that makes the file whole completes it.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any

from flask import Response, request

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.duplicate_chunk import DuplicateChunk
from chunked_upload.engine.errors import (
    AlreadyComplete,
    BytesDiffer,
    FileTooLarge,
    LimitReached,
    OffsetMismatch,
    ServiceUnavailable,
    SizeMismatch,
    TotalMismatch,
    UploadNotFound,
)
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequest
from chunked_upload.http.late_context import enter_context
from chunked_upload.http.views import whole_files
from chunked_upload.http.views.receiving import ReceivingView, chunk_too_large
from chunked_upload.http.wire.digests import read_digests
from chunked_upload.http.wire.incoming import Incoming
from chunked_upload.http.wire.replies import add_progress
from chunked_upload.records.client_names import SameFile
from chunked_upload.records.repository import KeyTaken, Record

from .fields import LAYOUT, read_chunk, said_by
from .names import Names

#: Look-ups of a record that other requests keep creating and removing.
_TRIES = 20

#: Most hex digits of a checksum that is kept until the last chunk: 512 bits.
_MAX_DIGEST = 128


class DropzoneRequest:
    """Handles one chunk from Dropzone, from its fields to the answer.

    :param view: the view that was called; its hooks run as for other chunks.
    :param upload_id: the upload's id, if the client also sends it.
    """

    def __init__(self, view: ReceivingView, incoming: Incoming, upload_id: str | None) -> None:
        enter_context()  # its uploads belong to sessions
        said = said_by(view.request, incoming)
        sent = read_chunk(said)
        self._view = view
        self._engine = view.engine
        self._incoming = incoming
        self._sent = sent
        self._upload_id = upload_id
        self._digests = read_digests(said)
        same = SameFile(filename=view.upload_to_be.filename, length=sent.length)
        self._names = Names(view, sent.uuid, file=same)
        #: The upload that this request has found by its name.
        self._found: str | None = None
        self._created = False
        self._max_bytes = view.most_bytes(request)

    def answer(self) -> Response:
        """Receive the chunk; complete the upload if no bytes are missing any more."""
        self._check_sizes()
        with ExitStack() as closing:
            receiver = Receiver(self, closing)
            self._view.receive(self._incoming, receiver)
            record = self._keep(receiver.finish())
        if record.length is not None and record.offset == record.length:
            record, data = self._complete(record)
            return add_progress(self._view.reply(data), record)
        response = self._view.reply(self._view.get_response_data(record, request))
        self._names.set_cookie(response, record, new=self._created)
        return add_progress(response, record)

    def _check_sizes(self) -> None:
        """Refuse wrong declared sizes before a byte is stored."""
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

    def open(self) -> Chunk | DuplicateChunk:
        """Find or create the record, and start receiving the chunk."""
        problem: ChunkedUploadError | None = None
        for _ in range(_TRIES):
            record, new = self._record()
            try:
                if not new:
                    duplicate = self._engine.duplicate_of(record, self._plan(creates=False))
                    if duplicate is not None:
                        return duplicate
                    self._view.is_valid_chunked_upload(record)
                return self._engine.begin(record, self._plan(creates=new))
            except (AlreadyComplete, OffsetMismatch, UploadNotFound) as error:
                # Since the look-up, another request completed the upload, or the request that
                # created it failed and removed it. Look again: by its id, since the name need not
                # lead to it any more.
                problem = error
        raise problem or ServiceUnavailable("Upload is being changed by other requests")

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
        """Return the chunk's upload, and whether this request created it."""
        for _ in range(_TRIES):
            record = self._look_up()
            if record is not None:
                return record, False
            made = self._view.new_record(self._incoming)
            made.declared = self._declared({})
            self._names.give(made)
            try:
                self._view.create(
                    made,
                    length=self._sent.length,
                    reserved=self._reserved,
                    unless=self._names.any_of_mine(),
                )
            except KeyTaken:
                self._names.free(made)
                continue
            except LimitReached:
                # Another chunk of this upload may have taken the quota's last place for it.
                if self._look_up() is None:
                    raise
                continue
            self._created = True
            return made, True
        raise ServiceUnavailable("Upload is being changed by other requests")

    def part_from(self, record: Record) -> bool:
        """Leave a completed upload that is another browser's after all; return whether it is.

        Only the address had led to it. So the chunk is one of another upload.
        """
        if self._upload_id is not None or not self._names.part_from(record):
            return False
        self._found = None
        return True

    def _look_up(self) -> Record | None:
        if self._upload_id is not None:
            record: Record | None = self._view.find(self._upload_id)
        else:
            record = self._find_by_name()
        if record is None:
            return None
        try:
            self._check_agrees(record)
        except (BadRequest, TotalMismatch):
            if not self.part_from(record):
                raise
            return self._look_up()
        return record

    def _find_by_name(self) -> Record | None:
        if self._found is not None:
            with suppress(UploadNotFound):
                return self._view.find(self._found)
        for _ in range(_TRIES):
            record = self._names.find()
            if record is None or self._names.claim(record):
                self._found = None if record is None else record.upload_id
                return record
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _check_agrees(self, record: Record) -> None:
        """Check that the chunk belongs to the same file, cut in the same way, as the first."""
        sent = self._sent
        declared = record.declared or {}
        if self._upload_id is not None and not declared.keys() & set(LAYOUT):
            # Started in another dialect, which may keep declarations of its own.
            if None not in (sent.length, record.length) and sent.length != record.length:
                raise TotalMismatch(record.length or 0)
            return
        for name in LAYOUT:
            before, now = declared.get(name), sent.layout.get(name)
            if before == now:
                continue
            if name == "dztotalfilesize" and None not in (before, now):
                raise TotalMismatch(declared[name])
            raise BadRequest(
                f"'{name}' is {_said(now)}, the first chunk of this upload said {_said(before)}"
            )

    @property
    def _reserved(self) -> int | None:
        most = self._sent.most_length
        return self._incoming.declared if most is None else most

    def _declared(self, before: dict[str, Any]) -> dict[str, Any]:
        digests = {name: digest[:_MAX_DIGEST] for name, digest in self._digests.items()}
        return {**before, **self._sent.layout, **digests}

    # The bytes

    def _keep(self, chunk: Chunk | DuplicateChunk) -> Record:
        if isinstance(chunk, DuplicateChunk):
            return chunk.record
        if not chunk.received and not self._sent.may_be_empty:
            raise SizeMismatch("the chunk has no bytes")
        record = chunk.record
        if record.declared is not None and self._digests:
            record.declared = self._declared(record.declared)
        if record.visitor is not None and self._names.visitor is not None:
            # A browser that starts two uploads at once gets two cookies and keeps one of them.
            record.visitor = self._names.visitor
        return self._view.commit_chunk(chunk)

    def _complete(self, record: Record) -> tuple[Record, dict[str, Any]]:
        digests = self._digests
        try:
            if not digests and record.declared is not None:
                record = self._view.find(record.upload_id)  # with what came beside this chunk
                digests = read_digests(record.declared or {})
            return record, whole_files.complete(self._view, [record], digests)[0]
        except ChunkedUploadError as error:
            # The bytes stay, so tell the client the id: it can complete or delete the upload.
            error.data.setdefault("upload_id", record.upload_id)
            raise


class Receiver:
    """What a chunk's bytes are written to.

    A duplicate chunk without a cookie may lead, by its address, to the completed upload of another
    browser. Its bytes tell: if they differ, it is a chunk of another upload. The bytes before the
    difference are copied from those that are stored, since they are the same.

    :param closing: closes the chunks at the end of the request.
    """

    def __init__(self, request: DropzoneRequest, closing: ExitStack) -> None:
        self._request = request
        self._closing = closing
        self.chunk = self._open()

    @property
    def received(self) -> int:
        """Bytes received so far."""
        return self.chunk.received

    def write(self, data: bytes) -> None:
        """Write the next bytes, or compare them.

        :raises ChunkedUploadError: as the methods of both kinds of chunks.
        """
        try:
            self.chunk.write(data)
        except (BytesDiffer, SizeMismatch):
            if not self._switch():
                raise
            self.chunk.write(data)

    def finish(self) -> Chunk | DuplicateChunk:
        """Return the chunk once all bytes have come; a duplicate is finished.

        :raises SizeMismatch: when a duplicate has fewer bytes than the stored chunk.
        """
        if isinstance(self.chunk, DuplicateChunk):
            try:
                self.chunk.finish()
            except SizeMismatch:
                if not self._switch():
                    raise
        return self.chunk

    def _switch(self) -> bool:
        """Start another upload, if the chunk is of one; return whether it is."""
        before = self.chunk
        if not isinstance(before, DuplicateChunk) or not self._request.part_from(before.record):
            return False
        self.chunk = self._open()
        for data in before.compared():
            self.chunk.write(data)
        return True

    def _open(self) -> Chunk | DuplicateChunk:
        chunk = self._request.open()
        self._closing.push(chunk)
        return chunk


def _said(number: int | None) -> str:
    return "nothing" if number is None else str(number)
