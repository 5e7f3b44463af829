"""The engine's errors: what happened, and the numbers that belong to it. No HTTP.

Each dialect says these in its own status and words (``http/dialects/base.py``). ``data`` holds what
a client may be told besides. Its ``reason`` tells people what was wrong and what was expected; its
text may change.
"""

from __future__ import annotations

from typing import Any

from chunked_upload.errors import ChunkedUploadError


class UploadError(ChunkedUploadError):
    """The engine refuses something.

    :param data: numbers and reasons for the client.
    """

    #: Seconds after which the same request may be taken, if time alone helps.
    retry_after: int | None = None

    def __init__(self, **data: Any) -> None:
        super().__init__(None, **data)

    def __str__(self) -> str:
        """Return the error's name and its numbers, for logs."""
        said = ", ".join(f"{name}={value!r}" for name, value in self.data.items())
        return f"{type(self).__name__}({said})"


class UploadNotFound(UploadError):
    """There is no such upload, or it is someone else's; the client cannot tell which."""


class UploadExpired(UploadError):
    """The upload ran out of time, or its bytes are gone; the client must start again."""


class AlreadyComplete(UploadError):
    """The upload is complete and takes no more bytes."""


class UploadClaimed(UploadError):
    """The app uses the upload: it cannot be claimed again, and its client cannot remove it."""

    def __init__(self) -> None:
        super().__init__(reason="the app has claimed it, for a form or for a row of its own")


class NotComplete(UploadError):
    """Bytes are missing from ``offset`` on."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset=offset)


class OffsetMismatch(UploadError):
    """The bytes do not start at ``offset``, where the stored prefix ends."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset=offset)


class JoinedOfPieces(UploadError):
    """The upload gets its bytes from its pieces alone."""


class BytesDiffer(UploadError):
    """Different bytes are already stored in this range, and stay; the prefix ends at ``offset``."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset=offset)


class SizeMismatch(UploadError):
    """The bytes that arrived are not the bytes that were declared."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class BeyondLength(SizeMismatch):
    """The bytes would end beyond the file's ``length``."""

    def __init__(self, length: int, end: int) -> None:
        super().__init__(f"the chunk ends at byte {end}, the file has {length}")
        self.length = length


class TotalMismatch(UploadError):
    """The request declares a total that is not the upload's ``length``."""

    def __init__(self, length: int) -> None:
        super().__init__(length=length)


class FileTooLarge(UploadError):
    """The file, as declared or as received, has more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit


class ChecksumMismatch(UploadError):
    """The client's checksum is not that of the stored bytes.

    :param algorithm: the checksum's name, such as ``md5``.
    """

    def __init__(self, algorithm: str = "md5") -> None:
        super().__init__()
        self.algorithm = algorithm


class LimitReached(UploadError):
    """A limit other than the file's size.

    :param limit: which limit, and what the client can do.
    :param retry_after: seconds until it is not reached any more, if time alone helps.
    """

    def __init__(self, limit: str, *, retry_after: int | None = None) -> None:
        super().__init__()
        self.limit = limit
        self.retry_after = retry_after


class TooManyRequests(UploadError):
    """The owner sends more requests than their limit allows.

    :param retry_after: seconds until the next one is taken.
    """

    def __init__(self, *, limit: int, retry_after: int) -> None:
        super().__init__()
        self.limit = limit
        self.retry_after = retry_after


class ServiceUnavailable(UploadError):
    """Database or storage does not work now; nothing changed, and the client may try again.

    :param problem: which of them, and what it said.
    """

    def __init__(self, problem: str) -> None:
        super().__init__()
        self.problem = problem


class StorageFull(UploadError):
    """There is no room left for the bytes or the records; the offset is unchanged."""
