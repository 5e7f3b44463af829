"""The package's scripts and styles as browsers get them: without comments, compressed.

Nothing is built beforehand: what lies in ``static/`` is read, and what was made of it is kept in
memory until the file changes. Half of the first-party files is explanation, which people read in
the project and browsers need not load. Packages from npm keep theirs, which are licences.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: What is worth compressing, with the types that must be exact under ``nosniff``; what the
#: system's table says of them varies.
TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".txt": "text/plain",
}

#: Whole lines of comment. One that shares its line with code stays: a pattern cannot tell it from
#: the text of a string.
_COMMENT = re.compile(
    r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)\n(?:[ \t]*\n)*", re.DOTALL | re.MULTILINE
)

_VENDOR = "vendor"


@dataclass(frozen=True)
class Asset:
    """A file to serve, as it is and compressed with gzip."""

    mimetype: str
    data: bytes
    compressed: bytes
    etag: str

    def encoded(self, *, compress: bool) -> tuple[bytes, str]:
        """Return the body and its entity tag, of which each body has its own (RFC 9110 8.8.3)."""
        return (self.compressed, f"{self.etag}-gzip") if compress else (self.data, self.etag)


def find_asset(folder: Path, name: str, *, plain: bool = False) -> Asset | None:
    """Return a file below ``folder``; None when there is none.

    :param name: path with slashes, from an untrusted client.
    :param plain: keep the comments, for people who look at the page with a debugger.
    """
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") or part.startswith(".") for part in parts):
        return None
    path = folder.joinpath(*parts)
    if not path.is_file():
        return None
    return _load(path, path.stat().st_mtime_ns, plain or parts[0] == _VENDOR)


@lru_cache(maxsize=256)
def _load(path: Path, modified: int, plain: bool) -> Asset:
    """Read a file; ``modified`` has it read again when it has changed."""
    data = path.read_bytes()
    if path.suffix in (".js", ".css") and not plain:
        data = without_comments(data.decode()).encode()
    return Asset(
        TYPES.get(path.suffix, "application/octet-stream"),
        data,
        gzip.compress(data, 9, mtime=0),
        hashlib.blake2b(data, digest_size=16).hexdigest(),
    )


def without_comments(source: str) -> str:
    """Return a script or style sheet without the lines that are comments."""
    return _COMMENT.sub("", source)
