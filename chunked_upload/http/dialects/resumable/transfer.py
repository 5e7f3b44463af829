"""What creation and append share: receiving, completing, interim responses, answers, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from flask import Response

from chunked_upload.engine.errors import BeyondLength, OffsetMismatch
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import LengthRequired
from chunked_upload.http.views.offsets import OffsetView, Verify, is_cut, is_for_good
from chunked_upload.http.wire.body import Body
from chunked_upload.http.wire.digest_fields import DigestCheck
from chunked_upload.http.wire.replies import add_progress
from chunked_upload.records.repository import Record

from .answers import add_limit, add_repr_digest
from .heads import OFFSET_HEADER, Head
from .interim import announce
from .problems import InconsistentLength, problem_reply
from .settings import ResumableSettings
from .versions import NEWEST


class TransferView(OffsetView):
    """Base of the views that receive bytes."""

    #: The upload, once it is known.
    record: Record | None = None
    #: Whether the whole file has arrived, so that even a refusal is the answer to it.
    is_final = False

    @cached_property
    def given(self) -> Head:
        """The request's headers."""
        return Head.of(self.request)

    def receive(self, record: Record, *, offset: int, verify: Verify | None) -> Response:
        """Take the request's bytes; complete the upload if the client says that it is complete.

        :param offset: where the bytes begin, as the client sees it.
        :param verify: the client's digests of these bytes.
        """
        given, body = self.given, Body.of(self.request.environ)
        last = bool(given.complete)
        length = given.total(offset, body.length)
        unknown = record.length is None and length is None
        self._check_end(body, proven=verify is not None or not unknown)
        self.check_chunk(body.length)  # a client that sent too much at once can go on
        _check_room(record, offset, body.length)
        self.append(record, offset=offset, length=length, last=last, verify=verify)
        if not last:
            return self.partial_answer(record)
        if record.offset != record.length:
            raise InconsistentLength(
                f"the upload has {record.length} bytes, but only {record.offset} arrived"
            )
        self.is_final = True
        return self.final_answer(record)

    def final_answer(self, record: Record) -> Response:
        """Complete the upload, unless it is, and return the service's answer to a whole file."""
        done = self.finish(record, self.given.repr_digest)
        response = add_progress(self.reply(done), record)
        add_repr_digest(response, record, self.given.wanted)
        return self.with_state(response, record, complete=True)

    def partial_answer(self, record: Record) -> Response:
        """Return the answer to bytes that do not complete the upload."""
        response = Response(status=self.given.version.append_status)
        return self.with_state(response, record, complete=False)

    def with_state(self, response: Response, record: Record, *, complete: bool) -> Response:
        """Add the headers of the upload's state to an answer."""
        version = self.given.version
        response.headers.extend(version.completeness(complete))
        response.headers[OFFSET_HEADER] = str(record.offset)
        response.headers["Cache-Control"] = "no-store"
        add_limit(response, self.rules, record, version)
        return response

    def announce(self, headers: Mapping[str, str]) -> bool:
        """Send an interim response, if the client can read it; return whether it was sent."""
        wanted = self.settings.of(ResumableSettings).resumable_interim_responses
        return announce(self.request, headers, wanted=wanted)

    def progressed(self, record: Record) -> None:
        """Tell the client how much of a long request is recorded."""
        if self.given.version.tells_progress:
            self.announce({OFFSET_HEADER: str(record.offset)})

    @property
    def content_check(self) -> DigestCheck | None:
        """The check of ``Content-Digest``, if the client sent it."""
        digests = self.given.content_digest
        return DigestCheck("Content-Digest", digests) if digests else None

    def refuse(self, error: ChunkedUploadError) -> Response:
        """Return problem details, and the upload's offset if the client needs it."""
        given: Head | None = self.__dict__.get("given")  # not if its headers are what is refused
        version, offset = (given.version, given.offset) if given else (NEWEST, None)
        response = problem_reply(self.settings, error, provided_offset=offset)
        final = self.is_final and is_for_good(response.status_code)
        response.headers.extend(version.completeness(final))
        recorded = self._recorded_offset(error)
        if recorded is not None:
            response.headers[OFFSET_HEADER] = str(recorded)
        if response.status_code in (400, 413):
            add_limit(response, self.rules, self.record, version)
        return response

    def _recorded_offset(self, error: ChunkedUploadError) -> int | None:
        """Return where the client can go on after a refusal; None when it cannot, or must ask."""
        cause = error.__cause__ or error
        if isinstance(cause, OffsetMismatch):
            offset: int = cause.data["offset"]
            return offset
        if self.record is None or not (is_cut(cause) or isinstance(cause, InconsistentLength)):
            return None
        return self.record.offset

    def _check_end(self, body: Body, *, proven: bool) -> None:
        """Check that a connection that was cut is not taken for the end of the file.

        :param proven: a length or a digest tells whether all has arrived.
        :raises LengthRequired: when nothing tells.
        """
        told = body.length is not None or body.tells_truncation or proven
        if self.given.complete and not told:
            raise LengthRequired


def _check_room(record: Record, offset: int, size: int | None) -> None:
    """Refuse bytes beyond the recorded length, before what the request says of the length.

    :raises BeyondLength:
    """
    if record.length is None or size is None or offset != record.offset:
        return
    if offset + size > record.length:
        raise BeyondLength(record.length, offset + size)
