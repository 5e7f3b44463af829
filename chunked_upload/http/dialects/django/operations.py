"""Describes chunks and completion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chunked_upload.engine.errors import (
    AlreadyComplete,
    ChecksumMismatch,
    NotComplete,
    OffsetMismatch,
    StorageFull,
    TotalMismatch,
    UploadExpired,
    UploadNotFound,
)
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import (
    BadRequest,
    FieldsRequired,
    LengthRequired,
    LimitExceeded,
    UnsupportedBody,
)
from chunked_upload.http.operation import (
    BINARY,
    BYTES,
    EXAMPLE_ID,
    EXAMPLE_OFFSET,
    EXAMPLE_SIZE,
    FORM,
    JSON,
    MULTIPART,
    PROGRESS,
    Answer,
    Body,
    Operation,
    example_upload,
    header,
    query,
)
from chunked_upload.http.views.receiving_operations import RECEIVING, file_form

TOPIC = "Chunks"

_CONTENT_RANGE = header(
    "Content-Range",
    "Where the chunk is in the file: `bytes <first>-<last>/<total>`. Without it, a form's file or a"
    " new upload's raw body is the whole file. Raw bytes for a known upload need it.",
    example=f"bytes 0-{EXAMPLE_OFFSET - 1}/{EXAMPLE_SIZE}",
)
_DISPOSITION = header(
    "Content-Disposition",
    "The name of a new upload that is sent as raw bytes.",
    example='attachment; filename="video.mp4"',
)
FILENAME = query("filename", "The same as `Content-Disposition`.", example="video.mp4")


def chunk_bodies(upload_set: Any) -> dict[str, Body]:
    """Return the bodies of a chunk: a form, or the bytes alone."""
    return {
        MULTIPART: Body(schema=file_form(upload_set, upload_set.schemas.kinds.chunk)),
        BYTES: Body(schema=BINARY),
    }


def _chunk_answer(upload_set: Any) -> Answer:
    stored = {
        "upload_id": EXAMPLE_ID,
        "offset": EXAMPLE_OFFSET,
        "expires": "2026-11-21T05:44:35.617Z",
    }
    body = Body(schema=upload_set.schemas.kinds.chunk_reply, examples={"chunk": stored})
    return Answer(
        meaning="The bytes are stored, on disk and recorded.", bodies={JSON: body}, headers=PROGRESS
    )


def create_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the first chunk of an upload, and any chunk whose id is in its form."""
    yield Operation(
        verb="POST",
        name="send_chunk",
        title="Send a chunk, or a whole file",
        topic=TOPIC,
        text="Without `upload_id` it creates an upload. A chunk is stored whole or not at all. Put"
        " the fields before the file; fields with other names are kept as the upload's `metadata`.",
        parameters=(_CONTENT_RANGE, _DISPOSITION, FILENAME),
        bodies=chunk_bodies(upload_set),
        body_required=True,
        answers={200: _chunk_answer(upload_set)},
        refusals=(*RECEIVING, *_continuing()),
    )


def continue_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe a chunk of an upload that is known by its URL."""
    for verb, name in (("POST", "send_chunk_to"), ("PUT", "put_chunk")):
        yield Operation(
            verb=verb,
            name=name,
            title="Send the next chunk of an upload",
            topic=TOPIC,
            text="A chunk must start at the upload's offset.",
            parameters=(_CONTENT_RANGE,),
            bodies=chunk_bodies(upload_set),
            body_required=True,
            answers={200: _chunk_answer(upload_set)},
            refusals=(*RECEIVING, *_continuing()),
        )


def _continuing() -> tuple[ChunkedUploadError, ...]:
    return (
        OffsetMismatch(EXAMPLE_OFFSET),
        TotalMismatch(EXAMPLE_SIZE),
        AlreadyComplete(),
    )


def complete_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the completion."""
    body = Body(
        schema=upload_set.schemas.complete,
        examples={"complete": {"upload_id": EXAMPLE_ID, "md5": "5d41402abc4b2a76b9719d911017c592"}},
    )
    completed = Body(
        schema=upload_set.schemas.kinds.upload,
        examples={"complete": example_upload(complete=True)},
    )
    yield Operation(
        verb="POST",
        name="complete_upload",
        title="Check the checksum, and move the file to its place",
        topic=TOPIC,
        text="Send at least one of the checksums that the server keeps. Completing again with the"
        " same checksum gives the same answer.",
        bodies={FORM: body, JSON: body, MULTIPART: body},
        # Not said to be required: openapi-python-client cannot make code for a body that is, and
        # that may have several types.
        answers={
            200: Answer(
                meaning="The upload is complete.", bodies={JSON: completed}, headers=PROGRESS
            )
        },
        refusals=(
            FieldsRequired(checksums=upload_set.settings.kept_checksums),
            BadRequest("The body is not valid JSON"),
            ChecksumMismatch("md5"),
            NotComplete(EXAMPLE_OFFSET),
            UploadNotFound(),
            UploadExpired(),
            LengthRequired(),
            LimitExceeded("Request exceeds the limit (65536 bytes)"),
            UnsupportedBody("text/plain is not supported; send a form or JSON"),
            StorageFull(),
        ),
    )
