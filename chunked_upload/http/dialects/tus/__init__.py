"""tus 1.0: uploads that are created, then grow at their end (https://tus.io/protocols)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from flask import Response

from chunked_upload.engine import errors
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.dialect import REFUSALS, Dialect, Recognition, Refusal, Route, register
from chunked_upload.http.views.base import VERBS
from chunked_upload.settings.keys import Settings

from . import operations
from .answers import versioned
from .creation import TusCreationView
from .settings import TusSettings
from .upload import TusUploadView

_MISMATCH = "Checksum Mismatch"


@register
class TusDialect(Dialect):
    """tus 1.0."""

    name = "tus"
    title = "tus"
    recognised_by = Recognition.HEADERS
    refusals: ClassVar[Mapping[type[errors.UploadError], Refusal]] = {
        **REFUSALS,
        errors.AlreadyComplete: Refusal(409, "Upload is complete"),
        errors.OffsetMismatch: Refusal(409, "Offsets do not match"),
        errors.BytesDiffer: Refusal(409, "The bytes differ from those already stored"),
        errors.BeyondLength: Refusal(413, "The bytes end beyond the upload's length"),
        errors.FileTooLarge: Refusal(413, "Size of file exceeds the limit ({error.limit} bytes)"),
        errors.ChecksumMismatch: Refusal(460, "{error.algorithm} checksum does not match"),
    }
    settings = TusSettings
    unforgeable_headers = ("Tus-Resumable",)
    request_headers = (
        "Tus-Resumable",
        "Upload-Checksum",
        "Upload-Concat",
        "Upload-Defer-Length",
        "Upload-Length",
        "Upload-Metadata",
        "Upload-Offset",
        "X-HTTP-Method-Override",
        "X-Request-ID",
        "X-Requested-With",
    )
    response_headers = (
        "Tus-Checksum-Algorithm",
        "Tus-Extension",
        "Tus-Max-Size",
        "Tus-Resumable",
        "Tus-Version",
        "Upload-Concat",
        "Upload-Defer-Length",
        "Upload-Expires",
        "Upload-Length",
        "Upload-Metadata",
        "Upload-Offset",
    )

    def routes(self, upload_set: Any) -> Iterable[Route]:
        """Return the routes; their views answer every verb, so that 405 has the version too."""
        return (
            Route(
                "/tus/",
                "tus",
                dict.fromkeys(VERBS, TusCreationView),
                operations=operations.creation_operations,
            ),
            Route(
                "/tus/<upload_id>",
                "tus_upload",
                dict.fromkeys(VERBS, TusUploadView),
                operations=operations.upload_operations,
            ),
        )

    def refusal(self, error: ChunkedUploadError) -> ChunkedUploadError:
        """Return an error with its status; 409 tells where the next byte goes."""
        answer = super().refusal(error)
        if answer.status_code == 409 and "offset" in answer.data:
            answer.headers["Upload-Offset"] = str(answer.data["offset"])
        return answer

    def render(self, settings: Settings, error: ChunkedUploadError) -> Response:
        """Return the answer, with the version and, for 460, its reason phrase."""
        response = versioned(super().render(settings, error))
        if response.status_code == 460:
            response.status = f"460 {_MISMATCH}"
        return response
