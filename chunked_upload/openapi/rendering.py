"""One request of one dialect as OpenAPI has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response

from chunked_upload.engine.errors import ServiceUnavailable
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.access.csrf import UNSAFE
from chunked_upload.http.dialect import Dialect
from chunked_upload.http.errors import (
    AuthenticationRequired,
    CsrfRefused,
    ScopeMissing,
    request_too_large,
)
from chunked_upload.http.operation import EXAMPLE_ID, Answer, Body, Operation, path
from chunked_upload.http.upload_set import BoundUploadSet

#: Parts of the path that mean the same wherever they are.
_KNOWN_PARTS = {
    "upload_id": path("upload_id", "The upload's id: 32 hex digits.", example=EXAMPLE_ID)
}

#: Headers of refusals that are not worth telling.
_USUAL = ("Content-Type", "Content-Length", "Cache-Control")


class Rendering:
    """Renders the operations of a dialect in an upload set.

    :param alone: the URL is not an upload set's, so that what all of these answer does not hold.
    """

    def __init__(self, upload_set: BoundUploadSet, dialect: Dialect, *, alone: bool) -> None:
        self._upload_set = upload_set
        self._dialect = dialect
        self._alone = alone

    def operation(self, given: Operation, parts: Iterable[str]) -> dict[str, Any]:
        """Return an operation.

        :param parts: the names of the path's parts.
        """
        responses = {str(status): _answer(answer) for status, answer in given.answers.items()}
        for status, response in self._refusals(given).items():
            responses.setdefault(status, response)
        made: dict[str, Any] = {
            "operationId": given.name,
            "summary": given.title,
            "description": given.text,
            "tags": [given.topic],
            "parameters": [*_parameters(given, parts)],
            "responses": dict(sorted(responses.items())),
            "x-dialect": None if self._alone else self._dialect.title,
        }
        if given.bodies:
            made["requestBody"] = {
                "required": given.body_required,
                "content": _content(given.bodies),
            }
        if given.public:
            made["security"] = []
        return made

    def _refusals(self, given: Operation) -> dict[str, dict[str, Any]]:
        """Return the answers to refused requests, as views render them."""
        by_status: dict[str, list[tuple[str, Response]]] = {}
        dialect = self._upload_set.dialects.default if given.usual_refusals else self._dialect
        for error in (*given.refusals, *self._common(given)):
            response = dialect.render(self._upload_set.settings, dialect.refusal(error))
            known = by_status.setdefault(str(response.status_code), [])
            known.append((type(error).__name__, response))
        return {
            status: _refused(status, several, dialect.error_schema)
            for status, several in by_status.items()
        }

    def _common(self, given: Operation) -> Iterable[ChunkedUploadError]:
        """Yield what any request of an upload set may be answered."""
        if self._alone:
            return
        if not given.public:
            yield AuthenticationRequired("send a token: Authorization: Bearer TOKEN")
            if self._upload_set.takes_tokens:
                yield ScopeMissing(has=("read",), needs=("upload",))
        if given.verb in UNSAFE and self._upload_set.checks_csrf:
            refused = CsrfRefused("the header X-CSRFToken is missing")
            refused.data["csrf_token_url"] = self._upload_set.url("csrf_token")
            yield refused
        limit = self._upload_set.app.config["MAX_CONTENT_LENGTH"]
        if limit is not None:
            yield request_too_large(limit)
        yield ServiceUnavailable("The database cannot be reached")


def _parameters(given: Operation, parts: Iterable[str]) -> Iterable[dict[str, Any]]:
    named = {one["name"] for one in given.parameters if one["in"] == "path"}
    for name in parts:
        if name not in named:
            yield {**_KNOWN_PARTS.get(name, path(name, name)), "required": True}
    for one in given.parameters:
        yield {**one, "required": True} if one["in"] == "path" else dict(one)


def _answer(answer: Answer) -> dict[str, Any]:
    made: dict[str, Any] = {"description": answer.meaning}
    if answer.headers:
        made["headers"] = {name: dict(header) for name, header in answer.headers.items()}
    if answer.bodies:
        made["content"] = _content(answer.bodies)
    return made


def _content(bodies: Mapping[str, Body]) -> dict[str, Any]:
    return {media_type: _media(body) for media_type, body in bodies.items()}


def _media(body: Body) -> dict[str, Any]:
    made: dict[str, Any] = {"schema": body.schema}
    if body.examples:
        made["examples"] = {
            name.replace(" ", "_"): {"summary": name, "value": value}
            for name, value in body.examples.items()
        }
    return made


def _refused(status: str, several: list[tuple[str, Response]], schema: Any) -> dict[str, Any]:
    """Return the answer of one status."""
    examples: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    for name, response in several:
        value = json.loads(response.get_data())
        if any(value == other["value"] for other in examples.values()):
            continue
        examples[_unused(name, examples)] = {"summary": value["detail"], "value": value}
        for key, text in response.headers.items():
            if key not in _USUAL:
                headers[key] = {"schema": {"type": "string"}, "example": text}
    media_type = several[0][1].mimetype
    content = {media_type: {"schema": schema, "examples": examples}}
    meaning = "; ".join(dict.fromkeys(example["summary"] for example in examples.values()))
    made: dict[str, Any] = {"description": f"{_phrase(status)}: {meaning}", "content": content}
    return {**made, "headers": headers} if headers else made


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    """Return a name for one more example."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}{number}"
    return found


def _phrase(status: str) -> str:
    try:
        return HTTPStatus(int(status)).phrase
    except ValueError:  # tus's own
        return "Refused"
