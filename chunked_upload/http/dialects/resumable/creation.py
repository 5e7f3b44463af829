"""Upload creation (section 4.2 of the draft): POST or PUT with ``Upload-Complete``."""

from __future__ import annotations

from flask import Response

from chunked_upload.engine.errors import BeyondLength, UploadNotFound
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequestHeaders, UnsupportedBody
from chunked_upload.http.views.offsets import Verify, outlives
from chunked_upload.http.wire.body import Body
from chunked_upload.http.wire.digest_fields import DigestCheck, DigestChecks
from chunked_upload.http.wire.incoming import UNNAMED, header_filename
from chunked_upload.http.wire.parameters import media_type
from chunked_upload.http.wire.upload_metadata import Metadata, read_metadata
from chunked_upload.records.model import Status
from chunked_upload.records.repository import KeyTaken, Record

from .answers import location
from .append import PARTIAL_UPLOAD
from .heads import OFFSET_HEADER
from .limits import LIMIT_HEADER, upload_limit
from .repeated_creation import client_key, created_before
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
        said, key = read_metadata(self.request), client_key(self)
        known = created_before(self, key, length=length)
        if known is not None:
            return self._answer_again(known)
        try:
            record = self.start(
                filename=name or self._filename(said),
                metadata=said.fields,
                content_type=content_type or said.content_type,
                length=length,
                declared=given.declared,
                client_key=key,
            )
        except KeyTaken:  # the same request came twice, at the same time
            known = created_before(self, key, length=length)
            if known is None:
                raise UploadNotFound from None
            return self._answer_again(known)
        self.record = record
        try:
            return self._receive_first(record, body)
        except Exception as error:
            self._settle(record, error)
            raise

    def _answer_again(self, record: Record) -> Response:
        """Tell of the upload that the client has created before; the body is not read."""
        self.record = record
        if record.status != Status.COMPLETE:
            self.interrupt(record)
            response = self.partial_answer(record)
        elif self.given.complete:
            self.is_final = True
            response = self.final_answer(record)
        else:  # it was completed by a request of its own
            response = self.with_state(Response(status=201), record, complete=True)
        response.headers["Location"] = location(self.upload_set, record)
        return response

    def _receive_first(self, record: Record, body: Body) -> Response:
        where = location(self.upload_set, record)
        limit = upload_limit(self.rules, self.request, record, self.given.version)
        self.is_known = self.announce({"Location": where, LIMIT_HEADER: limit})
        verify = self._verify()
        # A file of no bytes is written now: all of it has arrived, in whatever way it is completed.
        nothing_yet = body.length == 0 and record.length != 0
        if nothing_yet and not self.given.complete and verify is None:
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
            if record.client_key is not None:  # the request may be repeated
                self.engine.records.rename(record, None, visitor=record.visitor)
            self.drop(record)
        elif isinstance(error, BeyondLength):
            self.invalidate(record)
