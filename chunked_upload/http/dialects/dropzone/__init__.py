"""Dropzone's chunks: the client names the upload, and the last chunk to arrive completes it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from flask import Response

from chunked_upload.http.dialect import Dialect, Recognition, Route, register
from chunked_upload.http.errors import BadRequest
from chunked_upload.http.views.receiving import ReceivingView
from chunked_upload.http.wire.incoming import Incoming

from . import operations
from .cancel import DropzoneCancelView
from .chunks import DropzoneRequest
from .fields import FIELDS, read_chunk, said_by


@register
class DropzoneDialect(Dialect):
    """Dropzone 5.9 and 6."""

    name = "dropzone"
    title = "Dropzone"
    recognised_by = Recognition.FIELDS
    fields = FIELDS
    request_headers = ("Cache-Control", "X-Requested-With")

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Return the route to cancel an upload by its client's name."""
        verbs = {"DELETE": DropzoneCancelView}
        return (Route("/", "uploads", verbs, operations=operations.operations),)

    def recognises_file(
        self, view: ReceivingView, incoming: Incoming, upload_id: str | None
    ) -> bool:
        """Return whether Dropzone's fields came before the file, or with a raw body."""
        return bool(FIELDS & said_by(view.request, incoming).keys())

    def declared_length(self, view: ReceivingView, incoming: Incoming) -> int | None:
        """Return ``dztotalfilesize``, where it agrees with the number of chunks."""
        with suppress(BadRequest):
            return read_chunk(said_by(view.request, incoming)).length
        return None

    def take(self, view: ReceivingView, incoming: Incoming, upload_id: str | None) -> Response:
        """Receive the chunk; complete the upload if no bytes are missing any more."""
        return DropzoneRequest(view, incoming, upload_id).answer()
