"""The django-chunked-upload protocol, first half: chunks posted with Content-Range.

The view is meant to be subclassed; each hook has the name, the arguments and the moment that it has
in django-chunked-upload, with ``request`` being Flask's. The order is: permissions, file present,
validate, look-up and validity (or creation), header, size limit, offset, bytes, pre_save, save,
post_save, answer. The other half, completing, is in complete.py.
"""

from __future__ import annotations

from typing import Any

from flask import Request, Response, request

from .. import callers
from ..callers import Caller
from ..chunk import Chunk
from ..errors import (
    BadRequest,
    BadRequestHeaders,
    FileTooLarge,
    LimitExceeded,
    OffsetMismatch,
    SizeMismatch,
    UnsupportedBody,
)
from ..filenames import clean_filename, extension
from ..records import Record
from ..wire.content_range import ContentRange, parse_content_range
from ..wire.incoming import (
    OWN_FIELDS,
    UNNAMED,
    FormLimits,
    Incoming,
    header_filename,
    open_incoming,
)
from ..wire.replies import add_progress
from .base import ChunkedUploadBaseView


class ChunkedUploadView(ChunkedUploadBaseView):
    """Takes chunks: a form with a file part, or raw bytes; the first creates the upload."""

    takes_fields = True
    #: Form field of the file; None for the setting's.
    field_name: str | tuple[str, ...] | None = None
    #: Header with the position of the chunk.
    content_range_header: str = "Content-Range"
    #: Largest file in bytes; None for the setting's.
    max_bytes: int | None = None
    #: Refuse forms without Content-Range (otherwise their part is the whole file).
    fail_if_no_header: bool = False

    def get_extra_attrs(self, request: Request) -> dict[str, Any]:
        """Return more attributes for a new record (hook)."""
        return {}

    def get_max_bytes(self, request: Request) -> int | None:
        """Return the largest file that this request may upload, in bytes (hook)."""
        limit = self.settings.max_bytes if self.max_bytes is None else self.max_bytes
        return limit(request) if callable(limit) else limit

    def create_chunked_upload(self, save: bool = False, **attrs: Any) -> Any:
        """Make the record of a new upload (hook)."""
        record = self.model(**attrs)
        if save:
            self.engine.create(record)
        return record

    def is_valid_chunked_upload(self, chunked_upload: Any) -> None:
        """Check that an existing upload takes chunks (hook): not expired, not complete."""
        self.engine.check_open(chunked_upload)

    def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
        """Return the answer to a chunk (hook)."""
        return {
            "upload_id": chunked_upload.upload_id,
            "offset": chunked_upload.offset,
            "expires": chunked_upload.expires_on,
        }

    def post(self, upload_id: str | None = None) -> Response:
        """Take one chunk."""
        with self.mount.letting_go():
            self.check_permissions(request)
        incoming = open_incoming(request, self.form_limits())
        self.take_fields(incoming.fields)
        self.validate(request)
        given = _agreed_id(upload_id, incoming.fields)
        record = self._open_upload(given) if given else self._new_record(incoming)
        span = self._span(incoming)
        max_bytes = self.get_max_bytes(request)
        self._check_sizes(incoming, span, max_bytes)
        with self._begin(record, incoming, span, max_bytes, new=not given) as chunk:
            self._receive(incoming, chunk)
            late_id = _agreed_id(upload_id, incoming.fields)
            if late_id and not given:
                stored = self._move(chunk, late_id, span, max_bytes)
            else:
                stored = self._store(chunk, incoming)
        response = self.reply(self.get_response_data(stored, request))
        return add_progress(response, stored)

    put = post

    def form_limits(self, *, max_files: int = 1) -> FormLimits:
        """Return what a form may hold, for :func:`~chunked_upload.wire.incoming.open_incoming`."""
        settings = self.settings
        names = settings.field_name if self.field_name is None else self.field_name
        names = (names,) if isinstance(names, str) else tuple(names)
        return FormLimits(
            names, settings.max_metadata_fields, settings.max_metadata_bytes, max_files
        )

    def take_whole(self, incoming: Incoming) -> Record:
        """Store the file that has begun to come as a new upload, whole; not completed yet.

        For dialects that post files without Content-Range.
        """
        record = self._new_record(incoming)
        with self._begin(record, incoming, None, self.get_max_bytes(request), new=True) as chunk:
            self._receive(incoming, chunk)
            return self._store(chunk, incoming)

    def _open_upload(self, upload_id: str) -> Record:
        record = self.find(upload_id)
        with self.mount.letting_go():
            self.is_valid_chunked_upload(record)
        return record

    # What the request declares

    def _span(self, incoming: Incoming) -> ContentRange | None:
        """Return where the chunk goes; None for a whole file whose size its end will tell."""
        header = request.headers.get(self.content_range_header)
        if header is not None:
            return parse_content_range(header)
        known_by_url = (request.view_args or {}).get("upload_id") is not None
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
        if self._max_chunk is not None and span.size > self._max_chunk:
            raise _chunk_too_large(self._max_chunk)
        declared = incoming.declared
        if declared is None:
            return
        if declared < span.size or (incoming.raw and declared != span.size):
            raise SizeMismatch(f"Content-Range says {span.size} bytes, the body has {declared}")

    @property
    def _max_chunk(self) -> int | None:
        return self.settings.max_chunk_bytes

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
        if new:
            self._create(record, incoming, start, total)
        elif span is None:
            stop = record.length  # the part must be the whole file, as declared before
        self.mount.let_go()
        return self.engine.begin(
            record, start=start, stop=stop, total=total, new=new, max_bytes=max_bytes
        )

    def _receive(self, incoming: Incoming, chunk: Chunk) -> None:
        max_chunk = self._max_chunk
        for data in incoming:
            chunk.write(data)
            if max_chunk is not None and chunk.received > max_chunk:
                raise _chunk_too_large(max_chunk)

    def _store(self, chunk: Chunk, incoming: Incoming) -> Record:
        """Make the chunk part of its upload."""
        if chunk.new:
            if chunk.start:
                raise OffsetMismatch(0)
            fields = _metadata(incoming.fields)
            if fields != chunk.record.extra_fields:  # some came after the file
                chunk.record.extra_fields = fields
        return self._commit_chunk(chunk)

    def _commit_chunk(self, chunk: Chunk) -> Record:
        chunk.finish()
        self._save(chunk.record, chunk.commit, new=chunk.new)
        if not chunk.committed:
            raise RuntimeError(f"{type(self).__name__}.save() must call super().save()")
        return chunk.record

    def _move(
        self, staged: Chunk, upload_id: str, span: ContentRange | None, max_bytes: int | None
    ) -> Record:
        """Store a chunk whose ``upload_id`` came after its file: the one case that costs a copy."""
        record = self._open_upload(upload_id)
        total = None if span is None else span.total
        target = self.engine.begin(
            record,
            start=staged.start,
            stop=record.length if span is None else span.stop,
            total=total,
            max_bytes=max_bytes,
        )
        with target:
            for data in staged.bytes():
                target.write(data)
            return self._commit_chunk(target)

    # Create

    def _new_record(self, incoming: Incoming) -> Record:
        """Make the record of a new upload; nothing is stored yet."""
        caller = self.mount.caller(request)
        attrs = {
            "upload_set": self.mount.name,
            "filename": self._filename(incoming),
            "owner": caller.owner,
            "visitor": None if caller.owner else callers.ensure_visitor(),
            "quota_key": callers.quota_key(request, caller),
            "extra_fields": _metadata(incoming.fields),
            **self._user_attrs(caller),
            **self.get_extra_attrs(request),
        }
        record: Record = self.create_chunked_upload(save=False, **attrs)
        return record

    def _create(self, record: Record, incoming: Incoming, start: int, total: int | None) -> None:
        """Store the record of a new upload, before its first byte arrives."""
        staging = start > 0 and not incoming.raw and "upload_id" not in incoming.fields
        if start > 0 and not staging:
            raise OffsetMismatch(0)
        if staging:  # its own name does not matter, and the whole file's size is counted already
            record.filename, record.length, record.reserved = UNNAMED, None, 0
        else:
            self._check_filename(record.filename)
            record.length, record.reserved = total, self._reserved(incoming, total)
        self.mount.let_go()
        self.engine.create(record, counts=not staging)

    def _filename(self, incoming: Incoming) -> str:
        """Return the client's name for the file, fit to be kept."""
        given = incoming.filename
        if given == "blob":  # a Blob without a name; jQuery-File-Upload puts it in the header
            given = header_filename(request) or given
        return clean_filename(given) or UNNAMED

    def _check_filename(self, name: str) -> None:
        """Check a new upload's name against the limits."""
        settings = self.settings
        limit = min(settings.max_filename_length, 255)
        if len(name) > limit:
            raise LimitExceeded(f"File name exceeds the limit ({limit} characters)")
        suffix = extension(name)
        allowed, denied = settings.allowed_extensions, settings.denied_extensions
        if allowed is not None and suffix not in map(_plain, allowed):
            listed = ", ".join(map(_plain, allowed))
            raise UnsupportedBody(f"Files of type '{suffix}' are not accepted, only: {listed}")
        if suffix in map(_plain, denied):
            raise UnsupportedBody(f"Files of type '{suffix}' are not accepted")

    def _reserved(self, incoming: Incoming, total: int | None) -> int:
        """Return the bytes to hold against the owner's quota."""
        size = total if total is not None else incoming.declared
        if size is None and self.settings.max_open_bytes is not None:
            raise LimitExceeded("A limit on unfinished bytes needs Content-Length or Content-Range")
        return size or 0

    def _user_attrs(self, caller: Caller) -> dict[str, Any]:
        """Return the model's own user column, as django-chunked-upload fills its ``user``."""
        if caller.user is None or not hasattr(self.model, self.user_field_name):
            return {}
        mapper = self.model.__mapper__
        relationship = mapper.relationships.get(self.user_field_name)
        if relationship is None:
            column = mapper.columns[self.user_field_name]
            return {self.user_field_name: _user_key(caller.user, column, "id")}
        # The user object belongs to the app's session, so its key is copied, not the object.
        return {
            mapper.get_property_by_column(local).key: _user_key(
                caller.user, remote, relationship.mapper.get_property_by_column(remote).key
            )
            for local, remote in relationship.local_remote_pairs
        }


def _agreed_id(from_url: str | None, fields: dict[str, str]) -> str | None:
    """Return the upload's id, which URL and form may both carry but not differ in."""
    in_form = fields.get("upload_id", "").strip() or None
    if from_url and in_form and from_url != in_form:
        raise BadRequest("'upload_id' in the form is not the one in the URL")
    return from_url or in_form


def _metadata(fields: dict[str, str]) -> dict[str, str]:
    # PostgreSQL cannot store NUL in text.
    kept = {k: v for k, v in fields.items() if k not in OWN_FIELDS}
    return {k.replace("\0", ""): v.replace("\0", "") for k, v in kept.items()}


def _user_key(user: Any, column: Any, attribute: str) -> Any:
    """Return what refers to a user: its attribute, or its id in the column's type."""
    if hasattr(user, attribute):
        return getattr(user, attribute)
    return column.type.python_type(callers.owner_key(user))


def _plain(suffix: str) -> str:
    return suffix.lower().lstrip(".")


def _chunk_too_large(limit: int) -> LimitExceeded:
    return LimitExceeded(f"Size of chunk exceeds the limit ({limit} bytes)")
