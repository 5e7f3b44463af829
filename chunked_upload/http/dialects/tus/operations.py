"""Describes tus's requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chunked_upload.engine.errors import (
    BeyondLength,
    BytesDiffer,
    ChecksumMismatch,
    FileTooLarge,
    LimitReached,
    NotComplete,
    OffsetMismatch,
    SizeMismatch,
    StorageFull,
    TotalMismatch,
    UploadClaimed,
    UploadExpired,
    UploadNotFound,
)
from chunked_upload.http.errors import (
    BadRequest,
    BadRequestHeaders,
    LengthRequired,
    LimitExceeded,
    MethodNotOffered,
    RangeNotSatisfiable,
    UnsupportedBody,
)
from chunked_upload.http.operation import (
    BINARY,
    EXAMPLE_ID,
    EXAMPLE_OFFSET,
    EXAMPLE_SIZE,
    SIZE,
    Answer,
    Body,
    Described,
    Operation,
    header,
    told,
)
from chunked_upload.http.views.resource_operations import CONDITIONS, file_answers

from .checksums import ALGORITHMS
from .problems import BODY_TYPE, VERSION, BodyTypeRefused, FinalUpload, VersionRefused

TOPIC = "tus"

_ONE: Described = {"type": "string", "enum": ["1"]}

_VERSION = header(
    "Tus-Resumable",
    "The version of the protocol.",
    {"type": "string", "enum": [VERSION]},
    required=True,
    example=VERSION,
)
_CHECKSUM = header(
    "Upload-Checksum",
    f"Of the request's bytes, an algorithm ({', '.join(ALGORITHMS)}) and the digest in Base64.",
    example="sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00=",
)
_LENGTH = header("Upload-Length", "The file's length.", SIZE, example=EXAMPLE_SIZE)
_OVERRIDE = header(
    "X-HTTP-Method-Override",
    "The verb that a POST stands for.",
    {"type": "string", "enum": ["PATCH", "DELETE"]},
    required=True,
)

_TOLD = {"Tus-Resumable": told("The version.", required=True, example=VERSION)}
_OFFSET = {
    **_TOLD,
    "Upload-Offset": told("Where the next byte goes.", SIZE, example=EXAMPLE_OFFSET),
    "Upload-Expires": told(
        "When an unfinished upload expires.", example="Sat, 21 Nov 2026 05:44:35 GMT"
    ),
}
_STATE = {
    **_OFFSET,
    "Upload-Length": told("The file's length, once it is known.", SIZE, example=EXAMPLE_SIZE),
    "Upload-Defer-Length": told("The length is not known yet.", _ONE),
    "Upload-Metadata": told("As it was sent.", example="filename dmlkZW8ubXA0"),
    "Upload-Concat": told("As it was sent.", example="partial"),
    "Cache-Control": told("`no-store`", example="no-store"),
}

_BYTES = {BODY_TYPE: Body(schema=BINARY)}

_RECEIVING = (
    VersionRefused(None),
    BadRequestHeaders("Upload-Offset is required"),
    BadRequest("The metadata has more than 32 fields"),
    SizeMismatch("the body ended after 7999999 of 8000000 bytes"),
    BeyondLength(EXAMPLE_SIZE, EXAMPLE_SIZE + 1),
    FileTooLarge(10737418240),
    LimitExceeded("Size of chunk exceeds the limit (1048576 bytes)"),
    LimitReached("Too many unfinished uploads (20); complete or delete some first"),
    LengthRequired(),
    BodyTypeRefused("text/plain"),
    ChecksumMismatch("sha1"),
    StorageFull(),
)
_KNOWN = (UploadNotFound(), UploadExpired())
_APPENDING = (
    *_RECEIVING,
    *_KNOWN,
    OffsetMismatch(EXAMPLE_OFFSET),
    BytesDiffer(EXAMPLE_OFFSET),
    TotalMismatch(EXAMPLE_SIZE),
    FinalUpload(),
)


def creation_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the URL at which uploads are created."""
    yield _options("describe_tus", "Ask what the server can do")
    yield Operation(
        verb="POST",
        name="create_tus_upload",
        title="Create an upload",
        topic=TOPIC,
        text="Either `Upload-Length` or `Upload-Defer-Length`, or neither for a final upload. The"
        " body may have the first bytes.",
        parameters=(
            _VERSION,
            _LENGTH,
            header("Upload-Defer-Length", "The length comes with a later request.", _ONE),
            header(
                "Upload-Metadata",
                "Pairs of a key and a value in Base64; `filename` is the file's name.",
                example="filename dmlkZW8ubXA0",
            ),
            header("Upload-Concat", "`partial`, or `final;` and the partial uploads' URLs."),
            _CHECKSUM,
        ),
        bodies=_BYTES,
        answers={
            201: Answer(
                meaning="The upload is there.",
                headers={
                    "Location": told(
                        "The upload's URL.",
                        required=True,
                        example=f"https://uploads.example.com/uploads/tus/{EXAMPLE_ID}",
                    ),
                    **_OFFSET,
                },
            )
        },
        refusals=(
            *_RECEIVING,
            *_KNOWN,
            FinalUpload(),
            NotComplete(EXAMPLE_OFFSET),
            UnsupportedBody("Files of type 'exe' are not accepted"),
        ),
    )


def _appends() -> Iterable[Operation]:
    offset = header(
        "Upload-Offset", "Where the bytes go.", SIZE, required=True, example=EXAMPLE_OFFSET
    )
    appended = {204: Answer(meaning="The bytes are stored.", headers=_OFFSET)}
    yield Operation(
        verb="PATCH",
        name="append_to_tus_upload",
        title="Append bytes to an upload",
        topic=TOPIC,
        text="The request that brings the last byte completes the upload. What arrives of one that"
        " breaks off is kept, unless it has `Upload-Checksum`.",
        parameters=(_VERSION, offset, _LENGTH, _CHECKSUM),
        bodies=_BYTES,
        body_required=True,
        answers=appended,
        refusals=_APPENDING,
    )
    yield Operation(
        verb="POST",
        name="override_tus_verb",
        title="Append or delete, for clients that cannot send that verb",
        topic=TOPIC,
        parameters=(_VERSION, _OVERRIDE, {**offset, "required": False}, _LENGTH, _CHECKSUM),
        bodies=_BYTES,
        answers=appended,
        refusals=(*_APPENDING, UploadClaimed(), MethodNotOffered(["PATCH", "DELETE"])),
    )


def upload_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the URL of one upload."""
    yield _options("describe_tus_upload", "Ask what the server can do")
    yield Operation(
        verb="HEAD",
        name="get_tus_upload",
        title="Ask where an upload stands",
        topic=TOPIC,
        text="A request that is still sending its bytes ends; what arrived of it is kept.",
        parameters=(_VERSION,),
        answers={200: Answer(meaning="Where it stands.", headers=_STATE)},
        refusals=(VersionRefused(None), BadRequestHeaders("…"), *_KNOWN, *_RECEIVING),
    )
    yield from _appends()
    yield Operation(
        verb="DELETE",
        name="delete_tus_upload",
        title="Abort an upload, or delete a completed one",
        topic=TOPIC,
        parameters=(_VERSION,),
        answers={204: Answer(meaning="The upload is gone.", headers=_TOLD)},
        refusals=(VersionRefused(None), BadRequestHeaders("…"), *_KNOWN, UploadClaimed()),
    )
    yield Operation(
        verb="GET",
        name="download_tus_file",
        title="Download a completed file",
        topic=TOPIC,
        parameters=({**_VERSION, "required": False}, *CONDITIONS),
        answers=file_answers(),
        refusals=(
            VersionRefused("0.2"),
            UploadNotFound(),
            NotComplete(EXAMPLE_OFFSET),
            RangeNotSatisfiable(EXAMPLE_SIZE),
        ),
        public=upload_set.settings.public_files,
    )


def _options(name: str, title: str) -> Operation:
    headers = {
        "Tus-Version": told("The versions that are served.", required=True, example=VERSION),
        "Tus-Extension": told("The extensions.", required=True, example="creation,checksum"),
        "Tus-Checksum-Algorithm": told("For `Upload-Checksum`.", example=",".join(ALGORITHMS)),
        "Tus-Max-Size": told("The largest file, if there is a limit.", SIZE),
        "Allow": told("The verbs that are offered."),
    }
    return Operation(
        verb="OPTIONS",
        name=name,
        title=title,
        topic=TOPIC,
        answers={200: Answer(meaning="What the server can do.", headers={**_TOLD, **headers})},
        public=True,
    )
