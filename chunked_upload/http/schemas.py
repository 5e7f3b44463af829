"""Schemas of an upload's state in JSON, and of the requests that complete or list uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from chunked_upload.checksum.registry import names
from chunked_upload.records.model import Status

from .wire.replies import format_time


class Timestamp(fields.Field[datetime]):
    """A time as every answer writes it."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else format_time(value)


class UploadSchema(Schema):
    """An upload's state: the contract's fields, plus the fields its client gave it."""

    upload_id = fields.String()
    filename = fields.String()
    offset = fields.Integer()
    length = fields.Integer(allow_none=True)
    md5 = fields.String(allow_none=True)
    status = fields.Integer()
    created_on = Timestamp()
    completed_on = Timestamp()
    expires = fields.Function(
        lambda record: format_time(record.expires_on) if record.status == Status.UPLOADING else None
    )
    metadata = fields.Dict(attribute="extra_fields")


class RecordSchema(UploadSchema):
    """An upload as its operator sees it: also whose it is, and where its file lies."""

    upload_set = fields.String()
    owner = fields.String(allow_none=True)
    expired = fields.Boolean()
    path = fields.String(allow_none=True)
    checksums = fields.Dict()


class CompleteSchema(Schema):
    """The fields of a complete request; others are ignored, since forms carry CSRF tokens."""

    class Meta:
        unknown = EXCLUDE

    upload_id = fields.String(load_default="")


def complete_schema() -> Schema:
    """Return the schema of a complete request, with a field for every checksum that is known."""
    checksums: dict[str, fields.Field[Any]] = {
        name: fields.String(load_default="") for name in names()
    }
    return CompleteSchema.from_dict(checksums)()


class ListSchema(Schema):
    """The query of a list: the page, its size, and optionally a status."""

    class Meta:
        unknown = EXCLUDE

    page = fields.Integer(load_default=1, validate=validate.Range(1, 10**9))
    per_page = fields.Integer(load_default=None, validate=validate.Range(1, 1000))
    #: Whether metadata is listed too; it may be many times as long as the rest.
    metadata = fields.Boolean(load_default=False)
    status = fields.Integer(
        load_default=None, validate=validate.OneOf([Status.UPLOADING, Status.COMPLETE])
    )
