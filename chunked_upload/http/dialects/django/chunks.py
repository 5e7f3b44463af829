"""The django-chunked-upload protocol, first half: chunks posted with Content-Range.

Apps may subclass the view. Each hook has the name and the arguments that it has in
django-chunked-upload, and runs at the same point; ``request`` is Flask's. The order is:
permissions, file present, validate, look-up and validity (or creation), header, size limit, offset,
bytes, pre_save, save, post_save, answer. The second half, completing, is in completion.py.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.errors import FileTooLarge, OffsetMismatch, SizeMismatch
from chunked_upload.engine.plan import WritePlan
from chunked_upload.errors import ChunkedUploadError, ConfigurationError
from chunked_upload.http.errors import BadRequestHeaders
from chunked_upload.http.views.receiving import ReceivingView, agreed_id, chunk_too_large
from chunked_upload.http.wire.content_range import (
    CONTENT_RANGE,
    GROUPS,
    ContentRange,
    parse_content_range,
)
from chunked_upload.http.wire.incoming import UNNAMED, Incoming, too_many_files
from chunked_upload.http.wire.replies import add_progress
from chunked_upload.records.repository import Record


class ChunkedUploadView(ReceivingView):
    """Takes chunks: a form with a file part, or raw bytes; the first creates the upload."""

    #: The whole header. A pattern of one's own has the groups ``start``, ``end`` and ``total``; a
    #: header that does not match is refused.
    content_range_pattern: re.Pattern[str] = CONTENT_RANGE

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        groups = getattr(cls.content_range_pattern, "groupindex", {})
        missing = [name for name in GROUPS if name not in groups]
        if missing:
            raise ConfigurationError(
                f"{cls.__name__}.content_range_pattern lacks the groups {', '.join(missing)};"
                " compile one with (?P<start>...), (?P<end>...) and (?P<total>...)"
            )

    def take_chunk(self, incoming: Incoming, upload_id: str | None) -> Response:
        """Store one chunk.

        :param upload_id: the upload's id, from the URL or the form; None for a new upload's first
            chunk, or when the field comes after the file.
        """
        if upload_id:
            record = self._open_upload(upload_id, self._foreseen(incoming))
        else:
            record = self.new_record(incoming)
        span = self.span(incoming)
        max_bytes = self.most_bytes(self.request)
        self._check_sizes(incoming, span, max_bytes)
        before = set(incoming.fields)
        with self._begin(record, incoming, span, max_bytes, new=not upload_id) as chunk:
            self.receive(incoming, chunk)
            if incoming.next_file():
                raise too_many_files(1)
            self.upload_set.dialects.check_late_fields(before, incoming.fields)
            if incoming.fields.keys() != before:
                self.chunk_fields = self.load_fields(incoming)
            from_url = (self.request.view_args or {}).get("upload_id")
            late_id = agreed_id(from_url, self.chunk_fields["upload_id"])
            if late_id and not upload_id:
                stored = self._move(chunk, late_id, span, max_bytes)
            else:
                stored = self._store(chunk, incoming, span)
        response = self.reply(self.get_response_data(stored, self.request))
        return add_progress(response, stored)

    def _open_upload(self, upload_id: str, plan: WritePlan | None = None) -> Record:
        record = self.find(upload_id) if plan is None else self.find_to_write(upload_id, plan)
        self.is_valid_chunked_upload(record)
        return record

    def _foreseen(self, incoming: Incoming) -> WritePlan | None:
        """Return what a chunk is going to write to a known upload; None if that is of no use."""
        if not self.engine.leasing.finds:
            return None
        try:
            span = self.span(incoming)
            self._check_sizes(incoming, span, self.most_bytes(self.request))
        except ChunkedUploadError:  # told after the look-up
            return None
        if span is None:
            return None
        return WritePlan(start=span.start, stop=span.stop, total=span.total)

    # What the request declares

    def span(self, incoming: Incoming) -> ContentRange | None:
        """Return the chunk's range; None for a whole file whose size is known only at its end."""
        header = self.request.headers.get(self.content_range_header)
        if header is not None:
            return parse_content_range(header, self.content_range_pattern)
        known_by_url = (self.request.view_args or {}).get("upload_id") is not None
        if self.needs_content_range or (incoming.raw and known_by_url):
            raise BadRequestHeaders(f"{self.content_range_header} is required")
        if incoming.raw and incoming.declared is not None:
            return ContentRange(0, incoming.declared, incoming.declared)
        return None

    def _check_sizes(
        self, incoming: Incoming, span: ContentRange | None, max_bytes: int | None
    ) -> None:
        """Refuse wrong declared sizes before a byte is stored."""
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
        if new and span is not None and start > 0:
            self._create_staged(record, incoming, span)
            # Alone in a part of its own, it starts at 0 there.
            start, stop, total = 0, span.size, None
        elif new:
            self.create(
                record, length=total, reserved=incoming.declared if total is None else total
            )
        elif span is None:
            stop = record.length  # the part must be the whole file, as declared before
        return self.engine.begin(
            record,
            WritePlan(
                start=start,
                stop=stop,
                total=total,
                max_bytes=max_bytes,
                read_back=new and not incoming.raw,  # an upload_id may come after the file
                creates=new,
            ),
        )

    def _create_staged(self, record: Record, incoming: Incoming, span: ContentRange) -> None:
        """Store a record for a chunk whose ``upload_id`` may come after the file."""
        if incoming.raw or "upload_id" in incoming.fields:
            raise OffsetMismatch(0)
        record.filename, record.ticket = UNNAMED, None  # the record is temporary
        self.engine.create_staged(record, start=span.start, size=span.size, total=span.total)

    def _store(self, chunk: Chunk, incoming: Incoming, span: ContentRange | None) -> Record:
        """Make the chunk part of its upload."""
        if chunk.plan.creates:
            if span is not None and span.start:
                raise OffsetMismatch(0)
            fields = self.metadata(incoming.fields)
            if fields != chunk.record.extra_fields:  # some came after the file
                chunk.record.extra_fields = fields
        return self.commit_chunk(chunk)

    def _move(
        self, staged: Chunk, upload_id: str, span: ContentRange | None, max_bytes: int | None
    ) -> Record:
        """Store a chunk whose ``upload_id`` came after its file: the one case that costs a copy."""
        record = self._open_upload(upload_id)
        start, stop, total = (
            (0, record.length, None) if span is None else (span.start, span.stop, span.total)
        )
        target = self.engine.begin(
            record, WritePlan(start=start, stop=stop, total=total, max_bytes=max_bytes)
        )
        with target:
            for data in staged.bytes():
                target.write(data)
            return self.commit_chunk(target)
