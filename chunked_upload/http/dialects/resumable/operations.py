"""Describes the requests of the IETF's draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chunked_upload.engine.errors import (
    AlreadyComplete,
    BeyondLength,
    BytesDiffer,
    ChecksumMismatch,
    FileTooLarge,
    LimitReached,
    OffsetMismatch,
    SizeMismatch,
    StorageFull,
    TotalMismatch,
    UploadExpired,
    UploadNotFound,
)
from chunked_upload.http.errors import (
    BadRequest,
    BadRequestHeaders,
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
    JSON,
    PROGRESS,
    SIZE,
    Answer,
    Body,
    Described,
    Operation,
    example_upload,
    header,
    query,
    told,
)
from chunked_upload.http.schemas import ErrorSchema

from .append import PARTIAL_UPLOAD
from .heads import LENGTH_HEADER, OFFSET_HEADER
from .limits import LIMIT_HEADER
from .problems import InconsistentLength
from .repeated_creation import KEY_HEADER, KeyReused
from .versions import COMPLETE_HEADER, INTEROP_HEADER

TOPIC = "Resumable Uploads for HTTP"

_BOOLEAN: Described = {"type": "string", "enum": ["?0", "?1"]}

_COMPLETE = header(
    COMPLETE_HEADER,
    "`?1` if the upload is complete with this request's bytes, `?0` if more will come.",
    example="?1",
)
_LENGTH = header(LENGTH_HEADER, "The file's length.", example=EXAMPLE_SIZE)
_SENDING = (
    _COMPLETE,
    _LENGTH,
    header("Content-Digest", "Of the request's bytes (RFC 9530)."),
    header("Repr-Digest", "Of the whole file (RFC 9530)."),
    header("Want-Repr-Digest", "Which digests of the file to answer.", example="sha-256=1"),
    header(INTEROP_HEADER, "The draft's version, for interim responses.", example="8"),
)
_TOLD: Mapping[str, Described] = {
    COMPLETE_HEADER: told("Whether the upload is complete.", _BOOLEAN, example="?0"),
    OFFSET_HEADER: told("Where the next byte goes.", SIZE, example=EXAMPLE_OFFSET),
    LIMIT_HEADER: told("What the server takes.", example="max-size=10737418240"),
    "Cache-Control": told("`no-store`", example="no-store"),
}
_LOCATION = {
    "Location": told(
        "The upload's URL.", example=f"https://uploads.example.com/uploads/{EXAMPLE_ID}"
    )
}
_REPR_DIGEST = {"Repr-Digest": told("The digests that were wanted and are kept.")}

_REFUSALS = (
    BadRequestHeaders(f"{OFFSET_HEADER} must be a non-negative Integer"),
    BadRequest("The metadata has more than 32 fields"),
    InconsistentLength("Upload-Length says 20 bytes, but the upload ends at 10"),
    SizeMismatch("the body ended after 7999999 of 8000000 bytes"),
    BeyondLength(EXAMPLE_SIZE, EXAMPLE_SIZE + 1),
    ChecksumMismatch("sha256"),
    FileTooLarge(10737418240),
    LimitExceeded("Size of chunk exceeds the limit (1048576 bytes)"),
    LengthRequired(),
    StorageFull(),
)


def _final(upload_set: Any, **headers: Described) -> Answer:
    body = Body(
        schema=upload_set.schemas.kinds.upload,
        examples={"complete": example_upload(complete=True)},
    )
    return Answer(
        meaning="The upload is complete.",
        bodies={JSON: body},
        headers={**PROGRESS, **_TOLD, **_REPR_DIGEST, **headers},
    )


def _creation(upload_set: Any, verb: str, name: str) -> Operation:
    return Operation(
        verb=verb,
        name=name,
        title="Create a resumable upload",
        topic=TOPIC,
        text=f"With `{COMPLETE_HEADER}: ?0` the body has the first bytes, and with `?1` the whole"
        " file. `Content-Disposition`, the URL or `?filename=` names it.",
        parameters=(
            *_SENDING,
            header("Content-Disposition", "The file's name.", example='inline; filename="v.mp4"'),
            query("filename", "The same.", example="video.mp4"),
            header(
                KEY_HEADER,
                "Random; a request with the same key gets the same upload again.",
                example="8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
        ),
        bodies={BYTES: Body(schema=BINARY)},
        answers={
            200: _final(upload_set, **_LOCATION),
            201: Answer(
                meaning="The upload is there; more bytes are expected.",
                headers={**_LOCATION, **_TOLD},
            ),
        },
        refusals=(
            *_REFUSALS,
            LimitReached("Too many unfinished uploads (20); complete or delete some first"),
            UnsupportedBody("multipart/form-data cannot be resumed; send the file itself"),
            KeyReused(),
            UploadNotFound(),
            UploadExpired(),
        ),
    )


def _options(name: str) -> Operation:
    return Operation(
        verb="OPTIONS",
        name=name,
        title="Ask for the limits",
        topic=TOPIC,
        answers={
            204: Answer(
                meaning="The limits, and the verbs that are offered.",
                headers={
                    LIMIT_HEADER: {**_TOLD[LIMIT_HEADER], "required": True},
                    "Allow": told("The verbs that are offered.", required=True),
                },
            )
        },
        public=True,
    )


def _append(upload_set: Any) -> Operation:
    return Operation(
        verb="PATCH",
        name="append",
        title="Append bytes to an upload",
        topic=TOPIC,
        text=f"`{COMPLETE_HEADER}: ?1` completes the upload. What arrives of a request that breaks"
        " off is kept, unless it has `Content-Digest`.",
        parameters=(
            header(
                OFFSET_HEADER, "Where the bytes go.", SIZE, required=True, example=EXAMPLE_OFFSET
            ),
            *_SENDING,
        ),
        bodies={PARTIAL_UPLOAD: Body(schema=BINARY)},
        body_required=True,
        answers={
            200: _final(upload_set),
            201: Answer(meaning="As 204, for interop versions 3 to 6.", headers=_TOLD),
            204: Answer(meaning="The bytes are stored; more are expected.", headers=_TOLD),
        },
        refusals=(
            *_REFUSALS,
            UploadNotFound(),
            UploadExpired(),
            OffsetMismatch(EXAMPLE_OFFSET),
            TotalMismatch(EXAMPLE_SIZE),
            AlreadyComplete(),
            BytesDiffer(EXAMPLE_OFFSET),
            UnsupportedBody(f"Content-Type must be {PARTIAL_UPLOAD}, not text/plain"),
        ),
    )


_QUESTIONS = (
    Operation(
        verb="GET",
        name="get_resumable_upload",
        usual_refusals=True,
        title="Get an upload's state",
        topic=TOPIC,
        text="It disturbs nobody.",
        parameters=_SENDING[-2:],
        answers={200: Answer(meaning="The state.", headers={**_TOLD, **_REPR_DIGEST})},
        refusals=(BadRequestHeaders("Want-Repr-Digest was sent more than once"),),
    ),
    Operation(
        verb="HEAD",
        name="get_offset",
        usual_refusals=True,
        title="Ask where an upload stands",
        topic=TOPIC,
        text="An append of an offset dialect that is still under way ends; what arrived of it is"
        " kept.",
        parameters=_SENDING[-2:],
        answers={
            200: Answer(meaning="Where it stands.", headers={**PROGRESS, **_TOLD, **_REPR_DIGEST}),
            204: Answer(meaning="As 200, for interop version 3.", headers=_TOLD),
        },
        refusals=(
            BadRequestHeaders(f"HEAD must not have {OFFSET_HEADER}"),
            UploadNotFound(),
            UploadExpired(),
        ),
    ),
)


def root_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the creation of uploads."""
    yield _options("get_limits")
    yield _creation(upload_set, "POST", "create_resumable_upload")
    put = _creation(upload_set, "PUT", "put_resumable_upload")
    wanted = ({**_COMPLETE, "required": True}, *put.parameters[1:])
    refused = Answer(
        meaning=f"`{COMPLETE_HEADER}` is missing: a file is put at its name.",
        bodies={JSON: Body(schema=ErrorSchema)},
        headers={"Allow": told("The verbs that are offered.", required=True)},
    )
    yield Operation(
        verb="PUT",
        name=put.name,
        title=put.title,
        topic=TOPIC,
        text=put.text,
        parameters=wanted,
        bodies=put.bodies,
        answers={**put.answers, 405: refused},
        refusals=put.refusals,
    )


def upload_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the requests to one upload."""
    yield _options("get_limits_of_upload")
    yield _creation(upload_set, "PUT", "put_resumable_file")
    yield _append(upload_set)
    yield from _QUESTIONS
    yield Operation(
        verb="DELETE",
        name="cancel_resumable_upload",
        usual_refusals=True,
        title="Cancel an upload",
        topic=TOPIC,
        parameters=(_SENDING[-1],),
        answers={204: Answer(meaning="The upload is gone.")},
        refusals=(BadRequestHeaders(f"DELETE must not have {OFFSET_HEADER}"),),
    )
