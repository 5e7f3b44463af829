"""What operators do to one upload: commands, the admin page and Flask-Admin's view share it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import current_app

from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record


def find(upload_set: BoundUploadSet, upload_id: str) -> Record:
    """Return an upload, whoever owns it.

    :raises UploadNotFound: when the upload set has none with that id.
    """
    queries = upload_set.engine.records.queries
    return upload_set.engine.find(queries.by_id(queries.visible(upload_set.name), upload_id))


def delete(upload_set: BoundUploadSet, record: Record) -> bool:
    """Delete an upload, finished or not, with its bytes; return False when another process has.

    :raises UploadClaimed: when a row of the app uses it. That row must be deleted.
    """
    engine = upload_set.engine_for(type(record))
    try:
        engine.release([record])
        engine.abort(record)
    except UploadNotFound:
        return False
    return True


def expire(upload_set: BoundUploadSet, record: Record) -> None:
    """Have an unfinished upload expire now: its client gets 410.

    :raises AlreadyComplete, UploadNotFound:
    """
    upload_set.engine_for(type(record)).end_time(record)


def extend(upload_set: BoundUploadSet, record: Record, span: timedelta) -> datetime:
    """Have an unfinished upload expire a span of time from now, at the earliest.

    :return: when it expires.
    :raises AlreadyComplete, UploadNotFound:
    """
    return upload_set.engine_for(type(record)).extend(record, span)


def run_hook(upload_set: BoundUploadSet, record: Record) -> bool:
    """Run ``on_completion`` where it is due, and return whether it has returned by now.

    It has not if it raised an error, or while another process is running it. The hook gets a
    request that carries nothing: no user, no form.

    :raises ChunkedUploadError: when database or storage fail.
    """
    if record.status != Status.COMPLETE or record.notified_on is not None:
        return record.notified_on is not None
    with current_app.test_request_context() as context:
        upload_set.guard_connections(context.request)
        view: Any = upload_set.complete_view(upload_set)
        upload_set.engine.completion.settle(record, partial(view.notify, record))
    return record.notified_on is not None
