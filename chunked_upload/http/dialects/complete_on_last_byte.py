"""Uploads that are complete with their last byte: no request of their own says that they are.

So it is with clients that know no such request. With files sent whole they are known by the field's
name, ``file[0]``, which Dropzone's ``uploadMultiple`` gives, and by the headers that Dropzone sends
with every request. Being wrong about the headers does no harm: to complete an upload again gives
the same answer. Only these clients may send several files in one form.

Several files are taken all or none: completed once all have arrived, their hooks told once all are
in their places; until then a refusal removes them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from flask import Request, Response, request

from chunked_upload.errors import BadRequest, UploadNotFound
from chunked_upload.records.repository import Record

from ..views.base import ChunkedUploadBaseView
from ..wire.fields import is_numbered
from ..wire.incoming import Incoming
from ..wire.replies import add_progress

if TYPE_CHECKING:
    from ..views.receiving import ReceivingView
    from .django.chunks import ChunkedUploadView

#: What Dropzone sends with every request, unless told otherwise; together no other client's.
_DROPZONE_HEADERS = {
    "Accept": "application/json",
    "Cache-Control": "no-cache",
    "X-Requested-With": "XMLHttpRequest",
}


def asked_for(request: Request, incoming: Incoming) -> bool:
    """Whether the client of a whole file will not send a request to complete it."""
    return is_numbered(incoming.field_name) or all(
        request.headers.get(name) == value for name, value in _DROPZONE_HEADERS.items()
    )


def answer(view: ChunkedUploadView, incoming: Incoming) -> Response:
    """Store and complete the file that has begun to come, and those that follow it.

    :return: the completed upload; for several (also when only one is numbered) ``uploads``, in the
        order in which they were sent.
    """
    several = is_numbered(incoming.field_name)
    with all_or_none(view) as records:
        take_files(view, incoming, records)
        if "upload_id" in incoming.fields:
            raise BadRequest("'upload_id' must come before the file")
        md5 = incoming.fields.get("md5", request.args.get("md5", "") if incoming.raw else "")
        completed = complete(view, records, md5.strip() or None)
    if several or len(completed) > 1:
        return view.reply({"uploads": completed})
    return add_progress(view.reply(completed[0]), records[0])


@contextmanager
def all_or_none(view: ChunkedUploadBaseView) -> Iterator[list[Record]]:
    """Yield a list to put uploads in that are removed again if the block fails."""
    records: list[Record] = []
    try:
        yield records
    except BaseException:
        for record in records:
            with suppress(UploadNotFound):
                view.engine.abort(record)
        raise


def take_files(view: ChunkedUploadView, incoming: Incoming, records: list[Record]) -> None:
    """Store all files of a form, each as an upload."""
    records.append(view.take_whole(incoming))
    while incoming.next_file():
        records.append(view.take_whole(incoming))


def complete(view: ReceivingView, records: list[Record], md5: str | None) -> list[dict[str, Any]]:
    """Complete uploads within the request that brought their last bytes.

    :param view: the view that took them.
    :param md5: the MD5 of the only one, if its client sent it.
    :return: the answer to the last chunk of each: its own and the completion's fields.
    """
    if md5 and len(records) > 1:
        raise BadRequest("'md5' can be checked for one file only; the form has several")
    completing = view.upload_set.complete_view(view.upload_set)
    # What both views have in common has been asked for this request.
    if type(completing).check_permissions is not ChunkedUploadBaseView.check_permissions:
        completing.check_permissions(request)
    if type(completing).validate is not ChunkedUploadBaseView.validate:
        completing.validate(request)
    for record in records:
        completing.finish(record, md5)
    for record in records:
        completing.settle(record)
    return [
        view.get_response_data(record, request) | completing.get_response_data(record, request)
        for record in records
    ]
