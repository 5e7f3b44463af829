"""What offset dialects share: uploads that begin empty, grow at their end, and complete themselves.

The bytes of a request that breaks off are kept, durable and recorded. A long request commits its
progress on the way. A newcomer takes over from an older request at once. The rules and hooks are
those of the upload set's chunk view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from werkzeug.exceptions import HTTPException

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.errors import (
    AlreadyComplete,
    BeyondLength,
    FileTooLarge,
    NotComplete,
    OffsetMismatch,
    SizeMismatch,
    UploadNotFound,
)
from chunked_upload.engine.pieces import JOINED, PIECE, is_piece
from chunked_upload.engine.plan import WritePlan
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequest
from chunked_upload.records.events import EventKind
from chunked_upload.records.repository import Record

from ..wire.body import Body
from ..wire.fields import Fields
from . import whole_files
from .progress import Progress
from .receiving import ReceivingView, chunk_too_large
from .resource import ResourceView

#: Refusals that a client gets over by waiting, or by showing who it is.
_FOR_NOW = frozenset({401, 408, 423, 425, 429})


class Verify(Protocol):
    """A checksum that the client sent with the bytes of one request."""

    def update(self, data: bytes) -> None:
        """Take the next bytes."""

    def check(self) -> None:
        """Raise when the bytes are not those that the client sent."""


class Announced:
    """A file that a client announces before it sends bytes."""

    raw = True
    field_name = ""

    def __init__(
        self, *, filename: str, fields: dict[str, str], content_type: str, declared: int | None
    ) -> None:
        self.filename = filename
        self.fields = fields
        self.content_type = content_type
        self.declared = declared

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def next_file(self) -> bool:
        """There is only one."""
        return False


class OffsetView(ResourceView):
    """Base of the views of offset dialects."""

    rules: ReceivingView

    #: The upload that this request created, which the app's checks have seen.
    _started: Record | None = None

    def start(
        self,
        *,
        filename: str,
        metadata: Mapping[str, str],
        content_type: str,
        length: int | None,
        declared: Mapping[str, Any] | None = None,
        client_key: str | None = None,
        piece: bool = False,
        joined: bool = False,
    ) -> Record:
        """Check and create an upload without bytes.

        :param length: of the file in bytes; None when it is not known yet.
        :param declared: what the dialect keeps of the client's declarations.
        :param client_key: the client's own name for the upload, hashed.
        :param piece: it becomes part of another upload. So its name says nothing about the file:
            rules about names, and the app's checks of files, are asked for that other upload.
        :param joined: it gets its bytes from pieces alone.
        :raises ChunkedUploadError: when the upload set's rules refuse it; nothing is stored.
        :raises KeyTaken: when the client already has an upload with this ``client_key``.
        """
        rules = self.rules
        announced = Announced(
            # A piece must not be found as the unfinished file of this name.
            filename="" if piece else filename,
            fields=self._kept(metadata),
            content_type=content_type,
            declared=length,
        )
        rules.chunk_fields = rules.load_fields(announced)
        rules.upload_to_be = rules.describe_incoming(announced, length=length)
        if not piece:
            rules.validate(self.request)
        max_bytes = rules.most_bytes(self.request)
        if None not in (max_bytes, length) and (length or 0) > (max_bytes or 0):
            raise FileTooLarge(max_bytes or 0)
        record = rules.new_record(announced)
        kept = {**(declared or {}), **(PIECE if piece else {}), **(JOINED if joined else {})}
        record.declared = kept or None
        record.client_key = client_key
        creation = _Creation(rules, record, length=length)
        rules.commit(creation, new=True)
        self.engine.emit("created", record)
        self._started = record
        return record

    def append(
        self,
        record: Record,
        *,
        offset: int,
        length: int | None = None,
        last: bool = False,
        verify: Verify | None = None,
    ) -> Record:
        """Receive the request's body from ``offset`` on; return the record with its new offset.

        :param length: the file's length, when this request declares it.
        :param last: the file ends where the body ends, if its length is not known by then.
        :param verify: the client's checksum of the body; with it, all bytes count or none.
        :raises SizeMismatch: when the request broke off. Without ``verify``, what had arrived is
            recorded then, and ``record.offset`` is its end.
        :raises BeyondLength: when the file would get more bytes than it has; none of them count.
        :raises ChunkedUploadError: when the engine or a hook refuses the bytes.
        """
        rules = self.rules
        if record is not self._started:
            self.ask_checks(record, length=length)
        rules.is_valid_chunked_upload(record)
        body = Body.of(self.request.environ)
        body.require_end(framed=True)
        self.check_chunk(body.length)
        with self.engine.begin(record, self.plan(body, offset, length, verify)) as chunk:
            broken = self._receive(chunk, body, verify)
            if broken is not None and (verify is not None or not chunk.received):
                raise broken
            if verify is not None:
                verify.check()
            if last and broken is None:
                chunk.end_file()
            chunk.finish_prefix()
            rules.commit(chunk, new=False)
        if broken is not None:
            raise broken
        return record

    def ask_checks(self, record: Record, *, length: int | None) -> None:
        """Ask the app's checks about an upload that gets bytes.

        :param length: the file's length, when it is known only now.
        :raises ChunkedUploadError: when a check refuses.
        """
        rules = self.rules
        rules.upload_to_be = rules.describe_incoming(
            self._continued(record),
            length=length if record.length is None else record.length,
            upload_id=record.upload_id,
        )
        if not is_piece(record):
            rules.validate(self.request)

    def finish(self, record: Record, digests: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Complete an upload that has all its bytes, with the hooks.

        If it is refused, it is invalid for good: a client that did not get this answer must not
        take it for a success.

        :param digests: the client's checksums of the file by name.
        :return: the answer to the last chunk and the completion.
        :raises ChunkedUploadError: when a rule or hook refuses it, or it cannot be done now.
        """
        try:
            return whole_files.complete(self.rules, [record], digests or {})[0]
        except (ChunkedUploadError, HTTPException) as error:
            if self._is_final(error):
                self.invalidate(record)
            raise

    def _is_final(self, error: ChunkedUploadError | HTTPException) -> bool:
        """Return whether a refusal holds for good, as those of hooks and checks do."""
        if isinstance(error, HTTPException):
            return is_for_good(error.code or 0)
        if isinstance(error, NotComplete):  # a piece, which another upload still needs
            return False
        return is_for_good(self.dialect.refusal(error).status_code or 500)

    def interrupt(self, record: Record) -> None:
        """End an append that is under way, keeping its prefix; the record then tells the offset."""
        self.engine.interrupt(record)

    def invalidate(self, record: Record) -> None:
        """Make the upload one that has expired, unless it is complete or gone."""
        with suppress(ChunkedUploadError):
            self.engine.invalidate(record)

    def drop(self, record: Record) -> None:
        """Remove an upload that this request created, and that no client knows of."""
        with suppress(UploadNotFound):
            self.engine.abort(record)

    def progressed(self, record: Record) -> None:
        """Run when part of a long request has been recorded; a dialect may tell its client."""

    def _kept(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """Return a client's metadata, held to the limits of a form's fields.

        :raises BadRequest: when it chooses another upload set, which only the query can.
        """
        set_field, fields = self.settings.set_field, Fields(self.rules.form_limits())
        for name, value in metadata.items():
            if name == set_field:
                if value != self.upload_set.name:
                    raise BadRequest(f"Choose the upload set by the URL: ?{set_field}={value[:80]}")
                continue
            size = len(value.encode(errors="replace"))
            fields.count(name, size + len(name.encode(errors="replace")), so_far=size)
            fields.add(name, value)
        return fields.kept

    def _continued(self, record: Record) -> Announced:
        return Announced(
            filename=record.filename,
            fields={},
            content_type=self.request.mimetype,
            declared=record.length,
        )

    def check_chunk(self, size: int | None) -> None:
        """Refuse a body of more bytes than one request may have."""
        max_chunk = self.rules.max_chunk
        if max_chunk is not None and (size or 0) > max_chunk:
            raise chunk_too_large(max_chunk)

    def plan(self, body: Body, offset: int, length: int | None, verify: Verify | None) -> WritePlan:
        """Return what a request's body is going to write.

        :raises FileTooLarge: when the caller may not upload as much.
        """
        stop = None if body.length is None else offset + body.length
        max_bytes = self.rules.most_bytes(self.request)
        if max_bytes is not None and max(stop or 0, length or 0) > max_bytes:
            raise FileTooLarge(max_bytes)
        return WritePlan(
            start=offset,
            stop=stop,
            total=length,
            max_bytes=max_bytes,
            appends=True,
            keeps_prefix=verify is None,
        )

    def _receive(self, chunk: Chunk, body: Body, verify: Verify | None) -> SizeMismatch | None:
        """Write the body; return the error with which it broke off, if it did."""
        progress = Progress(chunk, self.progressed)
        # What arrived of a request that stalls counts, unless its checksum has to be right.
        source = iter(body.prompt() if verify is None else body)
        while True:
            try:
                data = next(source, None)
            except SizeMismatch as error:
                return error
            if data is None:
                return None
            chunk.write(data)
            self.check_chunk(chunk.received)
            if verify is not None:
                verify.update(data)
            else:
                progress.record()
            del data  # see Body


def is_for_good(status: int) -> bool:
    """Return whether a refusal with this status holds however often the request is repeated."""
    return status < 500 and status not in _FOR_NOW


def is_cut(error: BaseException) -> bool:
    """Return whether an error says that a request broke off before its end."""
    return isinstance(error, SizeMismatch) and not isinstance(error, BeyondLength)


def outlives(record: Record, error: BaseException) -> bool:
    """Return whether an upload stays although the request that created it has failed.

    The request broke off, and some of its bytes have been kept; or another request, which must have
    found the upload in the caller's list, has taken it over.
    """
    if isinstance(error, (OffsetMismatch, AlreadyComplete)):
        return True
    return is_cut(error) and record.offset > 0


class _Creation:
    """A new record, as the hooks around its commit see it."""

    def __init__(self, rules: ReceivingView, record: Record, *, length: int | None) -> None:
        self.record = record
        self.committed = False
        self._rules = rules
        self._length = length

    def commit(self) -> None:
        """Insert the record."""
        told, length = None if is_piece(self.record) else EventKind.CREATED, self._length
        self._rules.create(self.record, length=length, reserved=length, told=told)
        self.committed = True
