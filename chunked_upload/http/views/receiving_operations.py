"""What the descriptions of all dialects that receive files share."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema

from chunked_upload.engine.errors import (
    FileTooLarge,
    LimitReached,
    SizeMismatch,
    StorageFull,
    UploadExpired,
    UploadNotFound,
)
from chunked_upload.errors import ChunkedUploadError

from ..errors import (
    BadRequest,
    BadRequestHeaders,
    LengthRequired,
    LimitExceeded,
    NoChunkSubmitted,
    UnsupportedBody,
)
from ..operation import BINARY, Described
from ..schemas import UploadsSchema

#: How a file or chunk may be refused, in this dialect and in those that share its URLs.
RECEIVING: tuple[ChunkedUploadError, ...] = (
    NoChunkSubmitted("the form has no file part named 'file'"),
    BadRequestHeaders("Content-Range is required"),
    BadRequest("The form is malformed or cut short"),
    FileTooLarge(10737418240),
    SizeMismatch("Content-Range says 8000000 bytes, the body has 7999999"),
    UploadNotFound(),
    UploadExpired(),
    LengthRequired(),
    LimitExceeded("Size of chunk exceeds the limit (1048576 bytes)"),
    LimitReached("Too many unfinished uploads (20); complete or delete some first"),
    UnsupportedBody("Files of type 'exe' are not accepted"),
    StorageFull(),
)


def file_form(
    upload_set: Any,
    *schemas: type[Schema],
    fields: Described | None = None,
    required: tuple[str, ...] = (),
) -> Described:
    """Return the schema of a form with a file.

    :param schemas: of fields before the file.
    :param fields: other fields, by name.
    """
    name = file_field(upload_set)
    return {
        "type": "object",
        "x-fields": list(schemas),
        "properties": {**(fields or {}), name: BINARY},
        "required": [*required, name],
        "additionalProperties": True,
    }


def file_field(upload_set: Any) -> str:
    """Return the name of the form field with the file."""
    names = upload_set.upload_view.field_name or upload_set.settings.field_name
    return names if isinstance(names, str) else str(names[0])


def uploads_schema(upload_set: Any) -> dict[str, Any]:
    """Return the schema of an answer with several completed uploads."""
    uploads = {"type": "array", "items": upload_set.schemas.kinds.upload}
    return {"allOf": [UploadsSchema], "type": "object", "properties": {"uploads": uploads}}
