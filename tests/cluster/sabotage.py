"""Ways to break a promise on purpose, in a node, to show that the verification finds it."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chunked_upload.records.lease import CompletionLeases
from chunked_upload.storage.s3.body import Body
from chunked_upload.storage.s3.bucket import Bucket
from chunked_upload.storage.s3.objects import Objects

#: The environment variable with one of the names in :data:`WAYS`.
SABOTAGE = "CLUSTER_SABOTAGE"

#: Seconds after its acknowledgment at which a chunk is stored.
_LATE = 2.0


def _acknowledge_before_storing() -> None:
    """Store objects of unfinished uploads later than their chunks are acknowledged."""
    put = Bucket.put

    def put_late(bucket: Bucket, key: str, body: Body, **options: Any) -> str:
        if ".incoming/" not in key:
            return put(bucket, key, body, **options)
        data = _bytes(body)  # whose buffer is used again
        late = threading.Timer(_LATE, put, (bucket, key, Body.of(data)))
        late.daemon = True
        late.start()
        return f'"{hashlib.md5(data).hexdigest()}"'

    Bucket.put = put_late  # type: ignore[method-assign,assignment]


def _store_other_bytes() -> None:
    """Store finished files with one other byte."""
    put = Bucket.put

    def put_other(bucket: Bucket, key: str, body: Body, **options: Any) -> str:
        if ".incoming/" not in key:
            data = _bytes(body)
            body = Body.of(bytes([data[0] ^ 1]) + data[1:])
        return put(bucket, key, body, **options)

    Bucket.put = put_other  # type: ignore[method-assign,assignment]


def _run_every_hook() -> None:
    """Ignore who holds the completion lease, and whether the hook has run."""

    @contextmanager
    def hold(_leases: CompletionLeases, _upload_id: str) -> Iterator[bool]:
        yield True

    CompletionLeases.hold = hold  # type: ignore[method-assign,assignment]


def _leave_objects() -> None:
    """Leave the objects of an upload that is complete, or removed."""
    Objects.forget = lambda _objects, _upload_id: None  # type: ignore[method-assign,assignment]


def _bytes(body: Body) -> bytes:
    if isinstance(body.data, bytes):
        return body.data
    body.data.seek(0)
    return body.data.read() or b""


#: What can be broken, by the words in which the verification complains.
WAYS: dict[str, Callable[[], None]] = {
    "is not complete at the end": _acknowledge_before_storing,
    "the store has other bytes": _store_other_bytes,
    "the hook ran again": _run_every_hook,
    "objects without a record": _leave_objects,
}


def install() -> None:
    """Break what the environment names, if anything."""
    if SABOTAGE in os.environ:
        WAYS[os.environ[SABOTAGE]]()
