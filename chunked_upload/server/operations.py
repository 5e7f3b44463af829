"""Describes what the stand-alone server answers besides its upload sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask

from chunked_upload.http.operation import BINARY, JSON, Answer, Body, Operation, describe
from chunked_upload.pages.web_operations import static_operations

TOPIC = "Service"

_STATE = {"type": "string", "example": "ok"}

_HEALTH = {
    "type": "object",
    "title": "Health",
    "properties": {
        "status": {"type": "string", "enum": ["ok", "unavailable"]},
        "database": _STATE,
        "storage": _STATE,
    },
    "required": ["status", "database", "storage"],
}


def describe_server(app: Flask) -> None:
    """Describe the page, its files and ``/healthz``."""
    describe(app, "/", _page)
    describe(app, "/healthz", _health)
    describe(app, "/static/<path:filename>", _static)


def _page(upload_set: Any) -> Iterable[Operation]:
    yield Operation(
        verb="GET",
        name="get_page",
        title="Get the upload page",
        topic="Pages",
        answers={200: Answer(meaning="The page.", bodies={"text/html": Body(schema=BINARY)})},
        public=True,
    )


def _health(upload_set: Any) -> Iterable[Operation]:
    well = {"status": "ok", "database": "ok", "storage": "ok"}
    ill = {**well, "status": "unavailable", "database": "failed: OperationalError"}
    yield Operation(
        verb="GET",
        name="get_health",
        title="Ask whether the service works",
        topic=TOPIC,
        answers={
            200: Answer(
                meaning="Database and storage work.",
                bodies={JSON: Body(schema=_HEALTH, examples={"well": well})},
            ),
            503: Answer(
                meaning="One of them does not.",
                bodies={JSON: Body(schema=_HEALTH, examples={"ill": ill})},
            ),
        },
        public=True,
    )


def _static(upload_set: Any) -> Iterable[Operation]:
    [operation] = static_operations(upload_set)
    yield Operation(
        verb=operation.verb,
        name="get_page_file",
        title="Get a script or a style of the page",
        topic=operation.topic,
        parameters=operation.parameters,
        answers=operation.answers,
        refusals=operation.refusals,
        public=True,
    )
