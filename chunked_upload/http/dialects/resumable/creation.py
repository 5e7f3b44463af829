"""Upload creation (section 4.2 of the draft): POST or PUT with ``Upload-Complete``."""

from __future__ import annotations

from flask import Response

from chunked_upload.engine.errors import BeyondLength
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequestHeaders, UnsupportedBody
from chunked_upload.http.views.offsets import Verify, outlives
from chunked_upload.http.wire.body import Body
from chunked_upload.http.wire.digest_fields import DigestCheck, DigestChecks
from chunked_upload.http.wire.incoming import UNNAMED, header_filename
from chunked_upload.http.wire.parameters import media_type
from chunked_upload.http.wire.upload_metadata import Metadata, read_metadata
from chunked_upload.records.repository import Record

from .answers import location
from .append import PARTIAL_UPLOAD
from .heads import OFFSET_HEADER
from .limits import LIMIT_HEADER, upload_limit
from .transfer import TransferView


class CreationView(TransferView):
    """Creates an upload, takes what the request brings of it, and completes it if that is all."""

    #: Whether the client has been told the upload's URL before the answer.
    is_known = False
    #: Whether the upload is there after a refusal.
    is_kept = False

    def post(self) -> Response:
        """Create an upload; Content-Disposition names the file."""
        return self.create("")

    def put(self, upload_id: str = "") -> Response:
        """Create an upload.

        :param upload_id: the file's name, at the place of an id.
        """
        return self.create(upload_id)

    def create(self, name: str) -> Response:
        """Create an upload of a file of this name, or of the one that the headers give it."""
        self.check_permissions(self.request)
        given, body = self.given, Body.of(self.request.environ)
        content_type = self._content_type()
        length = given.total(0, body.length)
        if length is not None and (body.length or 0) > length:
            raise BeyondLength(length, body.length or 0)
        if given.offset:
            raise BadRequestHeaders(f"a new upload begins at {OFFSET_HEADER}: 0")
        said = read_metadata(self.request)
        record = self.start(
            filename=name or self._filename(said),
            metadata=said.fields,
            content_type=content_type or said.content_type,
            length=length,
            declared=given.declared,
        )
        self.record = record
        try:
            return self._receive_first(record, body)
        except Exception as error:
            self._settle(record, error)
            raise

    def _receive_first(self, record: Record, body: Body) -> Response:
        where = location(self.upload_set, record)
        limit = upload_limit(self.rules, self.request, record, self.given.version)
        self.is_known = self.announce({"Location": where, LIMIT_HEADER: limit})
        verify = self._verify()
        if body.length == 0 and not self.given.complete and verify is None:
            response = self.partial_answer(record)
        else:
            response = self.receive(record, offset=0, verify=verify)
        response.headers["Location"] = where
        return response

    def partial_answer(self, record: Record) -> Response:
        """Return the answer to a creation that does not complete the upload."""
        response = super().partial_answer(record)
        response.status_code = 201
        return response

    def refuse(self, error: ChunkedUploadError) -> Response:
        """Return problem details; with the URL of an upload whose first request broke off."""
        response = super().refuse(error)
        if self.record is not None and self.is_kept:
            response.headers["Location"] = location(self.upload_set, self.record)
        return response

    def _verify(self) -> Verify | None:
        """Return the checks of the request's bytes, which may be those of the whole file."""
        checks = [self.content_check]
        if self.given.complete and self.given.repr_digest:
            checks.append(DigestCheck("Repr-Digest", self.given.repr_digest))
        sent = [check for check in checks if check is not None]
        return DigestChecks(*sent) if sent else None

    def _content_type(self) -> str:
        """Return the file's media type; empty for none.

        :raises BadRequestHeaders, UnsupportedBody: for a body that is not a file from its start.
        """
        if "Content-Range" in self.request.headers:
            raise BadRequestHeaders("Content-Range and Upload-Complete exclude each other")
        kind = media_type(self.request.environ)
        if kind == "multipart/form-data":
            raise UnsupportedBody(f"{kind} cannot be resumed; send the file itself")
        return "" if kind == PARTIAL_UPLOAD else self.request.mimetype

    def _filename(self, said: Metadata) -> str:
        asked = self.request.args.get("filename", "")
        return header_filename(self.request) or said.filename or asked or UNNAMED

    def _settle(self, record: Record, error: Exception) -> None:
        """Remove what a refused creation leaves, unless its client can use it.

        It can if it knows the URL, or if the request broke off: then it finds what came in its list
        of uploads.
        """
        self.is_kept = self.is_known or outlives(record, error)
        if not self.is_kept:
            self.drop(record)
        elif isinstance(error, BeyondLength):
            self.invalidate(record)
