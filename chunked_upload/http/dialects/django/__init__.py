"""django-chunked-upload's protocol: chunks with Content-Range, and a request to complete.

It is the default dialect: what no other dialect recognises is one of its chunks.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from flask import Response

from chunked_upload.http.dialect import Dialect, Recognition, Route, register
from chunked_upload.http.errors import BadRequestHeaders
from chunked_upload.http.wire.incoming import Incoming

from . import operations
from .chunks import ChunkedUploadView


@register
class DjangoDialect(Dialect):
    """django-chunked-upload's protocol."""

    name = "django"
    title = "django-chunked-upload"
    recognised_by = Recognition.DEFAULT
    request_headers = ("Content-Disposition", "Content-Range", "X-Requested-With")
    response_headers = ("Range", "Upload-Length", "Upload-Offset")

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Return the routes for chunks and for completion, with the upload set's own views."""
        chunk = upload_set.upload_view
        return (
            Route("/", "uploads", {"POST": chunk}, operations=operations.create_operations),
            Route(
                "/<upload_id>",
                "upload",
                {"POST": chunk, "PUT": chunk},
                operations=operations.continue_operations,
            ),
            Route(
                "/complete",
                "complete",
                {"POST": upload_set.complete_view},
                operations=operations.complete_operations,
            ),
        )

    def declared_length(self, view: ChunkedUploadView, incoming: Incoming) -> int | None:
        """Return the total of Content-Range, or the length of a raw body without one."""
        with suppress(BadRequestHeaders):
            span = view.span(incoming)
            return None if span is None else span.total
        return None

    def take(self, view: ChunkedUploadView, incoming: Incoming, upload_id: str | None) -> Response:
        """Store the chunk."""
        return view.take_chunk(incoming, upload_id)
