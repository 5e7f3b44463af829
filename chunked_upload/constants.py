"""django-chunked-upload's module name: ``status`` values, and HTTP's."""

from __future__ import annotations

from typing import Final

from .records.model import Status


class http_status:  # noqa: N801
    """Statuses for ``ChunkedUploadError(status=http_status.HTTP_400_BAD_REQUEST, ...)``."""

    HTTP_200_OK: Final = 200
    HTTP_400_BAD_REQUEST: Final = 400
    HTTP_403_FORBIDDEN: Final = 403
    HTTP_410_GONE: Final = 410


UPLOADING: Final = Status.UPLOADING
COMPLETE: Final = Status.COMPLETE

#: Values and labels, as for a form's choices.
CHUNKED_UPLOAD_CHOICES: Final = ((UPLOADING, "Uploading"), (COMPLETE, "Complete"))

__all__ = ["CHUNKED_UPLOAD_CHOICES", "COMPLETE", "UPLOADING", "http_status"]
