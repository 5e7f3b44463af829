"""What requests send and what answers say, as marshmallow schemas.

An app extends them: it derives from one, adds fields, and passes the class with
:class:`~.set_schemas.Schemas` to its upload set. A field that is added to an answer appears there,
its value taken from the record; one that is added to a request is checked before a byte is stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_dump, pre_dump, validate

from chunked_upload.records.model import Status

from .encoder import format_time


class Timestamp(fields.Field[datetime]):
    """A time as every answer writes it."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else format_time(value)


class WholeNumber(fields.Integer):
    """A number from 0 to 2^63-1, in plain digits: offsets and lengths live in 64-bit columns."""

    default_error_messages = {  # noqa: RUF012
        "invalid": "must be a whole number from 0 to 2^63-1, not {shown!r}"
    }

    def _validated(self, value: Any) -> int:
        text = str(value).strip()
        if not re.fullmatch("[0-9]{1,19}", text) or int(text) >= 2**63:
            raise self.make_error("invalid", shown=text[:40])
        return int(text)


class Stripped(fields.String):
    """Text without the blanks around it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        return text.strip()


# Requests


class RequestSchema(Schema):
    """Base of the schemas of requests; other fields are ignored, since forms carry CSRF tokens."""

    class Meta:
        unknown = EXCLUDE


class ChunkSchema(RequestSchema):
    """The form fields before a file or chunk. The file itself streams, and is no field."""

    upload_id = Stripped(
        load_default="", metadata={"description": "Of the upload that the chunk continues."}
    )


class CompleteSchema(RequestSchema):
    """The fields of a complete request; each checksum that is known is a field, too."""

    upload_id = Stripped(load_default="")


class ListSchema(RequestSchema):
    """The query of a list: the page, its size, and optionally a status."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 10**9))
    per_page = fields.Integer(load_default=None, validate=validate.Range(1, 1000))
    #: Whether metadata is listed too; it may be many times as long as the rest.
    metadata = fields.Boolean(load_default=False)
    status = fields.Integer(
        load_default=None, validate=validate.OneOf([Status.UPLOADING, Status.COMPLETE])
    )


class ResumeSchema(RequestSchema):
    """jQuery-File-Upload's resume question: the file's name, and its length in bytes."""

    file = fields.String(required=True)
    size = WholeNumber(load_default=None)


# Answers


#: Of fields whose type no marshmallow field tells, for the description of the API.
_TIME = {"type": ["string", "null"], "format": "date-time"}


def _text(meaning: str) -> dict[str, Any]:
    return {"type": "string", "description": meaning}


class ChunkReplySchema(Schema):
    """The answer to a chunk."""

    upload_id = fields.String(required=True)
    offset = fields.Integer(required=True)
    #: A datetime, as in django-chunked-upload; the encoder writes it.
    expires = fields.Raw(required=True, attribute="expires_on", metadata=_TIME)


class UploadSchema(Schema):
    """An upload's state: the contract's fields, plus the fields its client gave it.

    :param upload_set: the upload set to which it belongs (``http/upload_set.py``).
    """

    upload_id = fields.String(required=True)
    filename = fields.String(required=True)
    offset = fields.Integer(required=True)
    length = fields.Integer(required=True, allow_none=True)
    md5 = fields.String(required=True, allow_none=True)
    status = fields.Integer(
        required=True, metadata={"enum": [1, 2], "description": "1: uploading, 2: complete"}
    )
    created_on = Timestamp(required=True)
    completed_on = Timestamp(required=True, allow_none=True)
    expires = fields.Function(
        lambda record: (
            format_time(record.expires_on) if record.status == Status.UPLOADING else None
        ),
        required=True,
        metadata=_TIME,
    )
    metadata = fields.Dict(
        attribute="extra_fields", metadata={"description": "The client's own fields."}
    )
    url = fields.Method(
        "get_url",
        required=True,
        metadata={"type": ["string", "null"], "description": "Of the completed file."},
    )

    def __init__(self, *, upload_set: Any = None, **options: Any) -> None:
        self.upload_set = upload_set
        super().__init__(**options)

    def get_url(self, record: Any) -> str | None:
        """Return where the finished file can be had; None until it is finished."""
        if record.status != Status.COMPLETE or self.upload_set is None:
            return None
        url: str = self.upload_set.url("file", upload_id=record.upload_id)
        return url

    @post_dump(pass_original=True)
    def add_checksums(self, data: dict[str, Any], record: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the checksums that the upload set keeps, and those that the record has."""
        kept = () if self.upload_set is None else self.upload_set.settings.kept_checksums
        for name in (*kept, *record.checksums):
            data.setdefault(name, record.checksums.get(name))
        return data


class RecordSchema(UploadSchema):
    """An upload as its operator sees it: also whose it is, and where its file lies."""

    class Meta:
        exclude = ("url",)

    upload_set = fields.String()
    owner = fields.String(allow_none=True)
    expired = fields.Boolean()
    path = fields.String(allow_none=True)
    checksums = fields.Dict()
    #: What of the app uses it: a request that submitted it, or the column of a row.
    claimed_by = fields.String(allow_none=True)


class UploadsSchema(Schema):
    """The answer to a form that completed several files."""

    uploads = fields.List(fields.Raw(), required=True)


class PageSchema(UploadsSchema):
    """A page of the caller's uploads, and the address of the next page."""

    page = fields.Integer(required=True)
    per_page = fields.Integer(required=True)
    total = fields.Integer(required=True)
    next = fields.String(required=True, allow_none=True)


class ResumableSchema(Schema):
    """An unfinished upload as jQuery-File-Upload asks for it; ``size`` is how much is there."""

    name = fields.String(required=True, attribute="filename")
    size = fields.Integer(required=True, attribute="offset")
    upload_id = fields.String(required=True)
    length = fields.Integer(required=True, allow_none=True)


class ResumeReplySchema(Schema):
    """The answer to the resume question: that upload, or null."""

    file = fields.Nested(ResumableSchema, required=True, allow_none=True)


class CsrfTokenSchema(Schema):
    """A CSRF token; null when none is needed."""

    csrf_token = fields.String(required=True, allow_none=True)


class AccountSchema(Schema):
    """Who the caller is, and what they may send; sizes in bytes, times in seconds."""

    name = fields.String(required=True, allow_none=True)
    limits = fields.Dict(required=True)
    quota = fields.Dict(required=True, allow_none=True)
    expires_after = fields.Integer(required=True)
    share = fields.Dict(required=True)


class DaySchema(Schema):
    """The bytes of one day, and when the next begins."""

    used = fields.Integer(required=True)
    left = fields.Integer(required=True)
    max = fields.Integer(required=True)
    resets = Timestamp(required=True)


class QuotaSchema(Schema):
    """What an owner may have, and has; sizes in bytes, null where there is no limit."""

    open_uploads = fields.Dict(required=True, allow_none=True)
    open_bytes = fields.Dict(required=True, allow_none=True)
    stored_files = fields.Dict(required=True, allow_none=True)
    stored_bytes = fields.Dict(required=True, allow_none=True)
    bytes_per_day = fields.Nested(DaySchema, required=True, allow_none=True)
    requests_per_second = fields.Dict(required=True, allow_none=True)


class ErrorSchema(Schema):
    """A refusal. ``error`` repeats ``detail``, since Dropzone shows that field.

    What a hook adds to its ChunkedUploadError is in the answer, too.
    """

    detail = fields.Raw(required=True, metadata=_text("What was refused; programs compare it."))
    error = fields.Raw(required=True, metadata=_text("The same text."))
    reason = fields.Raw(
        metadata=_text("What was wrong, and what was expected. For people; the text may change.")
    )
    offset = fields.Raw(metadata={"type": "integer", "description": "Where the stored bytes end."})
    length = fields.Raw(
        metadata={
            "type": ["integer", "null"],
            "description": "The file's length as declared by its first chunk.",
        }
    )
    upload_id = fields.Raw(metadata=_text("The upload, whose bytes stay."))
    csrf_token_url = fields.Raw(metadata=_text("Where a page gets a CSRF token."))

    @pre_dump
    def repeat_detail(self, given: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Say ``detail`` as ``error`` as well, unless the hook says something else there."""
        return {"error": given["detail"], **given} if "detail" in given else dict(given)

    @post_dump(pass_original=True)
    def add_others(
        self, data: dict[str, Any], given: Mapping[str, Any], **kwargs: Any
    ) -> dict[str, Any]:
        """Add all that a hook has added."""
        return data | dict(given)


# Refusals


def problems(error: ValidationError) -> str:
    """Return what is wrong with a request's fields, as one line."""
    said = dict(error.messages_dict)
    return "; ".join(_sentence(name, messages) for name, messages in said.items())


def _sentence(name: str, messages: Any) -> str:
    text = " ".join(messages) if isinstance(messages, list) else str(messages)
    return f"'{name}' {text}" if text[:1].islower() else f"{name}: {text}"
