"""Where an upload stands (HEAD, GET), and its end (DELETE), for clients of every dialect.

These requests look the same in the draft and in the contract, so the answers have the headers of
both, and refusals read as in the contract.
"""

from __future__ import annotations

from flask import Response

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.dialect import Dialect
from chunked_upload.http.errors import BadRequestHeaders
from chunked_upload.http.views.offsets import OffsetView
from chunked_upload.http.views.resources import UploadView
from chunked_upload.http.wire.digest_fields import read_wanted
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record

from .answers import add_limit, add_repr_digest
from .heads import LENGTH_HEADER, OFFSET_HEADER
from .versions import COMPLETE_HEADER, INCOMPLETE_HEADER, Version, version_of


class StateView(UploadView, OffsetView):
    """An upload's state, and its removal."""

    def get(self, upload_id: str) -> Response:
        """Return the upload's state; a request that is sending its bytes goes on."""
        self.check_permissions(self.request)
        return self._tell(self.find(upload_id), version_of(self.request))

    def head(self, upload_id: str) -> Response:
        """Return the offset at which the next append is accepted, and end one that is under way."""
        version = version_of(self.request)
        self._refuse_state_headers()
        self.check_permissions(self.request)
        record = self.find(upload_id)
        self.engine.check_unexpired(record)
        self.interrupt(record)
        response = self._tell(record, version)
        response.status_code = version.retrieval_status
        return response

    def delete(self, upload_id: str) -> Response:
        """Cancel the upload, or delete the completed file."""
        if version_of(self.request).forbids_state:
            self._refuse_state_headers()
        return super().delete(upload_id)

    def refuse(self, error: ChunkedUploadError) -> Response:
        """Return the response for a refusal in the contract's form."""
        default: Dialect = self.upload_set.dialects.default
        return default.render(self.settings, error)

    def _tell(self, record: Record, version: Version) -> Response:
        wanted = read_wanted(self.request)
        response = self.show(record)
        response.headers.extend(version.completeness(record.status == Status.COMPLETE))
        add_limit(response, self.rules, record, version)
        add_repr_digest(response, record, wanted)
        return response

    def _refuse_state_headers(self) -> None:
        """Refuse a client that tells the state which it asks for.

        :raises BadRequestHeaders:
        """
        told = (OFFSET_HEADER, COMPLETE_HEADER, INCOMPLETE_HEADER, LENGTH_HEADER)
        for name in told:
            if name in self.request.headers:
                raise BadRequestHeaders(f"{self.request.method} must not have {name}")
