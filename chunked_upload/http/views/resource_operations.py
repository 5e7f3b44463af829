"""Describes the requests that every upload set answers, whatever its dialects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chunked_upload.engine.errors import (
    NotComplete,
    UploadClaimed,
    UploadExpired,
    UploadNotFound,
)

from ..errors import BadRequest, FileNotFound, RangeNotSatisfiable
from ..operation import (
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
    json_answer,
    path,
    query,
    told,
)
from ..schemas import AccountSchema, PageSchema, QuotaSchema, ResumeReplySchema

UPLOADS, FILES, CALLER = "Uploads", "Files", "Caller"

#: A file's headers, whole or in part.
_FILE_HEADERS: Mapping[str, Described] = {
    "ETag": told("The MD5, if the server keeps it.", example='"5d41402abc4b2a76b9719d911017c592"'),
    "Accept-Ranges": told("`bytes`", example="bytes"),
    "Content-Disposition": told(
        "`attachment` with the file's name (RFC 6266).", example='attachment; filename="video.mp4"'
    ),
    "Content-Security-Policy": told("A sandbox.", example="sandbox; default-src 'none'"),
    "X-Content-Type-Options": told("`nosniff`", example="nosniff"),
    "Last-Modified": told("When the upload was completed."),
    "Cache-Control": told("Caches must ask each time.", example="private, no-cache"),
}

CONDITIONS = (
    header("Range", "The part that is wanted.", example="bytes=0-1023"),
    header("If-None-Match", "Answer 304 if the file has this ETag."),
    header("If-Modified-Since", "Answer 304 if the file is not newer."),
    header("If-Match", "Answer 412 if the file has another ETag."),
    header("If-Unmodified-Since", "Answer 412 if the file is newer."),
    header("If-Range", "Answer the whole file if it has another ETag."),
)

_LIST = query(
    "file",
    "The question of jQuery-File-Upload: is there an unfinished upload of this name?",
)
_SIZE = query("size", "With `file`: only an upload of exactly this length.", SIZE)


def file_answers(*types: str) -> dict[int, Answer]:
    """Return the answers with a file: whole, in part, and none because the caller has it.

    :param types: media types besides that of downloads.
    """
    bodies = dict.fromkeys((BYTES, *types), Body(schema=BINARY))
    part = {"Content-Range": told("Which part it is.", example="bytes 0-1023/20000000")}
    return {
        200: Answer(meaning="The file.", bodies=bodies, headers=_FILE_HEADERS),
        206: Answer(
            meaning="The part of the file that was asked for.",
            bodies=bodies,
            headers={**_FILE_HEADERS, **part},
        ),
        304: Answer(meaning="The caller has the file already."),
        412: Answer(meaning="`If-Match` or `If-Unmodified-Since` is not true of the file."),
    }


def list_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the caller's list, and the resume question."""
    yield Operation(
        verb="GET",
        name="list_uploads",
        title="List the caller's own uploads",
        topic=UPLOADS,
        text="Newest first, a page at a time; follow `next`. With `file` the answer is instead the"
        " unfinished upload to resume, or null. Both start an anonymous browser's session.",
        parameters=(*_from_schema(upload_set.schemas.list_query), _LIST, _SIZE),
        answers={200: _page(upload_set)},
        refusals=(
            BadRequest("Cannot list uploads: page: Not a valid integer."),
            BadRequest("'size' must be a whole number from 0 to 2^63-1, not 'a'"),
        ),
    )


def _page(upload_set: Any) -> Answer:
    page = {
        "allOf": [PageSchema],
        "type": "object",
        "properties": {"uploads": {"type": "array", "items": upload_set.schemas.kinds.upload}},
    }
    entry = example_upload(complete=True)
    del entry["metadata"]
    following = f"{upload_set.settings.url_prefix}/?page=2&per_page=1"
    shown = {"uploads": [entry], "page": 1, "per_page": 1, "total": 2, "next": following}
    found = {
        "name": "video.mp4",
        "size": EXAMPLE_OFFSET,
        "upload_id": EXAMPLE_ID,
        "length": EXAMPLE_SIZE,
    }
    return json_answer(
        "A page of uploads; with `file`, the upload to resume.",
        {"anyOf": [page, ResumeReplySchema]},
        {"page": shown, "resume": {"file": found}, "nothing to resume": {"file": None}},
        Link=told("The next page.", example=f'<{following}>; rel="next"'),
    )


def _from_schema(schema: Any) -> Iterable[Described]:
    """Return a marker that the description expands into the parameters of a schema."""
    return ({"in": "query", "schema": schema},)


def upload_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the state of an upload, and its removal."""
    state = Body(
        schema=upload_set.schemas.kinds.upload,
        examples={
            "unfinished": example_upload(complete=False),
            "complete": example_upload(complete=True),
        },
    )
    yield Operation(
        verb="GET",
        name="get_upload",
        title="Get an upload's state, for resuming",
        topic=UPLOADS,
        text="Resume from `offset`. `status` is 1 while uploading and 2 when complete.",
        answers={200: Answer(meaning="The state.", bodies={JSON: state}, headers=PROGRESS)},
        refusals=(UploadNotFound(), UploadExpired()),
    )
    yield Operation(
        verb="DELETE",
        name="delete_upload",
        title="Abort an upload, or delete a completed one",
        topic=UPLOADS,
        text="Its bytes are deleted; later requests get 404.",
        answers={204: Answer(meaning="The upload is gone.")},
        refusals=(UploadNotFound(), UploadClaimed()),
    )


def file_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the download."""
    answers = file_answers()
    if upload_set.settings.redirect_files is not None:
        answers[302] = Answer(
            meaning="The object store has the file.",
            headers={"Location": told("A URL that works for a short time.")},
        )
    yield Operation(
        verb="GET",
        name="download_file",
        title="Download a completed file",
        topic=FILES,
        text="Browsers never render it on this origin.",
        parameters=CONDITIONS,
        answers=answers,
        refusals=(UploadNotFound(), NotComplete(EXAMPLE_OFFSET), RangeNotSatisfiable(EXAMPLE_SIZE)),
        public=upload_set.settings.public_files,
    )


def named_file_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe the file by its name, as Flask-Uploads serves it."""
    yield Operation(
        verb="GET",
        name="show_file",
        title="Show a completed file in a page",
        topic=FILES,
        text="The same file by its name in the upload set's place. Browsers show images, video,"
        " audio and PDF, in a sandbox, and download the rest.",
        parameters=(
            path("setname", "The upload set.", example=upload_set.name),
            path("filename", "Name in the place of the upload set; it may have slashes."),
            *CONDITIONS,
        ),
        answers=file_answers("*/*"),
        refusals=(
            UploadNotFound(),
            FileNotFound(),
            NotComplete(EXAMPLE_OFFSET),
            RangeNotSatisfiable(EXAMPLE_SIZE),
        ),
        public=upload_set.settings.public_files,
    )


def quota_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe what the caller may have, and has."""
    stored = {"used": 600, "left": 400, "max": 1000}
    quota = {
        "open_uploads": {"used": 1, "left": 2, "max": 3},
        "open_bytes": None,
        "stored_files": None,
        "stored_bytes": stored,
        "bytes_per_day": {**stored, "resets": "2026-01-02T00:00:00.000Z"},
        "requests_per_second": {"max": 20},
    }
    yield Operation(
        verb="GET",
        name="get_quota",
        title="Get the caller's limits, and how much of them is used",
        topic=CALLER,
        text="Sizes are in bytes. A limit that does not exist is null.",
        answers={
            200: json_answer(
                "What the caller may have, and has, now.", QuotaSchema, {"quota": quota}
            )
        },
    )


def account_operations(upload_set: Any) -> Iterable[Operation]:
    """Describe what the caller may send."""
    account = {
        "name": "alice",
        "limits": {
            "max_bytes": 10737418240,
            "max_chunk_bytes": None,
            "allowed_extensions": None,
            "denied_extensions": [],
        },
        "quota": {
            "bytes": {"used": 600, "left": 400, "max": 1000},
            "files": {"used": 1, "left": 2, "max": 3},
        },
        "expires_after": 86400,
        "share": {"enabled": True, "max_age": 604800},
    }
    yield Operation(
        verb="GET",
        name="get_account",
        title="Get the caller's name, limits and quota",
        topic=CALLER,
        text="Sizes are in bytes, times in seconds. A limit that does not exist is null.",
        answers={
            200: json_answer("What holds for the caller now.", AccountSchema, {"account": account})
        },
    )
