"""Flask-Uploads' upload sets, on top of the extension."""

from .configuration import UploadConfiguration, addslash
from .names import lowercase_ext
from .upload_set import UploadSet, configure_uploads

__all__ = ["UploadConfiguration", "UploadSet", "addslash", "configure_uploads", "lowercase_ext"]
