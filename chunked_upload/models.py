"""django-chunked-upload's module name: the base of an app's own upload model."""

from typing import NoReturn

from .http.django_model import AbstractChunkedUpload
from .records.model import ChunkedUploadMixin, Status

__all__ = ["AbstractChunkedUpload", "ChunkedUploadMixin", "Status"]


def __getattr__(name: str) -> NoReturn:
    if name == "ChunkedUpload":
        raise ImportError(
            "a model belongs to an app's database, so there is no ChunkedUpload to import here;"
            " use uploads.model, or derive your own:"
            " class MyChunkedUpload(AbstractChunkedUpload, db.Model)"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
