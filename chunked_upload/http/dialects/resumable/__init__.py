"""Resumable Uploads for HTTP, the IETF's draft (draft-ietf-httpbis-resumable-upload).

The text is that of -12 (interop version 8); clients of older interop versions are served too
(``versions.py``). An upload is a resource at its id's URL, as in every dialect.

    POST  /uploads/      Upload-Complete: ?0      creation.py
    HEAD  /uploads/<id>                           state.py
    PATCH /uploads/<id>  Upload-Complete: ?1      append.py
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Request, Response, request

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.dialect import Dialect, Recognition, Route, register
from chunked_upload.http.wire.parameters import media_type
from chunked_upload.settings.keys import Settings

from . import operations
from .append import AppendView
from .creation import CreationView
from .heads import LENGTH_HEADER, OFFSET_HEADER, read_completeness
from .limits import LIMIT_HEADER, upload_limit
from .problems import WORDS, ProblemSchema, problem_reply
from .repeated_creation import KEY_HEADER
from .settings import ResumableSettings
from .state import StateView
from .versions import COMPLETE_HEADER, INCOMPLETE_HEADER, INTEROP_HEADER

_LIKE_AN_ID = re.compile(r"[0-9A-Fa-f]{32}")


@register
class ResumableDialect(Dialect):
    """The IETF's resumable uploads."""

    name = "resumable"
    title = "Resumable Uploads for HTTP"
    recognised_by = Recognition.HEADERS
    refusals = WORDS
    error_schema = ProblemSchema
    settings = ResumableSettings
    unforgeable_headers = (COMPLETE_HEADER, INCOMPLETE_HEADER, OFFSET_HEADER, INTEROP_HEADER)
    request_headers = (
        *unforgeable_headers,
        LENGTH_HEADER,
        "Content-Digest",
        "Content-Disposition",
        KEY_HEADER,
        "Repr-Digest",
        "Want-Repr-Digest",
    )
    response_headers = (
        *unforgeable_headers,
        LENGTH_HEADER,
        LIMIT_HEADER,
        "Location",
        "Repr-Digest",
    )

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Return the routes, all of which others have as well."""
        known = {"PUT": CreationView, "PATCH": AppendView, "GET": StateView, "DELETE": StateView}
        return (
            Route(
                "/",
                "uploads",
                {"POST": CreationView, "PUT": CreationView},
                strict=True,
                operations=operations.root_operations,
            ),
            Route("/<upload_id>", "upload", known, operations=operations.upload_operations),
        )

    def recognises(self, request: Request) -> bool:
        """Return whether a request is of the draft.

        PATCH is the draft's alone. GET, HEAD and DELETE of an upload are the same for everyone.
        """
        at = (request.view_args or {}).get("upload_id")
        if request.method in ("POST", "PUT"):
            return not _LIKE_AN_ID.fullmatch(at or "") and _creates(request)
        return at is not None

    def announcement(self, upload_set: Any, rule: str) -> Mapping[str, str]:
        """Return the limits of uploads that may be created (section 4.1.4)."""
        return {LIMIT_HEADER: upload_limit(upload_set.upload_view(upload_set), request, None)}

    def render(self, settings: Settings, error: ChunkedUploadError) -> Response:
        """Return a refusal as problem details."""
        return problem_reply(settings, error)


def _creates(request: Request) -> bool:
    """Return whether a request that may create an upload asks for a resumable one.

    A header that cannot be read counts as not sent. A form that is sent whole is taken as a form,
    which cannot be resumed.
    """
    try:
        complete = read_completeness(request)
    except ChunkedUploadError:
        return True  # the view says what is wrong
    if media_type(request.environ) == "multipart/form-data":
        return complete is False
    return complete is not None
