"""Errors of a request before it reaches the engine: headers, bodies, fields, credentials.

Statuses and ``detail`` texts are the contract (docs/protocol.md). A ``reason`` tells people what
was wrong with this request and what was expected; its text may change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from chunked_upload.errors import ChunkedUploadError


class AuthenticationRequired(ChunkedUploadError):
    """403: the caller must be known.

    :param reason: what was wrong with its credentials, or that there were none.
    """

    def __init__(self, reason: str) -> None:
        detail = "Authentication credentials were not provided"
        super().__init__(403, detail=detail, reason=reason)


class TokenRefused(AuthenticationRequired):
    """403: a token was sent, and it does not count."""


class TicketRefused(ChunkedUploadError):
    """403: the ticket is genuine, and does not allow this upload."""

    def __init__(self, reason: str) -> None:
        super().__init__(403, detail="The ticket does not allow this upload", reason=reason)


class ScopeMissing(ChunkedUploadError):
    """403: the token is known, and may not be used for this.

    :param has, needs: its scopes, and those of which it needs one.
    """

    def __init__(self, *, has: Collection[str], needs: Collection[str]) -> None:
        super().__init__(
            403,
            detail="The token's scope does not allow this",
            reason=f"it needs the scope {' or '.join(needs)}, and has {', '.join(sorted(has))}",
        )


class CsrfRefused(ChunkedUploadError):
    """400: another site may have sent the request; ``csrf_token_url`` has a token for its page."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, detail="The CSRF token is missing or wrong", reason=reason)


class FileNotFound(ChunkedUploadError):
    """404: the package ships no such static file."""

    def __init__(self) -> None:
        super().__init__(404, detail="File not found")


class NoChunkSubmitted(ChunkedUploadError):
    """400: the request carries no file part and no raw body.

    :param fields: what the form had instead.
    """

    def __init__(self, reason: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(400, detail="No chunk file was submitted", reason=reason)
        self.fields = dict(fields or {})


class NoFileSelected(NoChunkSubmitted):
    """400: the form's file field was left empty."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("no file was chosen in the form's file field", fields)


class BadRequestHeaders(ChunkedUploadError):
    """400: Content-Range (or another header that frames the body) is missing or malformed."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, detail="Error in request headers", reason=reason)


class BadRequest(ChunkedUploadError):
    """400: a field or parameter of the request makes no sense."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail=detail)


class FieldsRequired(ChunkedUploadError):
    """400: the complete request lacks a field.

    :param checksums: names of the checksums of which the client must send one.
    """

    def __init__(self, *, checksums: Sequence[str]) -> None:
        if not checksums:
            super().__init__(400, detail="'upload_id' is required")
            return
        first, *others = sorted(checksums, key=lambda name: name != "md5")
        data = {"reason": f"instead of '{first}' send any of {others}"} if others else {}
        super().__init__(400, detail=f"Both 'upload_id' and '{first}' are required", **data)


class MethodNotOffered(ChunkedUploadError):
    """405: the verb is not offered here; ``Allow`` lists the ones that are (RFC 9110 15.5.6).

    :param data: a ``reason``, where the client has probably meant something else.
    """

    def __init__(self, allowed: list[str], **data: str) -> None:
        listed = ", ".join(allowed)
        super().__init__(405, detail=f"Method not allowed; use {listed}", **data)
        self.headers["Allow"] = listed


class LengthRequired(ChunkedUploadError):
    """411: nothing says where the body ends, so a cut connection would look like its end."""

    def __init__(self) -> None:
        super().__init__(
            411, detail="Length required: send Content-Length, or Content-Range for each chunk"
        )


class LimitExceeded(ChunkedUploadError):
    """413: a limit other than the size of the file."""

    def __init__(self, detail: str) -> None:
        super().__init__(413, detail=detail)


def request_too_large(limit: int) -> LimitExceeded:
    """Return the refusal of a request with more bytes than Flask's ``MAX_CONTENT_LENGTH``."""
    return LimitExceeded(f"Size of request exceeds the limit ({limit} bytes)")


class UnsupportedBody(ChunkedUploadError):
    """415: a body type or a file type that is not accepted."""

    def __init__(self, detail: str) -> None:
        super().__init__(415, detail=detail)


class RangeNotSatisfiable(ChunkedUploadError):
    """416: the asked range of a file lies outside of it (RFC 9110 15.5.17)."""

    def __init__(self, length: int) -> None:
        super().__init__(416, detail=f"Range not satisfiable; the file has {length} bytes")
        self.headers["Content-Range"] = f"bytes */{length}"
