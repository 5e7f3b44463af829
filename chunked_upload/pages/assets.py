"""The package's scripts and styles as browsers get them, from the ``static`` folder.

A checkout serves its sources unchanged. An installed package serves the build's output: minified
files, each with compressed copies for browsers that accept them. The build has a version, a hash of
its files. Where an address has it (``/static/v-<version>/page.css``), browsers keep the file and do
not ask again. What such a file imports has an address relative to its own, and so has the version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath

from flask import Response, request, send_from_directory
from werkzeug.exceptions import NotFound

from chunked_upload.http.errors import FileNotFound
from chunked_upload.http.upload_set import BoundUploadSet
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

#: Encodings in the order of preference, and the suffixes of their files.
_ENCODINGS = {"br": ".br", "gzip": ".gz"}

_VERSION = re.compile(r"v-([0-9a-f]{12})/(.*)", re.DOTALL)

_FOREVER = "public, max-age=31536000, immutable"


def asset_url(upload_set: BoundUploadSet, name: str) -> str:
    """Return the address of a file for a page that is made now."""
    version = _version(resource("static"))
    return upload_set.url("static", filename=name if version is None else f"v-{version}/{name}")


@lru_cache(maxsize=8)
def _version(static: Path) -> str | None:
    """Return the build's version; None in a checkout, whose files change."""
    file = static / "version.txt"
    return file.read_text().strip() if file.is_file() else None


def send_asset(name: str) -> Response:
    """Return a file of the folder in the form that the request allows: compressed, a range, or 304.

    :param name: path with slashes, from an untrusted client.
    :raises FileNotFound: when there is none, or it is hidden.
    """
    versioned = _VERSION.fullmatch(name)
    path = PurePosixPath(versioned[2] if versioned else name)
    if any(part.startswith(".") for part in path.parts):
        raise FileNotFound
    response = None
    for encoding in _ENCODINGS:
        if response is None and request.accept_encodings[encoding] > 0:
            response = _send(path, encoding=encoding)
    response = response or _send(path)
    if response is None:
        raise FileNotFound
    # An older page may ask for the files of its version, and gets what is there now.
    if versioned and versioned[1] == _version(resource("static")):
        response.headers["Cache-Control"] = _FOREVER
    response.vary.add("Accept-Encoding")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _send(path: PurePosixPath, *, encoding: str | None = None) -> Response | None:
    """Send a file, or its compressed copy, with the type of the file itself."""
    mimetype = TYPES.get(path.suffix, "application/octet-stream")
    try:
        response = send_from_directory(
            resource("static"),
            f"{path}{_ENCODINGS.get(encoding or '', '')}",
            mimetype=mimetype,
            download_name=path.name,
        )
    except NotFound:
        return None
    if encoding is not None:
        response.headers["Content-Encoding"] = encoding
    return response
