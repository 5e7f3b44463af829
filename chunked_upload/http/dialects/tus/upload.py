"""One upload: where it stands, its bytes, its end, and the finished file."""

from __future__ import annotations

from typing import Any

from flask import Response

from chunked_upload.engine.errors import AlreadyComplete, OffsetMismatch
from chunked_upload.http.access.tokens import READ
from chunked_upload.http.errors import MethodNotOffered
from chunked_upload.records.repository import Record

from ...views.files import UploadFileView
from ...views.found_to_append import find_to_append
from ...views.repeated_append import compare_with_stored
from . import answers
from .base import TusView, is_complete, is_settled, is_whole
from .declared import Declared
from .headers import check_type, check_version, overridden_verb, read_number, read_offset
from .problems import FinalUpload
from .waiting import complete_finals, partials_of


class TusUploadView(TusView):
    """The URL of one upload."""

    def needed_scopes(self) -> tuple[str, ...]:
        return (READ,) if self.request.method == "GET" else super().needed_scopes()

    def head(self, upload_id: str) -> Response:
        """Tell where the upload stands: at this offset the next PATCH is accepted."""
        self.admit_client()
        record = self.find(upload_id)
        self.engine.check_unexpired(record)
        if not is_complete(record):
            self.interrupt(record)
        if not is_settled(record):
            # Its client takes offset == length for a success. So it must be one, also when the
            # server died between the last byte and the completion.
            self.complete_if_whole(record)
            complete_finals(self, record)
        if Declared.of(record).is_final and not is_complete(record):
            return answers.empty(200, answers.waiting(record, partials_of(self, record).length))
        return answers.empty(200, answers.state(record))

    def patch(self, upload_id: str) -> Response:
        """Append the body to the upload; complete it with its last byte."""
        self.admit_client()
        check_type(self.request)
        offset = read_offset(self.request)
        length = read_number(self.request, "Upload-Length")
        checksum = self.read_checksum()
        record = find_to_append(self, upload_id, offset=offset, length=length, verify=checksum)
        if Declared.of(record).is_final:
            raise FinalUpload
        if is_whole(record):
            compare_with_stored(self, record, offset=offset, length=length, verify=checksum)
        else:
            record = self._append(record, offset=offset, length=length, verify=checksum)
        self.complete_if_whole(record)
        complete_finals(self, record)
        return answers.empty(204, answers.progress(record))

    def _append(self, record: Record, **given: Any) -> Record:
        """Append the body.

        :raises OffsetMismatch: also when another request has completed the upload meanwhile, so
            that the client is told where it stands.
        """
        try:
            return self.append(record, **given)
        except AlreadyComplete as error:
            raise OffsetMismatch(self.find(record.upload_id).offset) from error

    def delete(self, upload_id: str) -> Response:
        """Abort the upload, or delete the finished file."""
        self.admit_client()
        self.engine.abort(self.find(upload_id))
        return answers.empty(204, {})

    def post(self, upload_id: str) -> Response:
        """Do what ``X-HTTP-Method-Override`` says, for clients that cannot send that verb."""
        verbs = {"PATCH": self.patch, "DELETE": self.delete}
        wanted = overridden_verb(self.request)
        if wanted not in verbs:
            raise MethodNotOffered(
                self.offers(), reason="POST needs X-HTTP-Method-Override: PATCH or DELETE here"
            )
        return verbs[wanted](upload_id)

    def get(self, upload_id: str) -> Response:
        """Send the finished file; browsers say no version."""
        if "Tus-Resumable" in self.request.headers:
            check_version(self.request)
        return UploadFileView(self.upload_set, self.dialect).get(upload_id)
