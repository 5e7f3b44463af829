"""django-chunked-upload's module name: the base of an app's own upload model."""

from .records.model import ChunkedUploadMixin, Status

#: As django-chunked-upload calls it. It is a mixin here: ``class Upload(AbstractChunkedUpload,
#: db.Model)``.
AbstractChunkedUpload = ChunkedUploadMixin

__all__ = ["AbstractChunkedUpload", "ChunkedUploadMixin", "Status"]
