"""The schemas of requests and answers, which an app may extend; see :class:`Schemas`."""

from .http.schemas import (
    ChunkReplySchema,
    ChunkSchema,
    CompleteSchema,
    CsrfTokenSchema,
    ErrorSchema,
    ListSchema,
    PageSchema,
    RecordSchema,
    RequestSchema,
    ResumableSchema,
    ResumeReplySchema,
    ResumeSchema,
    Timestamp,
    UploadSchema,
    UploadsSchema,
    WholeNumber,
)
from .http.set_schemas import Schemas

__all__ = [
    "ChunkReplySchema",
    "ChunkSchema",
    "CompleteSchema",
    "CsrfTokenSchema",
    "ErrorSchema",
    "ListSchema",
    "PageSchema",
    "RecordSchema",
    "RequestSchema",
    "ResumableSchema",
    "ResumeReplySchema",
    "ResumeSchema",
    "Schemas",
    "Timestamp",
    "UploadSchema",
    "UploadsSchema",
    "WholeNumber",
]
