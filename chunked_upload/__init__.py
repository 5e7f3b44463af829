"""Resumable chunked uploads for Flask: the django-chunked-upload protocol, made trustworthy."""

from .errors import ChunkedUploadError, ConfigurationError
from .extension import ChunkedUpload
from .hooks import (
    chunk_received,
    upload_aborted,
    upload_completed,
    upload_created,
    upload_expired,
)
from .models import ChunkedUploadMixin, Status
from .protocols.chunked import ChunkedUploadView
from .protocols.complete import ChunkedUploadCompleteView
from .storage import LocalStorage, Storage
from .uploaded_file import UploadedFile

__all__ = [
    "ChunkedUpload",
    "ChunkedUploadCompleteView",
    "ChunkedUploadError",
    "ChunkedUploadMixin",
    "ChunkedUploadView",
    "ConfigurationError",
    "LocalStorage",
    "Status",
    "Storage",
    "UploadedFile",
    "chunk_received",
    "upload_aborted",
    "upload_completed",
    "upload_created",
    "upload_expired",
]
