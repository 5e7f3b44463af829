"""An append that comes once more, since its client has not seen the answer to it."""

from __future__ import annotations

from chunked_upload.engine.errors import BeyondLength, OffsetMismatch, TotalMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records.repository import Record

from ..wire.body import Body
from .offsets import OffsetView, Verify


def compare_with_stored(
    view: OffsetView, record: Record, *, offset: int, length: int | None, verify: Verify | None
) -> None:
    """Read the request's body, which must be the last bytes of an upload that has all of them.

    :param offset: where the bytes begin, as the client sees it.
    :param length: the file's length, when this request declares it.
    :param verify: the client's checksum of the body.
    :raises TotalMismatch, OffsetMismatch, BeyondLength: when they are not the last bytes.
    :raises BytesDiffer: when the stored bytes are others.
    """
    end = record.offset
    if length not in (None, end):
        raise TotalMismatch(end)
    body = Body.of(view.request.environ)
    body.require_end(framed=True)
    stop = end if body.length is None else offset + body.length
    if offset > end or stop < end:
        raise OffsetMismatch(end)
    if stop > end:
        raise BeyondLength(end, stop)
    plan = WritePlan(start=offset, stop=stop, placement=Placement.ANYWHERE)
    duplicate = view.engine.duplicate_of(record, plan)
    if duplicate is None:
        raise OffsetMismatch(end)
    with duplicate:
        for data in body:
            duplicate.write(data)
            if verify is not None:
                verify.update(data)
        duplicate.finish()
    if verify is not None:
        verify.check()
