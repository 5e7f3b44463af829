"""Upload append (section 4.4 of the draft): PATCH with ``Upload-Offset``."""

from __future__ import annotations

from flask import Response

from chunked_upload.engine.errors import (
    AlreadyComplete,
    BeyondLength,
    OffsetMismatch,
    UploadExpired,
)
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequestHeaders, UnsupportedBody
from chunked_upload.http.views.found_to_append import find_to_append
from chunked_upload.http.views.repeated_append import compare_with_stored
from chunked_upload.http.wire.body import Body
from chunked_upload.http.wire.parameters import media_type
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record

from .heads import OFFSET_HEADER, Head
from .transfer import TransferView
from .versions import COMPLETE_HEADER

PARTIAL_UPLOAD = "application/partial-upload"


class AppendView(TransferView):
    """Appends bytes to an upload."""

    def patch(self, upload_id: str) -> Response:
        """Append the request's bytes; complete the upload if the client says so."""
        self.check_permissions(self.request)
        given = self.given
        record = self.record = self._found(upload_id, given)
        self.engine.check_unexpired(record)
        self._check_type(given)
        offset = self._offset(given)
        if record.status == Status.COMPLETE:
            return self._repeat(record, offset)
        try:
            return self.receive(record, offset=offset, verify=self.content_check)
        except (BeyondLength, UploadExpired):  # also when its bytes are lost (section 4.1.1)
            self.invalidate(record)
            raise

    def _found(self, upload_id: str, given: Head) -> Record:
        try:
            self._check_type(given)
            offset = self._offset(given)
            length = given.total(offset, Body.of(self.request.environ).length)
        except ChunkedUploadError:  # told after the look-up
            return self.find(upload_id)
        verify = self.content_check
        return find_to_append(self, upload_id, offset=offset, length=length, verify=verify)

    def _check_type(self, given: Head) -> None:
        kind = media_type(self.request.environ)
        if given.version.typed_appends and kind != PARTIAL_UPLOAD:
            raise UnsupportedBody(f"Content-Type must be {PARTIAL_UPLOAD}, not {kind or 'missing'}")

    def _offset(self, given: Head) -> int:
        """Return where the client appends.

        :raises BadRequestHeaders: when one of the required headers is missing.
        """
        if given.offset is None:
            raise BadRequestHeaders(f"{OFFSET_HEADER} must be a non-negative Integer")
        if given.complete is None:
            raise BadRequestHeaders(f"{COMPLETE_HEADER} must be ?1 or ?0")
        return given.offset

    def _repeat(self, record: Record, offset: int) -> Response:
        """Answer again an append that completed the upload, whose answer was lost.

        :raises OffsetMismatch, AlreadyComplete, BytesDiffer: for another append.
        """
        given, end = self.given, record.offset
        if not given.complete:
            raise AlreadyComplete if offset == end else OffsetMismatch(end)
        try:
            compare_with_stored(
                self, record, offset=offset, length=given.length, verify=self.content_check
            )
        except BeyondLength as error:
            raise OffsetMismatch(end) from error
        self.is_final = True
        return self.final_answer(record)
