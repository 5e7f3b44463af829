"""What tus refuses before the engine is asked: versions, types, and final uploads."""

from __future__ import annotations

from chunked_upload.errors import ChunkedUploadError

#: The only version of the protocol that is served.
VERSION = "1.0.0"

#: The type of every body with bytes of a file.
BODY_TYPE = "application/offset+octet-stream"


class VersionRefused(ChunkedUploadError):
    """412: the client speaks no version that is served, or does not say which."""

    def __init__(self, given: str | None) -> None:
        said = "is missing" if given is None else f"is {given[:40]!r}"
        super().__init__(412, detail=f"Tus-Resumable {said}; expected {VERSION}")
        self.headers["Tus-Version"] = VERSION


class BodyTypeRefused(ChunkedUploadError):
    """415: the body has another type than tus gives its bytes."""

    def __init__(self, given: str) -> None:
        said = f"not {given}" if given else "none was sent"
        super().__init__(415, detail=f"Content-Type must be {BODY_TYPE}, {said}")


class FinalUpload(ChunkedUploadError):
    """403: a final upload gets its bytes from its partial uploads, not from requests."""

    def __init__(self) -> None:
        super().__init__(403, detail="A final upload takes no bytes; send them to its partial ones")
