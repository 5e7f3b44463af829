"""Describes Dropzone's chunks, and how it cancels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chunked_upload.checksum.registry import names
from chunked_upload.engine.errors import BytesDiffer, LimitReached, TotalMismatch, UploadClaimed
from chunked_upload.http.errors import BadRequest
from chunked_upload.http.operation import (
    BINARY,
    BYTES,
    EXAMPLE_OFFSET,
    EXAMPLE_SIZE,
    JSON,
    MULTIPART,
    PROGRESS,
    TEXT,
    Answer,
    Body,
    Operation,
    example_upload,
    query,
)
from chunked_upload.http.views.receiving_operations import RECEIVING, file_form

from .fields import NumbersSchema

TOPIC = "Dropzone"

_UUID = {"type": "string", "minLength": 1, "maxLength": 200}


def _chunk(upload_set: Any) -> Operation:
    digests = dict.fromkeys(sorted(names()), TEXT)
    fields = {"dzuuid": _UUID, **digests}
    form = file_form(upload_set, NumbersSchema, fields=fields, required=("dzuuid",))
    completed = Body(
        schema=upload_set.schemas.kinds.upload,
        examples={"last chunk": example_upload(complete=True)},
    )
    return Operation(
        verb="POST",
        name="send_dropzone_chunk",
        title="Send a chunk from Dropzone",
        topic=TOPIC,
        text="A form with `dzuuid` and Dropzone's other fields before the file. Chunks may arrive"
        " in any order and in parallel. The last one to arrive completes the upload. A raw body"
        " has the fields in the query or in headers.",
        bodies={
            MULTIPART: Body(schema=form),
            BYTES: Body(schema=BINARY),
        },
        body_required=True,
        answers={
            200: Answer(
                meaning="The chunk is stored; if it was the last, the upload is complete.",
                bodies={JSON: completed},
                headers=PROGRESS,
            )
        },
        refusals=(
            *RECEIVING,
            BadRequest("Dropzone's fields come together; 'dzchunksize' is missing"),
            BytesDiffer(EXAMPLE_OFFSET),
            TotalMismatch(EXAMPLE_SIZE),
        ),
    )


def operations(upload_set: Any) -> Iterable[Operation]:
    """Describe a chunk, and the removal by the client's own name."""
    yield _chunk(upload_set)
    yield Operation(
        verb="DELETE",
        name="cancel_by_client_name",
        title="Abort an upload before the client knows its id",
        topic=TOPIC,
        text="Also 204 if there is no such upload. Later chunks get 404.",
        parameters=(query("dzuuid", "The client's own name for the file.", _UUID, required=True),),
        answers={204: Answer(meaning="There is no such upload any more.")},
        refusals=(
            BadRequest("'dzuuid' must have 1 to 200 characters"),
            UploadClaimed(),
            LimitReached("Too many uploads were canceled; this one was not started"),
        ),
    )
