"""Resumable chunked uploads for Flask: the django-chunked-upload protocol, made trustworthy."""

from .engine.errors import UploadNotFound
from .errors import ChunkedUploadError, ConfigurationError
from .extension import ChunkedUpload
from .hooks import chunk_received, upload_aborted, upload_completed, upload_created, upload_expired
from .http.dialects.django.chunks import ChunkedUploadView
from .http.dialects.django.completion import ChunkedUploadCompleteView
from .http.uploaded_file import UploadedFile
from .records.model import ChunkedUploadMixin, Status
from .storage import LocalStorage, Storage

#: django-chunked-upload's name of the mixin.
AbstractChunkedUpload = ChunkedUploadMixin

__all__ = [
    "AbstractChunkedUpload",
    "ChunkedUpload",
    "ChunkedUploadCompleteView",
    "ChunkedUploadError",
    "ChunkedUploadMixin",
    "ChunkedUploadView",
    "ConfigurationError",
    "LocalStorage",
    "Status",
    "Storage",
    "UploadNotFound",
    "UploadedFile",
    "chunk_received",
    "upload_aborted",
    "upload_completed",
    "upload_created",
    "upload_expired",
]
