"""Client file names: what is kept as metadata, and what may become a name on disk.

Names are data from a stranger. :func:`clean_filename` makes one safe to show and to store;
:func:`portable_filename` makes one safe to create on any file system. Neither ever yields a path.
"""

from __future__ import annotations

import re
import unicodedata

from pathvalidate import sanitize_filename

#: Longest name created on disk, in UTF-8 bytes: file systems allow 255, and the collision rule
#: adds an upload id (33 bytes).
_MAX_DISK_BYTES = 200

#: Names of Windows that pathvalidate lets pass.
_DEVICE = re.compile(r"(CONIN\$|CONOUT\$|CLOCK\$)(\.|$)", re.IGNORECASE)

#: Control, format (bidi overrides, zero width), surrogate and unassigned characters.
_UNSHOWABLE = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def clean_filename(name: str) -> str:
    """Return the last path component of ``name`` without characters that cannot be shown.

    Both ``/`` and ``\\`` separate, since old browsers send full Windows paths. May be empty.
    """
    base = re.split(r"[/\\]", name)[-1]
    shown = "".join(c for c in base if unicodedata.category(c) not in _UNSHOWABLE)
    shown = unicodedata.normalize("NFC", shown).strip()
    return "" if shown in (".", "..") else shown


def portable_filename(name: str, *, fallback: str) -> str:
    """Return a name that every common file system takes, never hidden, never reserved.

    :param name: the client's name; anything.
    :param fallback: used when nothing usable is left.
    """
    # NFKC turns look-alike separators and dots (fullwidth solidus …) into what they look like
    # before they are judged.
    plain = clean_filename(unicodedata.normalize("NFKC", clean_filename(name))).lstrip(". ")
    # Cut before it is sanitised, which would cut the extension off; strip before, too, since a
    # name may become reserved by that (".CON").
    short = _shorten(plain).rstrip(". ")
    safe = sanitize_filename(short, replacement_text="_", platform="universal")
    return f"_{safe}" if _DEVICE.match(safe) else safe or fallback


def extension(name: str) -> str:
    """Return the extension that ``name`` would have on disk, in lower case without its dot.

    Empty when there is none; a name that is nothing but an extension (``.htaccess``) is its own.
    """
    hidden = unicodedata.normalize("NFKC", clean_filename(name)).startswith(".")
    _stem, dot, suffix = portable_filename(name, fallback="").rpartition(".")
    return suffix.lower() if dot or hidden else ""


def _shorten(name: str) -> str:
    """Cut the stem, not the extension, to fit :data:`_MAX_DISK_BYTES`."""
    if len(name.encode()) <= _MAX_DISK_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > 32:
        stem, dot, suffix = name, "", ""
    room = _MAX_DISK_BYTES - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + suffix
