"""What all dialects that receive files share: the record of a new upload, limits, receiving."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

from flask import Request, Response
from marshmallow import ValidationError

from chunked_upload.engine.chunk import Chunk
from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.engine.pieces import is_piece
from chunked_upload.http.access import callers
from chunked_upload.http.errors import BadRequest, LimitExceeded, UnsupportedBody
from chunked_upload.records.events import EventKind
from chunked_upload.records.queries import UploadQuery
from chunked_upload.records.repository import Record
from chunked_upload.support.filenames import (
    clean_filename,
    extension,
    extensions,
    has_extension,
)
from chunked_upload.support.log_context import note_upload

from ..checks import UploadToBe
from ..late_context import enter_context
from ..schemas import problems
from ..wire.fields import FormLimits, own_fields
from ..wire.incoming import UNNAMED, Incoming, header_filename, open_incoming
from .base import ChunkedUploadBaseView
from .before_create import ask_before_create
from .ticket_rules import check_ticket, least_of
from .user_column import user_attributes


class Receives(Protocol):
    """What a chunk's bytes are written to."""

    @property
    def received(self) -> int:
        """Bytes received so far."""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""


class ReceivingView(ChunkedUploadBaseView):
    """Base of the view that takes files, whatever their dialect."""

    takes_fields = True
    #: Form field of the file; None for the setting's.
    field_name: str | tuple[str, ...] | None = None
    #: Largest file in bytes; None for the setting's.
    max_bytes: int | None = None
    #: Header with the position of the chunk; a file posted without it is whole.
    content_range_header: str = "Content-Range"
    #: Refuse forms without that header (otherwise their part is the whole file); None for the
    #: setting's.
    fail_if_no_header: bool | None = None

    def post(self, upload_id: str | None = None) -> Response:
        """Take a file or a chunk, in whichever dialect its client speaks."""
        self.check_permissions(self.request)
        whole = upload_id is None and self.content_range_header not in self.request.headers
        max_files = self.settings.max_form_files if whole else 1
        incoming = open_incoming(self.request, self.form_limits(max_files=max_files))
        self.take_fields(incoming.fields)
        chosen = self.upload_set.chosen(incoming.fields)
        if chosen is not self.upload_set:
            return self._hand_over(chosen.upload_view(chosen), incoming, upload_id)
        return self.take_incoming(incoming, upload_id)

    def put(self, upload_id: str | None = None) -> Response:
        """Take a chunk as :meth:`post` does, or say why a file of such a name is not taken."""
        try:
            return self.post(upload_id)
        except UploadNotFound as error:
            if upload_id is None or self.content_range_header in self.request.headers:
                raise
            raise UploadNotFound(
                reason="32 hex digits are an upload's id, not a file's name; upload a file of this"
                f" name by POST to {self.upload_set.url('uploads')}?filename=NAME"
            ) from error

    def _hand_over(
        self, view: ReceivingView, incoming: Incoming, upload_id: str | None
    ) -> Response:
        """Let the view of the upload set that the client chose take a file."""
        try:
            view.admit(incoming.fields)
            return view.take_incoming(incoming, upload_id)
        finally:
            self.dialect = view.dialect  # in which a refusal is answered

    def take_incoming(self, incoming: Incoming, upload_id: str | None) -> Response:
        """Take a file or a chunk whose request has been read up to its first byte."""
        if self.settings.set_field is not None:
            incoming.fields.pop(self.settings.set_field, None)
        self.chunk_fields = self.load_fields(incoming)
        given = agreed_id(upload_id, self.chunk_fields["upload_id"])
        self.dialect = self.upload_set.dialects.of_file(self, incoming, given)
        length = self.dialect.declared_length(self, incoming)
        self.upload_to_be = self.describe_incoming(incoming, length=length, upload_id=given)
        self.validate(self.request)
        return self.dialect.take(self, incoming, given)

    def get_extra_attrs(self, request: Request) -> dict[str, Any]:
        """Return more attributes for a new record (hook)."""
        return {}

    def get_max_bytes(self, request: Request) -> int | None:
        """Return the largest file that this request may upload, in bytes (hook)."""
        limit = self.settings.max_bytes if self.max_bytes is None else self.max_bytes
        return limit(request) if callable(limit) else limit

    def most_bytes(self, request: Request) -> int | None:
        """Return the least of :meth:`get_max_bytes` and the limit of the caller's ticket."""
        return least_of(self.get_max_bytes(request), self.upload_set.caller(request).ticket)

    def told_max_bytes(self, request: Request) -> int | None:
        """Return the largest file, for a caller who asks; None for no limit that can be told.

        The limit may be a function of the app that needs to know its caller. Whoever only asks may
        be nobody, as browsers are before they cross origins, and is answered all the same.
        """
        try:
            return self.most_bytes(request)
        except Exception:
            return None

    def create_chunked_upload(self, save: bool = False, **attrs: Any) -> Any:
        """Make the record of a new upload (hook)."""
        record = self.model(**attrs)
        if save:
            self.engine.create(record)
        return record

    def is_valid_chunked_upload(self, chunked_upload: Any) -> None:
        """Check that an existing upload takes chunks (hook): not expired, not complete."""
        self.engine.check_open(chunked_upload)

    @property
    def asks_app_about_found(self) -> bool:
        own = type(self).is_valid_chunked_upload is not ReceivingView.is_valid_chunked_upload
        return own or super().asks_app_about_found

    def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
        """Return the answer to a chunk (hook)."""
        data: dict[str, Any] = self.upload_set.schemas.dump_chunk_reply(chunked_upload)
        return data

    @cached_property
    def chunk_fields(self) -> dict[str, Any]:
        """The form fields before the file, as the upload set's ``ChunkSchema`` reads them.

        Without a form (a view of the app saves a file) the schema's defaults.
        """
        return self._load({})

    def load_fields(self, incoming: Incoming) -> dict[str, Any]:
        """Return the form fields that have arrived, checked by the upload set's schema.

        :raises BadRequest: naming what is wrong with which field.
        """
        return self._load(incoming.fields)

    def _load(self, given: dict[str, str]) -> dict[str, Any]:
        try:
            fields: dict[str, Any] = self.upload_set.schemas.load_chunk(given)
        except ValidationError as error:
            raise BadRequest(problems(error)) from error
        return fields

    def form_limits(self, *, max_files: int = 1) -> FormLimits:
        """Return what a form may hold."""
        settings = self.settings
        names = settings.field_name if self.field_name is None else self.field_name
        names = (names,) if isinstance(names, str) else tuple(names)
        return FormLimits(
            names,
            settings.max_metadata_fields,
            settings.max_metadata_bytes,
            dialect_fields=self.upload_set.dialects.fields,
            max_files=max_files,
        )

    # Create

    def new_record(self, incoming: Incoming) -> Record:
        """Make the record of a new upload; nothing is stored yet."""
        enter_context()
        caller = self.upload_set.caller(self.request)
        attrs = {
            "upload_set": self.upload_set.name,
            "filename": self._filename(incoming),
            "owner": caller.owner,
            "visitor": None if caller.owner else callers.visitor_to_be(),
            "quota_key": callers.quota_key(self.upload_set.app, self.request, caller),
            "extra_fields": self.metadata(incoming.fields),
            **user_attributes(self.model, self.user_field_name, caller),
            **self.get_extra_attrs(self.request),
        }
        if caller.ticket is not None:
            attrs["ticket"] = caller.ticket.key
        record: Record = self.create_chunked_upload(save=False, **attrs)
        return record

    def describe_incoming(
        self, incoming: Incoming, *, length: int | None, upload_id: str | None = None
    ) -> UploadToBe:
        """Return the description of an arriving file for an app's checks.

        A later chunk often has no name and no fields, so what the first one said holds.
        """
        filename, metadata = self._filename(incoming), self.metadata(incoming.fields)
        if upload_id is not None and self.upload_set.hooks.validators:
            record = self.find(upload_id)
            filename, length = record.filename, record.length or length
            metadata = {**metadata, **record.extra_fields}
        return UploadToBe(
            filename=filename,
            length=length,
            metadata=metadata,
            content_type=incoming.content_type,
            upload_id=upload_id,
        )

    def metadata(self, fields: dict[str, str]) -> dict[str, str]:
        """Return the fields that are kept with an upload.

        :raises BadRequest: when the upload set is chosen too late, after the file.
        """
        if self.settings.set_field in fields:
            raise BadRequest(f"'{self.settings.set_field}' must come before the file")
        own = own_fields() | self.upload_set.dialects.fields
        kept = {name: value for name, value in fields.items() if name not in own}
        # PostgreSQL cannot store NUL in text.
        kept = {k.replace("\0", ""): v.replace("\0", "") for k, v in kept.items()}
        ticket = self.upload_set.caller(self.request).ticket
        return kept if ticket is None else {**kept, **ticket.metadata}

    def _filename(self, incoming: Incoming) -> str:
        """Return the client's name for the file, cleaned."""
        ticket = self.upload_set.caller(self.request).ticket
        fixed: str | None = None if ticket is None else ticket.filename
        if fixed is not None:
            return fixed
        given = incoming.filename
        if given == "blob":  # a Blob without a name; jQuery-File-Upload puts it in the header
            given = header_filename(self.request) or given
        return clean_filename(given) or UNNAMED

    def create(
        self,
        record: Record,
        *,
        length: int | None,
        reserved: int | None,
        unless: UploadQuery | None = None,
        told: EventKind | None = None,
    ) -> None:
        """Store the record of a new upload, before its first byte arrives.

        :param length: the declared total in bytes.
        :param reserved: bytes to hold against the owner's quota from the start, None when not
            known; as more arrive, more are held.
        :param unless: uploads that the record's ``client_key`` may also mean.
        :param told: the event of an upload that exists from now on, not from its first chunk on.
        :raises KeyTaken: when the client already has an upload with this ``client_key``, or one of
            ``unless``.
        """
        if not is_piece(record):
            self.check_filename(record.filename)
        record.length, record.reserved = length, reserved or 0
        if ticket := self.upload_set.caller(self.request).ticket:
            check_ticket(ticket, record.filename, now=self.engine.now())
        ask_before_create(self.settings, record, self.request.environ)
        self.engine.create(record, unless=unless, told=told)
        note_upload(record.upload_id)
        if record.owner is None:
            callers.remember(record.visitor)

    def check_filename(self, name: str) -> None:
        """Check a new upload's name against the limits."""
        settings = self.settings
        limit = min(settings.max_filename_length, 255)
        if len(name) > limit:
            raise LimitExceeded(f"File name exceeds the limit ({limit} characters)")
        allowed, denied = settings.allowed_extensions, settings.denied_extensions
        if allowed is not None and not has_extension(name, allowed):
            listed = ", ".join(allowed)
            suffix = extension(name)
            raise UnsupportedBody(f"Files of type '{suffix}' are not accepted, only: {listed}")
        found = [suffix for suffix in extensions(name) if suffix in denied]
        if found:
            raise UnsupportedBody(f"Files of type '{found[0]}' are not accepted")

    # Receive

    @property
    def needs_content_range(self) -> bool:
        """Whether every chunk needs a Content-Range."""
        if self.fail_if_no_header is None:
            return self.settings.fail_if_no_header
        return self.fail_if_no_header

    @cached_property
    def max_chunk(self) -> int | None:
        """The largest chunk in bytes."""
        return self.settings.max_chunk_bytes

    def receive(self, incoming: Incoming, chunk: Receives) -> None:
        """Write all bytes of the file part, or of the raw body, to the chunk."""
        max_chunk = self.max_chunk
        for data in incoming:
            chunk.write(data)
            if max_chunk is not None and chunk.received > max_chunk:
                raise chunk_too_large(max_chunk)
            del data  # see Body

    def commit_chunk(self, chunk: Chunk) -> Record:
        """Make the chunk part of its upload, with the hooks around it."""
        chunk.finish_whole()
        self.commit(chunk, new=chunk.first)
        return chunk.record


def chunk_too_large(limit: int) -> LimitExceeded:
    """Return the refusal of a chunk with more bytes than a chunk may have."""
    return LimitExceeded(f"Size of chunk exceeds the limit ({limit} bytes)")


def agreed_id(from_url: str | None, in_form: str) -> str | None:
    """Return the upload's id from the URL or the form; both may have it if they agree.

    :param in_form: empty for none.
    :raises BadRequest: when they differ.
    """
    if from_url and in_form and from_url != in_form:
        raise BadRequest("'upload_id' in the form is not the one in the URL")
    return from_url or in_form or None
