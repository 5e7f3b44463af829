"""Complete on last byte: whole files from clients that send no complete request.

Two signs identify these clients: the field name ``file[0]``, which Dropzone's ``uploadMultiple``
uses, and the headers that Dropzone sends with every request. If another client sends these headers,
no harm is done, since completing an upload again gives the same answer. Only these clients may send
several files in one form.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Response

from chunked_upload.http.errors import BadRequest

from ..dialect import Dialect, Recognition, Route, register
from ..operation import JSON, PROGRESS, Answer, Body, Operation, example_upload
from ..schemas import UploadsSchema
from ..views import whole_files
from ..views.receiving import ReceivingView
from ..views.receiving_operations import uploads_schema
from ..wire.digests import read_file_digests
from ..wire.fields import is_numbered
from ..wire.incoming import Incoming
from ..wire.replies import add_progress

#: What Dropzone sends with every request, unless told otherwise; together no other client's. In
#: lower case: media types and cache directives have no case.
_DROPZONE_HEADERS = {
    "Accept": "application/json",
    "Cache-Control": "no-cache",
    "X-Requested-With": "xmlhttprequest",
}


@register
class CompleteOnLastByte(Dialect):
    """Whole files, completed by the request that brings them."""

    name = "complete_on_last_byte"
    title = "Whole files"
    recognised_by = Recognition.HABITS

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Describe the files that it takes at the default dialect's URL."""
        return (Route("/", "uploads", {}, operations=_operations),)

    def recognises_file(
        self, view: ReceivingView, incoming: Incoming, upload_id: str | None
    ) -> bool:
        """Return whether a whole file's client will send no complete request."""
        headers = view.request.headers
        if upload_id or view.needs_content_range or view.content_range_header in headers:
            return False
        return is_numbered(incoming.field_name) or all(
            headers.get(name, "").lower() == value for name, value in _DROPZONE_HEADERS.items()
        )

    def declared_length(self, view: ReceivingView, incoming: Incoming) -> int | None:
        """Return the length of a raw body; a form's is not known before its end."""
        return incoming.declared if incoming.raw else None

    def take(self, view: ReceivingView, incoming: Incoming, upload_id: str | None) -> Response:
        """Store and complete the file that is arriving, and those that follow it.

        :return: the completed upload; for several (also when only one is numbered) ``uploads``, in
            the order in which they were sent.
        """
        several = is_numbered(incoming.field_name)
        with whole_files.all_or_none(view) as records:
            whole_files.take_files(view, incoming, records)
            if "upload_id" in incoming.fields:
                raise BadRequest("'upload_id' must come before the file")
            digests = read_file_digests(view.request, incoming)
            completed = whole_files.complete(view, records, digests)
        if several or len(completed) > 1:
            return view.reply(UploadsSchema().dump({"uploads": completed}))
        return add_progress(view.reply(completed[0]), records[0])


def _operations(upload_set: Any) -> Iterable[Operation]:
    one = upload_set.schemas.kinds.upload
    yield Operation(
        verb="POST",
        name="send_whole_files",
        title="Send whole files that complete on their last byte",
        topic="Dropzone",
        text="For clients that send no complete request: forms whose file fields are called"
        " `file[0]`, `file[1]`, …, and requests with the headers that Dropzone always sends.",
        answers={
            200: Answer(
                meaning="The files are complete.",
                bodies={
                    JSON: Body(
                        schema={"anyOf": [one, uploads_schema(upload_set)]},
                        examples={"several files": {"uploads": [example_upload(complete=True)]}},
                    )
                },
                headers=PROGRESS,
            )
        },
    )
