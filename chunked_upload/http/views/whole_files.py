"""Receives whole files, and completes uploads on their last byte.

No separate request completes them: the request that brings the last byte does. Several files of one
form are taken all or none. They are completed once all have arrived, and their hooks run once all
are in their final places. A refusal before that removes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from flask import request

from chunked_upload.engine.errors import FileTooLarge, UploadNotFound
from chunked_upload.engine.plan import WritePlan
from chunked_upload.http.errors import BadRequest
from chunked_upload.records.repository import Record

from ..late_context import enter_context
from ..wire.incoming import Incoming
from .base import ChunkedUploadBaseView
from .receiving import ReceivingView, chunk_too_large


@contextmanager
def all_or_none(view: ChunkedUploadBaseView) -> Iterator[list[Record]]:
    """Yield a list for uploads; if the block fails, remove the uploads in it."""
    records: list[Record] = []
    try:
        yield records
    except BaseException:
        for record in records:
            with suppress(UploadNotFound):
                view.engine.abort(record)
        raise


def take_files(
    view: ReceivingView, incoming: Incoming, records: list[Record], *, target: str | None = None
) -> None:
    """Store all files of a request, each as an upload; do not complete them yet.

    :param records: the list to append the uploads to.
    :param target: where they go; None for where the settings say.
    """
    records.append(_take_file(view, incoming, target))
    while incoming.next_file():
        records.append(_take_file(view, incoming, target))


def complete(
    view: ReceivingView, records: list[Record], digests: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Complete uploads within the request that brought their last bytes.

    :param view: the view that took them.
    :param digests: the client's checksums by name, if there is only one upload.
    :return: the answer to each upload's last chunk: the chunk's and the completion's fields.
    """
    enter_context()
    if digests and len(records) > 1:
        [name, *_] = digests
        raise BadRequest(f"'{name}' can be checked for one file only; the form has several")
    completing = view.upload_set.complete_view(view.upload_set)
    # What both views have in common has been asked for this request.
    if type(completing).check_permissions is not ChunkedUploadBaseView.check_permissions:
        completing.check_permissions(request)
    if type(completing).validate is not ChunkedUploadBaseView.validate:
        completing.validate(request)
    for record in records:
        completing.finish(record, digests)
    for record in records:
        completing.settle(record)
    return [
        view.get_response_data(record, request) | completing.get_response_data(record, request)
        for record in records
    ]


def _take_file(view: ReceivingView, incoming: Incoming, target: str | None) -> Record:
    """Store the file that is arriving.

    A refusal leaves nothing behind, even one by ``post_save``, since the client could not continue
    the upload.
    """
    record = view.new_record(incoming)
    record.target = target
    max_bytes = view.most_bytes(view.request)
    length = incoming.declared if incoming.raw else None
    _check_length(view, length, max_bytes)
    view.create(record, length=length, reserved=incoming.declared)
    plan = WritePlan(start=0, stop=length, total=length, max_bytes=max_bytes, creates=True)
    with view.engine.begin(record, plan) as chunk:
        view.receive(incoming, chunk)
        fields = view.metadata(incoming.fields)
        if fields != record.extra_fields:  # some came after the file
            record.extra_fields = fields
        try:
            return view.commit_chunk(chunk)
        except BaseException:
            if chunk.committed:
                view.engine.abort(record)
            raise


def _check_length(view: ReceivingView, length: int | None, max_bytes: int | None) -> None:
    """Refuse wrong declared sizes before a byte is stored."""
    if length is None:
        return
    if max_bytes is not None and length > max_bytes:
        raise FileTooLarge(max_bytes)
    if view.max_chunk is not None and length > view.max_chunk:
        raise chunk_too_large(view.max_chunk)
