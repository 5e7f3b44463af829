"""Headers of answers about an upload."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.http.views.receiving import ReceivingView
from chunked_upload.http.wire.digest_fields import write_digest_field
from chunked_upload.records.repository import Record

from .heads import declared_wanted
from .limits import LIMIT_HEADER, upload_limit
from .versions import Version


def location(upload_set: BoundUploadSet, record: Record) -> str:
    """Return an upload's URL, complete with its host."""
    return upload_set.url("upload", upload_id=record.upload_id, _external=True)


def add_limit(
    response: Response, rules: ReceivingView, record: Record | None, version: Version
) -> None:
    """Tell the limits of an upload, or of those that may be created."""
    response.headers[LIMIT_HEADER] = upload_limit(rules, rules.request, record, version)


def add_repr_digest(response: Response, record: Record, wanted: Sequence[str]) -> None:
    """Add the digests of a complete upload that its client wants, and that are kept.

    :param wanted: names; those that the creation wanted count as well.
    """
    both = dict.fromkeys([*wanted, *declared_wanted(record.declared)])
    value = write_digest_field(record.checksums or {}, list(both))
    if value is not None:
        response.headers["Repr-Digest"] = value
