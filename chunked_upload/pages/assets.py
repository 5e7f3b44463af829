"""The package's scripts and styles as browsers get them, from the ``static`` folder.

A checkout serves its sources unchanged. An installed package serves the build's output: minified
files, each with a gzip-compressed copy for browsers that accept it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from flask import Response, request, send_from_directory
from werkzeug.exceptions import NotFound

from chunked_upload.http.errors import FileNotFound
from chunked_upload.support.package_data import resource

#: Types that must be exact under ``nosniff``; the system's table varies.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".txt": "text/plain",
}


def send_asset(name: str) -> Response:
    """Return a file of the folder in the form that the request allows: compressed, a range, or 304.

    :param name: path with slashes, from an untrusted client.
    :raises FileNotFound: when there is none, or it is hidden.
    """
    path = PurePosixPath(name)
    if any(part.startswith(".") for part in path.parts):
        raise FileNotFound
    response = None
    if request.accept_encodings["gzip"] > 0:
        response = _send(path, suffix=".gz")
    response = response or _send(path)
    if response is None:
        raise FileNotFound
    response.vary.add("Accept-Encoding")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _send(path: PurePosixPath, *, suffix: str = "") -> Response | None:
    """Send a file, or its compressed copy, with the type of the file itself."""
    mimetype = TYPES.get(path.suffix, "application/octet-stream")
    try:
        response = send_from_directory(
            resource("static"), f"{path}{suffix}", mimetype=mimetype, download_name=path.name
        )
    except NotFound:
        return None
    if suffix:
        response.headers["Content-Encoding"] = "gzip"
    return response
