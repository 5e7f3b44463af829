"""Resumable chunked uploads for Flask: the django-chunked-upload protocol, made trustworthy."""

from . import administration, metrics, openapi  # noqa: F401 - each where a setting asks for it
from .engine.errors import UploadClaimed, UploadNotFound
from .errors import ChunkedUploadError, ConfigurationError
from .extension import ChunkedUpload
from .hooks import chunk_received, upload_aborted, upload_completed, upload_created, upload_expired
from .http.dialects.django.chunks import ChunkedUploadView
from .http.dialects.django.completion import ChunkedUploadCompleteView
from .http.django_model import AbstractChunkedUpload
from .http.save_errors import NameRefused, SaveRefused, UploadNotAllowed
from .http.uploaded_file import UploadedFile
from .pages.flask_dropzone import Dropzone
from .records.attached import CannotAttach, attached_upload
from .records.model import ChunkedUploadMixin, Status
from .settings.extension_rules import allowed_file
from .settings.limits import Limits
from .storage import LocalStorage, Storage
from .support.filenames import extension
from .support.presets import (
    ALL,
    ARCHIVES,
    AUDIO,
    DATA,
    DEFAULTS,
    DOCUMENTS,
    EXECUTABLES,
    IMAGES,
    SCRIPTS,
    SOURCE,
    TEXT,
    VIDEO,
    AllExcept,
)
from .upload_sets import UploadConfiguration, UploadSet, addslash, configure_uploads, lowercase_ext

__all__ = [
    "ALL",
    "ARCHIVES",
    "AUDIO",
    "DATA",
    "DEFAULTS",
    "DOCUMENTS",
    "EXECUTABLES",
    "IMAGES",
    "SCRIPTS",
    "SOURCE",
    "TEXT",
    "VIDEO",
    "AbstractChunkedUpload",
    "AllExcept",
    "CannotAttach",
    "ChunkedUpload",
    "ChunkedUploadCompleteView",
    "ChunkedUploadError",
    "ChunkedUploadMixin",
    "ChunkedUploadView",
    "ConfigurationError",
    "Dropzone",
    "Limits",
    "LocalStorage",
    "NameRefused",
    "SaveRefused",
    "Status",
    "Storage",
    "UploadClaimed",
    "UploadConfiguration",
    "UploadNotAllowed",
    "UploadNotFound",
    "UploadSet",
    "UploadedFile",
    "addslash",
    "allowed_file",
    "attached_upload",
    "chunk_received",
    "configure_uploads",
    "extension",
    "lowercase_ext",
    "upload_aborted",
    "upload_completed",
    "upload_created",
    "upload_expired",
]
