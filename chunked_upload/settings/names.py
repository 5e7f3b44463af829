"""The kinds of setting that hold several names, as marshmallow fields (see fields.py)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from chunked_upload.support.filenames import has_extension
from chunked_upload.support.presets import PRESETS

from .fields import SettingField
from .text import parse_list

#: RFC 6454 6.2, as browsers serialise it; international names are in Punycode.
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
)


class Names(SettingField):
    """Several names, a single one, or text with commas between them; a tuple once it is read.

    :param some: there must be at least one.
    """

    def __init__(self, *, some: bool = False) -> None:
        super().__init__()
        self._some = some

    def read(self, value: Any) -> tuple[str, ...]:
        names = _items(value)
        if self._some and not names:
            raise ValueError("must be at least one name")
        for name in names:
            if not isinstance(name, str) or not name:
                raise ValueError("must be a name or several names")
        return tuple(map(self.read_name, names))

    def read_name(self, name: str) -> str:
        """Return what one of the names means."""
        return name


def _items(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return parse_list(value)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping)):
        return tuple(value)
    raise ValueError("must be a name or several names")


class Extensions(Names):
    """File extensions, as ``jpg`` or ``tar.gz``; a dot or ``*.`` before them may be there."""

    def read_name(self, name: str) -> str:
        if name in PRESETS:
            raise ValueError(
                f"must hold extensions, as jpg or tar.gz; {name!r} is the name of a preset, write"
                f" the preset itself (from chunked_upload import {name}) or its extensions"
            )
        plain = unicodedata.normalize("NFKC", name).strip().lower()
        plain = plain.removeprefix("*").lstrip(".")
        if re.search(r"[\s,;*?/\\]", plain) or not has_extension(f"name.{plain}", (plain,)):
            raise ValueError(
                f"must hold extensions, as jpg or tar.gz; {name!r} would match no file, write each"
                " extension by itself"
            )
        return plain


class Origins(Names):
    """Origins of web pages, exactly as browsers send them."""

    def read_name(self, name: str) -> str:
        if name in ("*", "null"):
            raise ValueError(
                f"must name the origins; {name!r} would let any page act for its visitors"
            )
        match = _ORIGIN.fullmatch(name)
        if match is None:
            raise ValueError(
                "must hold origins as browsers send them, scheme://host or scheme://host:port, in"
                " lower case, without path or slash at the end"
            )
        if (match["scheme"], match["port"]) in (("https", "443"), ("http", "80")):
            raise ValueError(
                f"must hold origins as browsers send them, without the port {match['port']}"
            )
        return name
