"""The media type of a file, by its name's extension.

The table is ours: that of the operating system differs between hosts, and may call a name HTML that
others call text.
"""

from __future__ import annotations

from collections.abc import Collection

UNKNOWN = "application/octet-stream"

_TYPES = {
    "apng": "image/apng",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "heic": "image/heic",
    "ico": "image/x-icon",
    "jpe": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "jxl": "image/jxl",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "avi": "video/x-msvideo",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "ogv": "video/ogg",
    "webm": "video/webm",
    "pdf": "application/pdf",
    "json": "application/json",
    "csv": "text/csv",
    "log": "text/plain",
    "md": "text/markdown",
    "txt": "text/plain",
}


def media_type(name: str) -> str:
    """Return the media type of a file of this name; the unknown one for any it does not list."""
    return _TYPES.get(name.rpartition(".")[2].lower(), UNKNOWN)


def is_among(kind: str, wanted: Collection[str]) -> bool:
    """Return whether a media type is wanted, by its name or as ``image/*``.

    SVG is a program, not a picture: it has to be named.
    """
    if kind in wanted:
        return True
    return kind != "image/svg+xml" and f"{kind.partition('/')[0]}/*" in wanted
