"""Refusals of files that a view of the app wanted to save.

They are HTTP exceptions too: where the view does not catch them, Flask answers with their status,
as it does for ``abort()``.
"""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import HTTPException

from chunked_upload.errors import ChunkedUploadError


class SaveRefused(ChunkedUploadError, HTTPException):
    """A hook or a limit refuses the file; nothing is kept of it.

    :param status: HTTP status code.
    :param data: ``detail`` and what else clients are told.
    """

    def __init__(self, status: int | None = None, **data: Any) -> None:
        super().__init__(status or 400, **data)
        self.code = self.status_code

    def __str__(self) -> str:
        return str(self.data.get("detail", ""))

    @classmethod
    def of(cls, error: ChunkedUploadError) -> SaveRefused:
        """Return a refusal, which has its status and words, as one of these."""
        if error.status_code == UploadNotAllowed.code:
            made: SaveRefused = UploadNotAllowed(str(error))
        else:
            made = cls(error.status_code, **error.data)
        made.headers.update(error.headers)
        made.__cause__ = error
        return made


class UploadNotAllowed(SaveRefused):
    """The upload set does not take this type of file; Flask-Uploads' exception."""

    code = 415

    def __init__(self, detail: str = "Files of this type are not accepted") -> None:
        super().__init__(415, detail=detail)


class NameRefused(SaveRefused, ValueError):
    """The file has no name, or one that leads out of the upload set's place."""

    code = 400

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail=detail)
