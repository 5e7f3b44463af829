"""Describes what pages need besides uploads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chunked_upload.http.errors import FileNotFound, RangeNotSatisfiable
from chunked_upload.http.operation import (
    BINARY,
    Answer,
    Body,
    Operation,
    json_answer,
    path,
)
from chunked_upload.http.schemas import CsrfTokenSchema
from chunked_upload.http.views.resource_operations import CONDITIONS

TOPIC = "Pages"


def static_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the package's scripts and styles."""
    yield Operation(
        verb="GET",
        name="get_static_file",
        title="Get a script or a style of the package",
        topic=TOPIC,
        parameters=(
            path("filename", "Its name; it may have slashes.", example="chunked-upload.js"),
            *CONDITIONS,
        ),
        answers=asset_answers(),
        refusals=(FileNotFound(), RangeNotSatisfiable(1024)),
        public=True,
    )


def asset_answers() -> dict[int, Answer]:
    """Return the answers with a file of the package."""
    body = {"*/*": Body(schema=BINARY)}
    return {
        200: Answer(meaning="The file.", bodies=body),
        206: Answer(meaning="A part of the file.", bodies=body),
        304: Answer(meaning="The caller has the file already."),
        412: Answer(meaning="`If-Match` or `If-Unmodified-Since` is not true of the file."),
    }


def logo_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the page's logo."""
    yield Operation(
        verb="GET",
        name="get_logo",
        title="Get the page's logo",
        topic=TOPIC,
        text="Where `CHUNKED_UPLOAD_PAGE_LOGO` names a file of the server's host.",
        parameters=CONDITIONS,
        answers=asset_answers(),
        refusals=(FileNotFound(), RangeNotSatisfiable(1024)),
        public=True,
    )


def csrf_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the CSRF token."""
    examples = {"none needed": {"csrf_token": None}}
    yield Operation(
        verb="GET",
        name="get_csrf_token",
        title="Get a CSRF token, null if none is needed",
        topic=TOPIC,
        answers={200: json_answer("The token.", CsrfTokenSchema, examples)},
        public=True,
    )
