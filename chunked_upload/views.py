"""django-chunked-upload's module name: the views that apps subclass."""

from .http.dialects.django.chunks import ChunkedUploadView
from .http.dialects.django.completion import ChunkedUploadCompleteView
from .http.views.base import ChunkedUploadBaseView

__all__ = ["ChunkedUploadBaseView", "ChunkedUploadCompleteView", "ChunkedUploadView"]
