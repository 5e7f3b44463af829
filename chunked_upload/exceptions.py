"""django-chunked-upload's module name: the error that hooks raise."""

from .errors import ChunkedUploadError

__all__ = ["ChunkedUploadError"]
