"""Describes the requests of the admin page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask

from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequest, LimitExceeded
from chunked_upload.http.operation import (
    EXAMPLE_ID,
    JSON,
    NO_STORE,
    TEXT,
    Answer,
    Body,
    Describes,
    Operation,
    describe,
    path,
    query,
)

from .access import AdminOff, AdminRefused, TooManyRefusals
from .query import FILTERS

TOPIC = "Administration"

_OBJECT = {"type": "object"}
_TOO_LARGE = LimitExceeded("Request exceeds the limit (65536 bytes)")
_ID = path("upload_id", "The upload's id.", example=EXAMPLE_ID)


def describe_admin(app: Flask, url: str) -> None:
    """Describe what is below the URL of the admin page."""
    for rule, operations in _DESCRIBED.items():
        describe(app, f"{url}{rule}", operations)


def _get(name: str, title: str, key: str, **more: Any) -> Operation:
    """Return a request that tells something.

    :param key: a field of the answer.
    """
    return _asked(verb="GET", name=name, title=title, fields=[key], **more)


def _asked(
    *,
    name: str,
    title: str,
    fields: list[str],
    refusals: tuple[ChunkedUploadError, ...] = (),
    **more: Any,
) -> Operation:
    schema = {"type": "object", "required": fields}
    return Operation(
        name=name,
        title=title,
        topic=TOPIC,
        answers={200: Answer(meaning=title, bodies={JSON: Body(schema=schema)}, headers=NO_STORE)},
        refusals=(
            AdminRefused("the token is not one that counts"),
            AdminOff(),
            TooManyRefusals(60),
            *refusals,
        ),
        **more,
    )


def _page(upload_set: Any) -> Iterable[Operation]:
    body = {"text/html": Body(schema=TEXT)}
    yield Operation(
        verb="GET",
        name="get_admin_page",
        title="Get the admin page",
        topic=TOPIC,
        answers={
            200: Answer(meaning="The page, which has no data yet.", bodies=body),
            403: Answer(meaning="The same, for a caller who is no administrator.", bodies=body),
        },
        refusals=(AdminOff(), TooManyRefusals(60)),
        public=True,
    )


def _uploads(upload_set: Any) -> Iterable[Operation]:
    yield _get(
        "list_all_uploads",
        "List the uploads of all owners",
        "uploads",
        parameters=tuple(query(name, meaning) for name, meaning in FILTERS.items()),
        refusals=(BadRequest("There is no filter 'colour'"),),
    )


def _upload(upload_set: Any) -> Iterable[Operation]:
    yield _get(
        "get_life",
        "Get all that is known about an upload",
        "upload_id",
        parameters=(_ID,),
        refusals=(UploadNotFound(),),
    )


def _totals(upload_set: Any) -> Iterable[Operation]:
    yield _get("get_totals", "Get totals by status, owner, storage and disk", "statuses")


def _active(upload_set: Any) -> Iterable[Operation]:
    yield _get("list_active", "List the uploads that are being sent", "uploads")


def _failures(upload_set: Any) -> Iterable[Operation]:
    yield _get("list_failures", "List the failures of the last day", "failures")


def _actions(upload_set: Any) -> Iterable[Operation]:
    properties = {
        "action": {"type": "string", "enum": ["delete", "expire", "extend", "run-hook"]},
        "upload_ids": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 100},
        "for": {"type": "string", "description": "To extend: a span of time.", "example": "7d"},
    }
    body = {**_OBJECT, "properties": properties, "required": ["action", "upload_ids"]}
    yield _asked(
        verb="POST",
        name="act_on_uploads",
        title="Delete, expire or extend uploads, or run their hook again",
        fields=["action", "results"],
        bodies={JSON: Body(schema=body)},
        body_required=True,
        refusals=(
            BadRequest("'action' must be one of: delete, expire, extend, run-hook"),
            _TOO_LARGE,
        ),
    )


def _verify(upload_set: Any) -> Iterable[Operation]:
    state = {"type": ["string", "null"], "description": "`state` of the answer before."}
    yield _asked(
        verb="POST",
        name="verify_upload",
        title="Read a file on, to compare its checksums",
        text="Repeat it with the answer's `state` until `done` is true.",
        fields=["done", "read", "length", "problem", "state"],
        parameters=(_ID,),
        bodies={JSON: Body(schema={**_OBJECT, "properties": {"state": state}})},
        body_required=True,
        refusals=(
            BadRequest("The upload is not complete, it has no file yet"),
            UploadNotFound(),
            _TOO_LARGE,
        ),
    )


_DESCRIBED: dict[str, Describes] = {
    "": _page,
    "/uploads": _uploads,
    "/uploads/<upload_id>": _upload,
    "/totals": _totals,
    "/active": _active,
    "/failures": _failures,
    "/actions": _actions,
    "/uploads/<upload_id>/verify": _verify,
}
