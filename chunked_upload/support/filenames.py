"""Cleans client file names, for metadata and for names on disk.

Names are untrusted. :func:`clean_filename` makes a name safe to show and to store;
:func:`portable_filename` makes a name safe to create on any file system. Neither returns a path.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from itertools import groupby
from typing import Literal

from pathvalidate import sanitize_filename

#: Longest name created on disk, in UTF-8 bytes: file systems allow 255, and the collision rule
#: adds an upload id (33 bytes).
_MAX_DISK_BYTES = 200

#: Reserved names of Windows that pathvalidate accepts.
_DEVICE = re.compile(r"(CONIN\$|CONOUT\$|CLOCK\$)(\.|$)", re.IGNORECASE)

#: Controls, bidi controls, what has no width, line separators, tags, lone surrogates. Written out,
#: since each Python has other tables of Unicode, and a name must be the same on all of them. What
#: a table does not know yet (the newest emoji) is kept, as are the joiners ZWNJ and ZWJ, without
#: which Persian and Sinhala are misspelt, and the visible signs of category Cf (U+0600).
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_JOINERS = "\u200c\u200d"

#: Characters of Unicode 3.2, the one table that is the same in every Python.
_known = unicodedata.ucd_3_2_0.category


def clean_filename(name: str) -> str:
    """Return the last path component of ``name`` without characters that cannot be shown.

    Both ``/`` and ``\\`` separate, since old browsers send full Windows paths. May be empty.
    """
    base = re.split(r"[/\\]", name)[-1]
    shown = _normalize("NFC", _UNSHOWABLE.sub("", base)).strip()
    return "" if shown.strip(_JOINERS) in ("", ".", "..") else shown


def portable_filename(name: str, *, fallback: str, max_bytes: int = _MAX_DISK_BYTES) -> str:
    """Return a name that every common file system accepts, never hidden, never reserved.

    :param name: the client's name; any text.
    :param fallback: used when nothing usable is left.
    :param max_bytes: the most that the name may have, where that is less than usual.
    """
    # NFKC turns look-alike separators and dots (fullwidth solidus …) into what they look like
    # before they are judged.
    plain = clean_filename(_normalize("NFKC", clean_filename(name))).lstrip(f". {_JOINERS}")
    # Cut before it is sanitised, which would cut the extension off; strip before, too, since a
    # name may become reserved by that (".CON").
    short = _shorten(plain, min(max_bytes, _MAX_DISK_BYTES)).rstrip(". ")
    safe = sanitize_filename(short, replacement_text="_", platform="universal")
    return f"_{safe}" if _DEVICE.match(safe) else safe or fallback


def extension(name: str) -> str:
    """Return the extension that ``name`` would have on disk, in lower case without its dot.

    Empty when there is none. A name that is only an extension (``.htaccess``) is its own extension.
    """
    return min(extensions(name), key=len, default="")


def extensions(name: str) -> tuple[str, ...]:
    """Return every extension that ``name`` would have on disk: ``gz`` and ``tar.gz``, say."""
    # Some file systems take no notice of joiners, and some people of rules about extensions.
    visible = re.sub(f"[{_JOINERS}]", "", name)
    hidden = _normalize("NFKC", clean_filename(visible)).startswith(".")
    parts = portable_filename(visible, fallback="").lower().split(".")
    first = 0 if hidden else 1
    return tuple(".".join(parts[at:]) for at in range(first, len(parts)))


def has_extension(name: str, wanted: Collection[str]) -> bool:
    """Whether one of a name's extensions is among those wanted, which are in lower case."""
    return any(found in wanted for found in extensions(name))


def _normalize(form: Literal["NFC", "NFKC"], text: str) -> str:
    """Normalize what every Python knows; what it does to the rest would differ between them."""
    if text.isascii():
        return text
    pieces = groupby(text, lambda character: _known(character) != "Cn")
    return "".join(
        unicodedata.normalize(form, "".join(piece)) if known else "".join(piece)
        for known, piece in pieces
    )


def _shorten(name: str, max_bytes: int) -> str:
    """Cut the stem, not the extension."""
    if len(name.encode()) <= max_bytes:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > 32:
        stem, dot, suffix = name, "", ""
    room = max_bytes - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + suffix
