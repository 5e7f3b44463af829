"""The django-chunked-upload protocol, first half: chunks posted with Content-Range.

The view is meant to be subclassed; each hook has the name, the arguments and the moment that it has
in django-chunked-upload, with ``request`` being Flask's. The order is: permissions, file present,
validate, look-up and validity (or creation), header, size limit, offset, bytes, pre_save, save,
post_save, answer. The other half, completing, is in complete.py.
"""

from __future__ import annotations

from flask import Response

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.plan import WritePlan
from chunked_upload.errors import (
    BadRequest,
    BadRequestHeaders,
    FileTooLarge,
    OffsetMismatch,
    SizeMismatch,
)
from chunked_upload.http.dialects import complete_on_last_byte
from chunked_upload.http.views.receiving import ReceivingView, chunk_too_large, metadata
from chunked_upload.http.wire.content_range import ContentRange, parse_content_range
from chunked_upload.http.wire.incoming import UNNAMED, Incoming, open_incoming, too_many_files
from chunked_upload.http.wire.replies import add_progress
from chunked_upload.records.repository import Record

from ..dropzone import chunks as dropzone


class ChunkedUploadView(ReceivingView):
    """Takes chunks: a form with a file part, or raw bytes; the first creates the upload.

    It hands over requests that are of another dialect.
    """

    #: Header with the position of the chunk.
    content_range_header: str = "Content-Range"
    #: Refuse forms without Content-Range (otherwise their part is the whole file).
    fail_if_no_header: bool = False

    def post(self, upload_id: str | None = None) -> Response:
        """Take one chunk, or what else its client's dialect sends here."""
        self.check_permissions(self.request)
        whole = upload_id is None and self.content_range_header not in self.request.headers
        max_files = self.settings.max_form_files if whole else 1
        incoming = open_incoming(self.request, self.form_limits(max_files=max_files))
        self.take_fields(incoming.fields)
        self.validate(self.request)
        given = _agreed_id(upload_id, incoming.fields)
        sent = dropzone.read(incoming)
        if sent is not None:
            return dropzone.DropzoneRequest(self, incoming, sent, given).answer()
        completes = whole and not given and not self.fail_if_no_header
        if completes and complete_on_last_byte.asked_for(self.request, incoming):
            return complete_on_last_byte.answer(self, incoming)
        return self._take_chunk(incoming, upload_id, given)

    put = post

    def take_whole(self, incoming: Incoming) -> Record:
        """Store the file that has begun to come as a new upload, whole; not completed yet.

        For dialects that post files without Content-Range. A refusal leaves nothing behind, also
        one by ``post_save``: their clients could not go on with the upload.
        """
        record = self.new_record(incoming)
        max_bytes = self.get_max_bytes(self.request)
        span = self._span(incoming) if incoming.raw else None
        self._check_sizes(incoming, span, max_bytes)
        with self._begin(record, incoming, span, max_bytes, new=True) as chunk:
            self.receive(incoming, chunk)
            try:
                return self._store(chunk, incoming)
            except BaseException:
                if chunk.committed:
                    self.engine.abort(record)
                raise

    def _take_chunk(self, incoming: Incoming, upload_id: str | None, given: str | None) -> Response:
        record = self._open_upload(given) if given else self.new_record(incoming)
        span = self._span(incoming)
        max_bytes = self.get_max_bytes(self.request)
        self._check_sizes(incoming, span, max_bytes)
        with self._begin(record, incoming, span, max_bytes, new=not given) as chunk:
            self.receive(incoming, chunk)
            if incoming.next_file():
                raise too_many_files(1)
            dropzone.refuse_late_fields(incoming)
            late_id = _agreed_id(upload_id, incoming.fields)
            if late_id and not given:
                stored = self._move(chunk, late_id, span, max_bytes)
            else:
                stored = self._store(chunk, incoming)
        response = self.reply(self.get_response_data(stored, self.request))
        return add_progress(response, stored)

    def _open_upload(self, upload_id: str) -> Record:
        record = self.find(upload_id)
        self.is_valid_chunked_upload(record)
        return record

    # What the request declares

    def _span(self, incoming: Incoming) -> ContentRange | None:
        """Return where the chunk goes; None for a whole file whose size its end will tell."""
        header = self.request.headers.get(self.content_range_header)
        if header is not None:
            return parse_content_range(header)
        known_by_url = (self.request.view_args or {}).get("upload_id") is not None
        if self.fail_if_no_header or (incoming.raw and known_by_url):
            raise BadRequestHeaders(f"{self.content_range_header} is required")
        if incoming.raw and incoming.declared is not None:
            return ContentRange(0, incoming.declared, incoming.declared)
        return None

    def _check_sizes(
        self, incoming: Incoming, span: ContentRange | None, max_bytes: int | None
    ) -> None:
        """Refuse by what is declared, before a byte is stored."""
        if span is None:
            return
        if max_bytes is not None and span.total > max_bytes:
            raise FileTooLarge(max_bytes)
        if self.max_chunk is not None and span.size > self.max_chunk:
            raise chunk_too_large(self.max_chunk)
        declared = incoming.declared
        if declared is None:
            return
        if declared < span.size or (incoming.raw and declared != span.size):
            raise SizeMismatch(f"Content-Range says {span.size} bytes, the body has {declared}")

    # Receive

    def _begin(
        self,
        record: Record,
        incoming: Incoming,
        span: ContentRange | None,
        max_bytes: int | None,
        *,
        new: bool,
    ) -> Chunk:
        start, stop, total = (
            (0, None, None) if span is None else (span.start, span.stop, span.total)
        )
        if new and start > 0:
            self._create_staged(record, incoming)
        elif new:
            self.create(
                record, length=total, reserved=incoming.declared if total is None else total
            )
        elif span is None:
            stop = record.length  # the part must be the whole file, as declared before
        return self.engine.begin(
            record,
            WritePlan(start=start, stop=stop, total=total, max_bytes=max_bytes, creates=new),
        )

    def _create_staged(self, record: Record, incoming: Incoming) -> None:
        """Store a record for a chunk whose ``upload_id`` may come after the file."""
        if incoming.raw or "upload_id" in incoming.fields:
            raise OffsetMismatch(0)
        # Its own name does not matter, and the whole file's size is counted already.
        record.filename, record.length, record.reserved = UNNAMED, None, 0
        self.engine.create(record, counts=False)

    def _store(self, chunk: Chunk, incoming: Incoming) -> Record:
        """Make the chunk part of its upload."""
        if chunk.plan.creates:
            if chunk.start:
                raise OffsetMismatch(0)
            fields = metadata(incoming.fields)
            if fields != chunk.record.extra_fields:  # some came after the file
                chunk.record.extra_fields = fields
        return self.commit_chunk(chunk)

    def _move(
        self, staged: Chunk, upload_id: str, span: ContentRange | None, max_bytes: int | None
    ) -> Record:
        """Store a chunk whose ``upload_id`` came after its file: the one case that costs a copy."""
        record = self._open_upload(upload_id)
        total = None if span is None else span.total
        target = self.engine.begin(
            record,
            WritePlan(
                start=staged.start,
                stop=record.length if span is None else span.stop,
                total=total,
                max_bytes=max_bytes,
            ),
        )
        with target:
            for data in staged.bytes():
                target.write(data)
            return self.commit_chunk(target)


def _agreed_id(from_url: str | None, fields: dict[str, str]) -> str | None:
    """Return the upload's id, which URL and form may both carry but not differ in."""
    in_form = fields.get("upload_id", "").strip() or None
    if from_url and in_form and from_url != in_form:
        raise BadRequest("'upload_id' in the form is not the one in the URL")
    return from_url or in_form
