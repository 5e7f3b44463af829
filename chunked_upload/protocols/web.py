"""What pages fetch beside uploads: the package's own scripts and styles."""

from __future__ import annotations

from pathlib import PurePosixPath

from flask import Response, current_app, send_from_directory
from werkzeug.exceptions import NotFound

from ..errors import FileNotFound
from ..resource import resource
from .base import ChunkedUploadBaseView

#: Types that must be exact under ``nosniff``; what the system's table says of them varies.
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}


class StaticView(ChunkedUploadBaseView):
    """The package's ``static`` folder, for apps whose pages include the library or Dropzone."""

    def get(self, filename: str) -> Response:
        """Send one of the files; asked again, it is 304 while it has not changed.

        How long browsers may keep it without asking is the app's ``SEND_FILE_MAX_AGE_DEFAULT``, as
        for Flask's own static files: by default they ask each time, so that after an upgrade no
        page mixes old modules with new ones.
        """
        try:
            response = send_from_directory(
                resource("static"),
                filename,
                mimetype=_TYPES.get(PurePosixPath(filename).suffix),
                max_age=current_app.get_send_file_max_age(filename),
            )
        except NotFound as error:
            raise FileNotFound from error
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    head = get
