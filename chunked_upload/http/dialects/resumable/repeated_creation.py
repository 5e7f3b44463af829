"""Creations that come twice: browsers repeat a POST by themselves when a kept connection breaks.

The draft cannot tell the second from another upload. A client that sends ``Idempotency-Key``
(draft-ietf-httpapi-idempotency-key-header) with a creation gets the upload that it created before
with the same key. The key must be random: it is all that leads to an upload whose creator had no
cookie yet.
"""

from __future__ import annotations

import hashlib

from chunked_upload.engine.failures import translate_failures
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.access import callers
from chunked_upload.http.errors import BadRequestHeaders
from chunked_upload.http.views.offsets import OffsetView
from chunked_upload.records.repository import Record

KEY_HEADER = "Idempotency-Key"

#: Characters of a key: as many as 128 random bits need in base64, and a limit.
_SHORTEST, _LONGEST = 22, 255


class KeyReused(ChunkedUploadError):
    """422: a key came with another file than before."""

    def __init__(self) -> None:
        super().__init__(
            422,
            detail=f"{KEY_HEADER} was sent with a file of another length before; use a new key",
        )


def client_key(view: OffsetView) -> str | None:
    """Return the hash of the request's key; None when it has none.

    :raises BadRequestHeaders: when it can be guessed, or is too long.
    """
    given = view.request.headers.get(KEY_HEADER)
    if given is None:
        return None
    if not _SHORTEST <= len(given) <= _LONGEST:
        raise BadRequestHeaders(
            f"{KEY_HEADER} must be random, and have {_SHORTEST} to {_LONGEST} characters"
        )
    return hashlib.sha256(f"creation:{given}".encode(errors="replace")).hexdigest()


def created_before(view: OffsetView, key: str | None, *, length: int | None) -> Record | None:
    """Return the caller's upload that was created with this key, if there is one.

    A request that still sends to it ends; what has arrived of it counts.

    :param length: of the file that the request creates.
    :raises UploadNotFound, UploadExpired: when it is gone; no other is created.
    :raises KeyReused:
    """
    if key is None:
        return None
    records, caller = view.engine.records, view.upload_set.caller(view.request)
    named: Record = view.model(
        upload_set=view.upload_set.name,
        quota_key=callers.quota_key(view.upload_set.app, view.request, caller),
        client_key=key,
    )
    with translate_failures():
        found = records.first(records.queries.named_as(named))
    if found is None:
        return None
    record = view.find(found.upload_id)
    view.engine.check_unexpired(record)
    if None not in (length, record.length) and length != record.length:
        raise KeyReused
    if record.owner is None:
        callers.remember(record.visitor)
    return record
