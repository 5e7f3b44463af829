"""The look-up of an append, which may take the append's write lease in the same statement."""

from __future__ import annotations

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.repository import Record

from ..wire.body import Body
from .offsets import OffsetView, Verify


def find_to_append(
    view: OffsetView,
    upload_id: str,
    *,
    offset: int,
    length: int | None = None,
    verify: Verify | None,
) -> Record:
    """Return the caller's upload, to which the request's body is to be appended.

    :param offset, length, verify: as for :meth:`OffsetView.append`.
    :raises UploadNotFound: as :meth:`OffsetView.find` does.
    """
    if not view.engine.leasing.finds:
        return view.find(upload_id)
    body = Body.of(view.request.environ)
    try:
        body.require_end(framed=True)
        view.check_chunk(body.length)
        plan = view.plan(body, offset, length, verify)
    except ChunkedUploadError:  # told after the look-up
        return view.find(upload_id)
    return view.find_to_write(upload_id, plan)
