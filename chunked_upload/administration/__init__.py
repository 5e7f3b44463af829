"""The admin page at ``/admin``, where ``CHUNKED_UPLOAD_ADMIN_LOADER`` knows administrators."""

from ..extension import after_init
from .routes import add_admin

after_init.append(add_admin)
