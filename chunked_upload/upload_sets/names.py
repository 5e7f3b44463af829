"""Names of an upload set's files: what is kept of a client's, and what would lead elsewhere."""

from __future__ import annotations

import os
import re

from werkzeug.utils import secure_filename

from chunked_upload.http.wire.incoming import UNNAMED
from chunked_upload.support.filenames import portable_filename


def own_name(filename: str) -> str:
    """Return a client's name as Werkzeug's ``secure_filename``, but keep what is not ASCII."""
    stem, suffix = os.path.splitext(portable_filename(filename, fallback=""))
    if not stem:
        return ""
    safe = secure_filename(stem) if stem.isascii() else re.sub(r"\s+", "_", stem)
    # Replace in extensions, where secure_filename removes: it would make x.php of x.p'hp.
    return (safe or UNNAMED) + re.sub(r"[^\w.+-]", "_", suffix)


def lowercase_ext(filename: str) -> str:
    """Return a file name with its extension in lower case."""
    stem, suffix = os.path.splitext(filename)
    return stem + suffix.lower()


def is_confined(key: str) -> bool:
    """Return whether a relative path stays where it begins."""
    parts = key.split("/")
    return not ("\0" in key or "\\" in key or any(part in ("", ".", "..") for part in parts))
