"""Flask-Uploads' upload sets, on top of the extension."""

from ..extension import after_init
from .configuration import UploadConfiguration, addslash
from .configured import add_configured
from .names import lowercase_ext
from .upload_set import UploadSet, configure_uploads

after_init.append(add_configured)

__all__ = ["UploadConfiguration", "UploadSet", "addslash", "configure_uploads", "lowercase_ext"]
