"""What a request does, for people and programs: the vocabulary in which a route describes itself.

A route names a function that returns its :class:`Operation` objects, one for each verb
(``Route.operations`` in dialect.py; :func:`describe` for a view outside of an upload set).
``chunked_upload/openapi`` makes the OpenAPI description of them. Schemas, parameters and headers
are as OpenAPI 3.1 has them, and a marshmallow schema may stand in place of any schema. A refusal is
an error as a view raises it: the dialect renders it, so that description and answer cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from chunked_upload.errors import ChunkedUploadError

_STATE = "chunked_upload_operations"

Described = Mapping[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
BYTES = "application/octet-stream"

#: The bytes of a file or a chunk.
BINARY: Described = {"type": "string", "format": "binary"}
#: A size or an offset.
SIZE: Described = {"type": "integer", "minimum": 0}
TEXT: Described = {"type": "string"}

#: The upload of the examples.
EXAMPLE_ID = "ae997ce478804e959fa8b11e00020847"
EXAMPLE_SIZE = 20_000_000
EXAMPLE_OFFSET = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Body:
    """The body of a request or an answer, in one media type.

    :param schema: a marshmallow schema, or JSON Schema that may contain some. An object's
        ``x-fields`` are marshmallow schemas whose fields are added to its properties.
    :param examples: by a short name.
    """

    schema: Any
    examples: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A successful answer.

    :param meaning: one sentence.
    :param bodies: by media type; none for an answer without a body.
    :param headers: OpenAPI header objects by name.
    """

    meaning: str
    bodies: Mapping[str, Body] = field(default_factory=dict)
    headers: Mapping[str, Described] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A request of one verb to one URL, in one dialect.

    :param name: identifier, unique in an upload set.
    :param title: what it does, in a few words.
    :param topic: the heading under which it is listed.
    :param text: more, in Markdown.
    :param parameters: OpenAPI parameter objects; those of the path need not be among them.
    :param bodies: of the request, by media type.
    :param answers: by status.
    :param refusals: an example of each error.
    :param usual_refusals: errors read as in the default dialect.
    :param public: it asks for no credentials.
    """

    verb: str
    name: str
    title: str
    topic: str
    text: str = ""
    parameters: tuple[Described, ...] = ()
    bodies: Mapping[str, Body] = field(default_factory=dict)
    body_required: bool = False
    answers: Mapping[int, Answer] = field(default_factory=dict)
    refusals: tuple[ChunkedUploadError, ...] = ()
    usual_refusals: bool = False
    public: bool = False


#: Returns the operations of one URL; the argument is the upload set.
Describes = Callable[[Any], Iterable[Operation]]


def describe(app: Flask, rule: str, operations: Describes) -> None:
    """Describe a URL outside of upload sets.

    :param rule: as for Flask.
    :param operations: is called with the app's first upload set.
    """
    app.extensions.setdefault(_STATE, {})[rule] = operations


def described(app: Flask) -> dict[str, Describes]:
    """Return what :func:`describe` was told, by rule."""
    found: dict[str, Describes] = app.extensions.get(_STATE, {})
    return found


def query(name: str, meaning: str, schema: Described = TEXT, **more: Any) -> Described:
    """Return a parameter of the query."""
    return {"in": "query", "name": name, "description": meaning, "schema": schema, **more}


def header(name: str, meaning: str, schema: Described = TEXT, **more: Any) -> Described:
    """Return a header of a request."""
    return {"in": "header", "name": name, "description": meaning, "schema": schema, **more}


def path(name: str, meaning: str, schema: Described = TEXT, **more: Any) -> Described:
    """Return a part of the path."""
    return {"in": "path", "name": name, "description": meaning, "schema": schema, **more}


def told(meaning: str, schema: Described = TEXT, **more: Any) -> Described:
    """Return a header of an answer."""
    return {"description": meaning, "schema": schema, **more}


NO_STORE = {"Cache-Control": told("`no-store`", example="no-store")}

#: Headers of every answer about an upload.
PROGRESS: Mapping[str, Described] = {
    "Upload-Offset": told("Where the next byte goes.", SIZE, required=True, example=EXAMPLE_OFFSET),
    "Upload-Length": told("The file's length, once it is known.", SIZE, example=EXAMPLE_SIZE),
    "Range": told("The stored bytes, if there are any.", example=f"bytes=0-{EXAMPLE_OFFSET - 1}"),
    **NO_STORE,
}


def json_answer(
    meaning: str, schema: Any, examples: Mapping[str, Any], **headers: Described
) -> Answer:
    """Return an answer in JSON that nobody keeps."""
    body = Body(schema=schema, examples=examples)
    return Answer(meaning=meaning, bodies={JSON: body}, headers={**NO_STORE, **headers})


def example_upload(*, complete: bool, **more: Any) -> dict[str, Any]:
    """Return an upload's state as answers have it."""
    digest = "5d41402abc4b2a76b9719d911017c592"
    return {
        "upload_id": EXAMPLE_ID,
        "filename": "video.mp4",
        "offset": EXAMPLE_SIZE if complete else EXAMPLE_OFFSET,
        "length": EXAMPLE_SIZE,
        "md5": digest if complete else None,
        "status": 2 if complete else 1,
        "created_on": "2026-11-20T05:44:35.642Z",
        "completed_on": "2026-11-20T05:44:41.691Z" if complete else None,
        "expires": None if complete else "2026-11-21T05:44:35.642Z",
        "metadata": {},
        "url": f"/uploads/{EXAMPLE_ID}/file" if complete else None,
        **more,
    }
