"""Form fields for WTForms and Flask-WTF (extra ``wtf``)."""

try:
    from .pages.upload_field import ChunkedFileField, MultipleChunkedFileField
except ImportError as error:
    raise ImportError(
        "chunked_upload.wtforms needs WTForms; install chunked-upload[wtf]"
    ) from error

__all__ = ["ChunkedFileField", "MultipleChunkedFileField"]
