"""Describes the links to completed files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from chunked_upload.engine.errors import LimitReached, NotComplete, UploadNotFound
from chunked_upload.http.errors import (
    BadRequest,
    LengthRequired,
    LimitExceeded,
    RangeNotSatisfiable,
    UnsupportedBody,
)
from chunked_upload.http.operation import (
    EXAMPLE_OFFSET,
    EXAMPLE_SIZE,
    FORM,
    JSON,
    MULTIPART,
    Answer,
    Body,
    Operation,
    json_answer,
    path,
)
from chunked_upload.http.views.resource_operations import CONDITIONS, file_answers

from .links import Link
from .public import LinkExpired, LinkGone, LinkInvalid
from .views import NewShareSchema, ShareNotFound, ShareSchema, SharingOff

TOPIC = "Links"

_SHARE_ID = "q6oNsPE0mYyJ0k4nV7aT2w"
_TOKEN = f"{_SHARE_ID}.1796278800.MY3k"
_SHARE = {
    "share_id": _SHARE_ID,
    "url": f"https://uploads.example.com/uploads/shared/{_TOKEN}",
    "created_on": "2026-11-28T09:00:00.000Z",
    "expires": "2026-12-05T09:00:00.000Z",
}
_EXPIRED = Link(share_id=_SHARE_ID, expires_on=datetime(2026, 12, 5, 9, tzinfo=UTC))

_OWNED = (UploadNotFound(), SharingOff(), NotComplete(EXAMPLE_OFFSET))


def shares_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe an upload's links."""
    links = {
        "type": "object",
        "properties": {"shares": {"type": "array", "items": ShareSchema}},
        "required": ["shares"],
    }
    yield Operation(
        verb="GET",
        name="list_links",
        title="List the links to a completed file",
        topic=TOPIC,
        text="Those that work, newest first.",
        answers={200: json_answer("The links.", links, {"links": {"shares": [_SHARE]}})},
        refusals=_OWNED,
    )
    most = int(upload_set.settings.share_max_age.total_seconds())
    body = Body(schema=NewShareSchema, examples={"a day": {"max_age": 86400}})
    yield Operation(
        verb="POST",
        name="make_link",
        title="Make a link to a completed file",
        topic=TOPIC,
        text="Whoever has the link can download the file until it expires or is revoked."
        f" `max_age` is how many seconds it works, {most} at most and by default.",
        bodies={FORM: body, JSON: body, MULTIPART: body},
        answers={201: json_answer("The link.", ShareSchema, {"link": _SHARE})},
        refusals=(
            *_OWNED,
            BadRequest(f"'max_age' must be from 1 to {most} seconds, not 0"),
            LimitReached("This upload has 100 links, which is the most; revoke one first"),
            LimitExceeded("Request exceeds the limit (65536 bytes)"),
            LengthRequired(),
            UnsupportedBody("text/plain is not supported; send a form or JSON"),
        ),
    )


def share_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe one link."""
    yield Operation(
        verb="DELETE",
        name="revoke_link",
        title="Revoke a link",
        topic=TOPIC,
        text="From now on its address is 410.",
        parameters=(path("share_id", "The link's id.", example=_SHARE_ID),),
        answers={204: Answer(meaning="The link no longer works.")},
        refusals=(*_OWNED, ShareNotFound()),
    )


def shared_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe what a link leads to."""
    yield Operation(
        verb="GET",
        name="download_shared_file",
        title="Download a file by its link",
        topic=TOPIC,
        text="For everybody who has the link. Browsers get errors as a page.",
        parameters=(path("token", "The last part of the link.", example=_TOKEN), *CONDITIONS),
        answers=file_answers(),
        refusals=(
            LinkInvalid(),
            LinkExpired(_EXPIRED),
            LinkGone(),
            RangeNotSatisfiable(EXAMPLE_SIZE),
        ),
        public=True,
    )
