"""A whole file put at its name: what ``curl -T video.mp4 $URL/`` sends.

curl appends the file's name to a URL with a slash at its end. The upload is complete with its last
byte, since curl sends no further request. Names of 32 hex digits are ids of uploads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import Request, Response

from chunked_upload.engine.errors import (
    ChecksumMismatch,
    FileTooLarge,
    SizeMismatch,
    StorageFull,
)
from chunked_upload.http.errors import (
    BadRequestHeaders,
    LengthRequired,
    MethodNotOffered,
    UnsupportedBody,
)

from ..dialect import Dialect, Recognition, Route, register
from ..operation import (
    BINARY,
    BYTES,
    JSON,
    PROGRESS,
    Answer,
    Body,
    Operation,
    example_upload,
    query,
)
from ..views import whole_files
from ..views.receiving import ReceivingView
from ..views.resource import ResourceView
from ..wire.digests import read_file_digests
from ..wire.incoming import RawChunk
from ..wire.parameters import media_type
from ..wire.replies import add_progress

_LIKE_AN_ID = re.compile(r"[0-9A-Fa-f]{32}")


@register
class PutDialect(Dialect):
    """A raw body, put at the file's name."""

    name = "put"
    title = "Files put at their names"
    recognised_by = Recognition.HABITS

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Return the route, which is that of known uploads."""
        return (Route("/<upload_id>", "upload", {"PUT": PutView}, operations=_operations),)

    def recognises(self, request: Request) -> bool:
        """Return whether the last part of the URL is a file's name, not an upload's id."""
        if request.method != "PUT" or "Content-Range" in request.headers:
            return False
        return not _LIKE_AN_ID.fullmatch((request.view_args or {}).get("upload_id", ""))


class PutView(ResourceView):
    """Takes one whole file, by the rules and hooks of the upload set's views."""

    rules: ReceivingView

    def put(self, upload_id: str) -> Response:
        """Store and complete the file.

        :param upload_id: the file's name, at the place of an id.
        """
        rules = self.rules
        self.check_permissions(self.request)
        self._check_form()
        digests = set(self.request.args) & {*self.settings.kept_checksums}
        incoming = RawChunk(self.request, name=upload_id, checked=bool(digests))
        rules.chunk_fields = rules.load_fields(incoming)
        rules.upload_to_be = rules.describe_incoming(incoming, length=incoming.declared)
        rules.validate(self.request)
        with whole_files.all_or_none(self) as records:
            whole_files.take_files(rules, incoming, records)
            given = read_file_digests(self.request, incoming)
            [completed] = whole_files.complete(rules, records, given)
        return add_progress(self.reply(completed), records[0])

    def _check_form(self) -> None:
        """Refuse what is not a whole file."""
        if self.rules.needs_content_range:
            raise BadRequestHeaders(f"{self.rules.content_range_header} is required")
        kind = media_type(self.request.environ)
        if kind.startswith("multipart/") or kind == "application/x-www-form-urlencoded":
            raise UnsupportedBody(
                f"{kind} is not supported here; POST forms to the URL without a name"
            )


def _operations(upload_set: Any) -> Iterable[Operation]:
    completed = Body(
        schema=upload_set.schemas.kinds.upload,
        examples={"whole file": example_upload(complete=True)},
    )
    yield Operation(
        verb="PUT",
        name="put_file",
        title="Put a whole file at its name",
        topic="Whole files",
        text="The last part of the URL is the file's name: `curl -T video.mp4 $URL/`. The upload is"
        " complete with its last byte. 32 hex digits are an upload's id, never a name.",
        parameters=tuple(
            query(name, f"The file's {name} in hex digits, which is checked.")
            for name in upload_set.settings.kept_checksums
        ),
        bodies={BYTES: Body(schema=BINARY)},
        answers={
            200: Answer(meaning="The file is complete.", bodies={JSON: completed}, headers=PROGRESS)
        },
        refusals=(
            ChecksumMismatch("md5"),
            FileTooLarge(10737418240),
            SizeMismatch("Content-Length says 8000000 bytes, 7999999 came"),
            LengthRequired(),
            UnsupportedBody("multipart/form-data is not supported here"),
            MethodNotOffered(["POST"], reason="'complete' is a name of this service"),
            StorageFull(),
        ),
    )
