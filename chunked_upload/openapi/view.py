"""``GET /openapi.json``: the description, made at the first request for it and kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, current_app, request

from chunked_upload.errors import ConfigurationError
from chunked_upload.extension import ChunkedUpload
from chunked_upload.http.operation import JSON, Answer, Body, Operation, describe, header, told
from chunked_upload.settings.keys import Settings

from .command import openapi
from .page import page

URL = "/openapi.json"
PAGE_URL = "/openapi"

TOPIC = "Service"

_STATE = "chunked_upload_openapi"


def add_openapi(app: Flask, uploads: ChunkedUpload) -> None:
    """Add the command to an app, and the URL if its first upload set asks for it.

    :raises ConfigurationError: when the app has the URL already.
    """
    group: Any = app.cli.commands["chunked-upload"]
    group.add_command(openapi)
    settings: Settings = app.extensions["chunked_upload"][uploads.name].settings
    if not settings.openapi:
        return
    for url in (URL, PAGE_URL):
        if any(rule.rule == url for rule in app.url_map.iter_rules()):
            raise ConfigurationError(
                f"CHUNKED_UPLOAD_OPENAPI adds the URL {url}, which this app has already"
            )
    app.add_url_rule(URL, "chunked_upload_openapi", _answer)
    app.add_url_rule(PAGE_URL, "chunked_upload_openapi_page", lambda: page(uploads.upload_set))
    describe(app, URL, _operations)
    describe(app, PAGE_URL, _page_operations)


def _answer() -> Response:
    text = with_servers(_kept(current_app), request.root_url.rstrip("/"))
    response = Response(text, mimetype=JSON)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]


def _kept(app: Flask) -> str:
    """Return the description without its servers, as JSON.

    Two first requests at the same time both make it, which does no harm.
    """
    known: dict[str, str] = app.extensions.setdefault(_STATE, {})
    if "text" not in known:
        # Here, since apispec takes a while to import and few processes are asked.
        from .document import make_document

        known["text"] = json.dumps(make_document(app), ensure_ascii=False)
    return known["text"]


def with_servers(text: str, url: str) -> str:
    """Return a description with the server's address in it.

    :param url: where the app is, without a slash at the end: a proxy may have put it below a path.
    """
    servers = json.dumps([{"url": url or "/"}])
    return f'{{"servers": {servers}, {text.removeprefix("{")}'


def _operations(upload_set: Any) -> Iterable[Operation]:
    body = Body(schema={"type": "object", "properties": {"openapi": {"type": "string"}}})
    yield Operation(
        verb="GET",
        name="get_description",
        title="Get this description",
        topic=TOPIC,
        parameters=(header("If-None-Match", "Answer 304 if the description has this ETag."),),
        answers={
            200: Answer(
                meaning="The API as OpenAPI 3.1.",
                bodies={JSON: body},
                headers={"ETag": told("Changes with the description.", required=True)},
            ),
            304: Answer(meaning="The caller has the description already."),
        },
        public=True,
    )


def _page_operations(upload_set: Any) -> Iterable[Operation]:
    text = Body(schema={"type": "string"})
    yield Operation(
        verb="GET",
        name="get_description_page",
        title="Get this description as a page",
        topic=TOPIC,
        answers={
            200: Answer(meaning="The page.", bodies={"text/html": text}),
            304: Answer(meaning="The caller has the page already."),
        },
        public=True,
    )
