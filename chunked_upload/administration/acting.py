"""What administrators do to uploads. Each thing is logged, and noted in the upload's journal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer

from chunked_upload.engine.errors import (
    AlreadyComplete,
    UploadClaimed,
    UploadError,
    UploadNotFound,
)
from chunked_upload.engine.failures import translate_failures
from chunked_upload.engine.file_check import Reading
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequest
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.maintenance import actions
from chunked_upload.records.journal import Entry, Journal, Kind
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from chunked_upload.settings.text import parse_duration
from chunked_upload.support.clock import utcnow

from .uploads import Uploads

logger = logging.getLogger("chunked_upload.security")

#: Uploads that one request may name.
_MOST = 100

#: The longest time by which an upload can be extended.
_LONGEST = timedelta(days=365)

#: Seconds for which one request reads a file.
_READ_SECONDS = 2.0

_SALT = "chunked-upload.admin-verify"


class Acting:
    """Carries out what administrators ask for."""

    def __init__(self, uploads: Uploads, journal: Journal) -> None:
        self._uploads = uploads
        self._journal = journal

    def act(self, who: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Do one thing to some uploads, and return for each what became of it.

        :param asked: ``action``, ``upload_ids``, and ``for`` (a span of time) to extend.
        :raises BadRequest:
        """
        action, ids = asked.get("action"), asked.get("upload_ids")
        if not isinstance(action, str) or action not in _ACTIONS:
            raise BadRequest(f"'action' must be one of: {', '.join(_ACTIONS)}")
        if not isinstance(ids, list) or not _are_ids(ids):
            raise BadRequest(f"'upload_ids' must be a list of 1 to {_MOST} ids of uploads")
        options = {"span": _span(asked.get("for"))} if action == "extend" else {}
        results = [self._one(who, action, upload_id, options) for upload_id in dict.fromkeys(ids)]
        return {"action": action, "results": results}

    def verify(self, who: str, upload_id: str, state: Any) -> dict[str, Any]:
        """Read an upload's file on for some seconds, to compare its checksums.

        The page asks again with the returned ``state`` until it is done. So no request is long, any
        process can answer the next one, and nothing is left of a process that dies.

        :param state: the one of the answer before; None to begin.
        :raises BadRequest: for a state that this service has not made.
        """
        upload_set, record = self._uploads.find(upload_id)
        if record.status != Status.COMPLETE:
            raise BadRequest("The upload is not complete, it has no file yet")
        reading = _reading(state, record)
        try:
            reading = upload_set.engine.file_check.read_on(record, reading, seconds=_READ_SECONDS)
        except ValueError as error:
            raise BadRequest(
                f"{error}; use the command: chunked-upload verify --checksums {upload_id}"
            ) from error
        if reading.done:
            said = reading.problem or (
                "its checksums are those of the record"
                if record.checksums
                else "its size is that of the record, which has no checksum"
            )
            self._note(who, "verify", upload_set, record, said)
        return {
            "upload_id": upload_id,
            "read": reading.position,
            "length": record.offset,
            "done": reading.done,
            "problem": reading.problem,
            "checksums": sorted(record.checksums),
            "state": None if reading.done else _signed(reading, record),
        }

    def _one(
        self, who: str, action: str, upload_id: str, options: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            upload_set, record = self._uploads.find(upload_id)
            done, said = _ACTIONS[action](upload_set, record, **options)
        except ChunkedUploadError as error:
            return {"upload_id": upload_id, "done": False, "said": _words(error, upload_id)}
        if done:
            self._note(who, action, upload_set, record, said)
        return {"upload_id": upload_id, "done": done, "said": said}

    def _note(
        self, who: str, action: str, upload_set: BoundUploadSet, record: Record, said: str
    ) -> None:
        logger.info(
            "admin %s from %s: %s of upload %s (%r of %s): %s",
            who,
            request.remote_addr,
            action,
            record.upload_id,
            record.filename,
            record.owner or "no owner",
            said,
        )
        with translate_failures():
            self._journal.add(
                [
                    Entry(
                        kind=Kind.ACTION,
                        what=action,
                        at=utcnow(),
                        upload_set=upload_set.name,
                        upload_id=record.upload_id,
                        who=who,
                        detail=said,
                    )
                ]
            )


def _delete(upload_set: BoundUploadSet, record: Record) -> tuple[bool, str]:
    if not actions.delete(upload_set, record):
        raise UploadNotFound
    return True, f"deleted {record.filename!r}, {record.offset} bytes"


def _expire(upload_set: BoundUploadSet, record: Record) -> tuple[bool, str]:
    actions.expire(upload_set, record)
    return True, "expired"


def _extend(upload_set: BoundUploadSet, record: Record, *, span: timedelta) -> tuple[bool, str]:
    until = actions.extend(upload_set, record, span)
    return True, f"expires {until:%Y-%m-%d %H:%M} UTC"


def _run_hook(upload_set: BoundUploadSet, record: Record) -> tuple[bool, str]:
    if record.status != Status.COMPLETE:
        return False, "it is not complete; the hook runs when it is"
    if record.notified_on is not None:
        return False, "on_completion has returned already, and runs once"
    if actions.run_hook(upload_set, record):
        return True, "on_completion has returned"
    return False, "on_completion raised an error again, or another process runs it; see the log"


_ACTIONS: dict[str, Callable[..., tuple[bool, str]]] = {
    "delete": _delete,
    "expire": _expire,
    "extend": _extend,
    "run-hook": _run_hook,
}


def _words(error: ChunkedUploadError, upload_id: str) -> str:
    """Return why something was not done to an upload."""
    match error:
        case UploadNotFound():
            return "there is no such upload any more"
        case AlreadyComplete():
            return "it is complete, and complete uploads do not expire"
        case UploadClaimed():
            return "a row of the app uses it; delete that row"
    if isinstance(error, UploadError):
        return str(getattr(error, "problem", None) or error)
    return str(error.data.get("detail", error))


def _are_ids(ids: list[Any]) -> bool:
    return 1 <= len(ids) <= _MOST and all(isinstance(one, str) and len(one) <= 64 for one in ids)


def _span(text: Any) -> timedelta:
    try:
        span = parse_duration(text if isinstance(text, str) else "")
    except ValueError as error:
        raise BadRequest("'for' must be a span of time, as 12h or 7d") from error
    if not timedelta(0) < span <= _LONGEST:
        raise BadRequest(f"'for' must be more than 0 and at most {_LONGEST.days} days")
    return span


# A checksum's state is raw memory of the library that computes it: nobody but this service may
# write it.


def _signed(reading: Reading, record: Record) -> str:
    content = [record.upload_id, reading.position, dict(reading.digests)]
    return str(_serializer().dumps(content))


def _reading(state: Any, record: Record) -> Reading:
    if state is None:
        return Reading()
    try:
        upload_id, position, digests = _serializer().loads(state)
    except (BadData, TypeError, ValueError, AttributeError) as error:
        raise BadRequest("'state' is not one that this service has made; leave it out") from error
    if upload_id != record.upload_id:
        raise BadRequest("'state' is another upload's; leave it out")
    return Reading(position=position, digests=digests)


def _serializer() -> URLSafeSerializer:
    key = current_app.secret_key
    if not key:
        raise BadRequest("Verifying on the page needs app.secret_key; use the command verify")
    return URLSafeSerializer(key, salt=_SALT)
