"""Everything that can be refused, as exceptions that know their HTTP answer.

Each kind is one row of the protocol's error table: a status, a fixed ``detail`` text that clients
compare, and extra fields. ``reason`` says in words what was wrong with this request and what was
expected; it is for people and may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ChunkedUploadError(Exception):
    """A request that is refused, with the answer that its sender gets.

    The signature is django-chunked-upload's, so hooks written for it can raise
    ``ChunkedUploadError(status=400, detail="...")`` unchanged.

    :param status: HTTP status code.
    :param data: fields of the JSON answer, ``detail`` among them.
    """

    headers: dict[str, str]

    def __init__(self, status: int, **data: Any) -> None:
        super().__init__(data.get("detail", ""))
        self.status_code = status
        self.data = data
        self.headers = {}


class AuthenticationRequired(ChunkedUploadError):
    """403: the caller is nobody known, and this service wants to know."""

    def __init__(self) -> None:
        super().__init__(403, detail="Authentication credentials were not provided")


class CsrfRefused(ChunkedUploadError):
    """400: the request may be another site's doing; ``csrf_token_url`` has a token for its page."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, detail="The CSRF token is missing or wrong", reason=reason)


class UploadNotFound(ChunkedUploadError):
    """404: no such upload, or someone else's; the two look the same."""

    def __init__(self) -> None:
        super().__init__(404, detail="Upload not found")


class FileNotFound(ChunkedUploadError):
    """404: the package ships no such static file."""

    def __init__(self) -> None:
        super().__init__(404, detail="File not found")


class UploadExpired(ChunkedUploadError):
    """410: the upload ran out of time, or its bytes are gone; begin anew."""

    def __init__(self, **data: Any) -> None:
        super().__init__(410, detail="Upload has expired", **data)


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


class FileTooLarge(ChunkedUploadError):
    """400: the file, as declared or as received, is larger than an upload may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(400, detail=f"Size of file exceeds the limit ({limit} bytes)")


class OffsetMismatch(ChunkedUploadError):
    """400: the chunk does not start where the upload stands; ``offset`` says where that is."""

    def __init__(self, offset: int) -> None:
        super().__init__(400, detail="Offsets do not match", offset=offset)


class BytesDiffer(ChunkedUploadError):
    """400: a repeated range carries other bytes than the ones stored; those stay."""

    def __init__(self, offset: int) -> None:
        super().__init__(400, detail="Chunk differs from the bytes already stored", offset=offset)


class SizeMismatch(ChunkedUploadError):
    """400: the bytes that arrived are not the bytes that were declared."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, detail="File size doesn't match headers", reason=reason)


class AlreadyComplete(ChunkedUploadError):
    """400: a chunk for an upload that is complete."""

    def __init__(self) -> None:
        super().__init__(400, detail='Upload has already been marked as "complete"')


class TotalMismatch(ChunkedUploadError):
    """400: a later chunk declares another total than the first; ``length`` is the first's."""

    def __init__(self, length: int) -> None:
        super().__init__(400, detail="Total size does not match", length=length)


class FieldsRequired(ChunkedUploadError):
    """400: the complete request lacks a field."""

    def __init__(self, *, md5_required: bool) -> None:
        needed = "Both 'upload_id' and 'md5' are" if md5_required else "'upload_id' is"
        super().__init__(400, detail=f"{needed} required")


class ChecksumMismatch(ChunkedUploadError):
    """400: the MD5 that the client sent is not the MD5 of what is stored."""

    def __init__(self) -> None:
        super().__init__(400, detail="md5 checksum does not match")


class NotComplete(ChunkedUploadError):
    """400: bytes are still missing; ``offset`` says from where on."""

    def __init__(self, offset: int) -> None:
        super().__init__(400, detail="Upload is not complete", offset=offset)


class MethodNotOffered(ChunkedUploadError):
    """405: the verb is not offered here; ``Allow`` lists the ones that are (RFC 9110 15.5.6)."""

    def __init__(self, allowed: list[str]) -> None:
        listed = ", ".join(allowed)
        super().__init__(405, detail=f"Method not allowed; use {listed}")
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


class UnsupportedBody(ChunkedUploadError):
    """415: a body type or a file type that is not taken."""

    def __init__(self, detail: str) -> None:
        super().__init__(415, detail=detail)


class RangeNotSatisfiable(ChunkedUploadError):
    """416: the asked range of a file lies outside of it (RFC 9110 15.5.17)."""

    def __init__(self, length: int) -> None:
        super().__init__(416, detail=f"Range not satisfiable; the file has {length} bytes")
        self.headers["Content-Range"] = f"bytes */{length}"


class ServiceUnavailable(ChunkedUploadError):
    """503: database or storage does not answer for now; nothing changed, try again."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail=detail)
        self.headers["Retry-After"] = "1"


class StorageFull(ChunkedUploadError):
    """507: no room (or quota) left where the bytes or the records go; the offset is unchanged."""

    def __init__(self) -> None:
        super().__init__(
            507, detail="Storage is full; nothing of this request was kept, retry later"
        )


class ConfigurationError(Exception):
    """A setting that cannot work, found when the app starts: which, why, and what would do."""
