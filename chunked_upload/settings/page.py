"""Settings of the page for people: what it is called, how it looks, which languages it speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from . import fields, names
from .schema import setting

#: Kinds of pictures that every browser shows, by suffix.
LOGO_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}

#: BCP 47, as far as browsers and ``Intl`` care.
_LANGUAGE = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"
_LANGUAGE_PROBLEM = "must be a language's tag, as de or pt-BR"


class Colour(fields.SettingField):
    """A colour as ``#2b59d9`` or ``#25d``; read as the former."""

    def read(self, value: Any) -> str:
        digits = value.strip().lower().removeprefix("#") if isinstance(value, str) else ""
        if re.fullmatch("[0-9a-f]{3}", digits):
            digits = "".join(digit * 2 for digit in digits)
        if not re.fullmatch("[0-9a-f]{6}", digits):
            raise ValueError("must be a colour in hex digits, as #2b59d9")
        return f"#{digits}"


class Logo(fields.Text):
    """The URL of a picture, or of a file on this host: ``file:///srv/logo.svg``."""

    def __init__(self) -> None:
        super().__init__(
            # The page's policy names the host, as browsers write it.
            pattern=r"file:///\S+|/(?!/)\S*|"
            r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9a-f:]+\])(?::[0-9]+)?/\S*",
            problem="must be the URL of a picture, as /static/logo.svg,"
            " https://www.example.org/logo.svg, or file:///srv/logo.svg for a file on this host",
        )

    def read(self, value: Any) -> str:
        url = super().read(value)
        if (file := logo_file(url)) is not None:
            if file.suffix.lower() not in LOGO_TYPES:
                raise ValueError(f"must be a picture: {', '.join(LOGO_TYPES)}")
            if not file.is_file():
                raise ValueError("must be a file; there is none of that name")
        return url


class Languages(names.Names):
    """Languages' tags."""

    def read_name(self, name: str) -> str:
        if not re.fullmatch(_LANGUAGE, name.strip()):
            raise ValueError("must hold languages' tags, as de,pt-BR")
        return name.strip()


def logo_file(url: str) -> Path | None:
    """Return the file of this host that a logo is; None for a picture elsewhere."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """The settings of one upload set's page."""

    page_title: str | None = setting(
        fields.Text(),
        'Heading of the upload page, and name of its browser tab. None: "Upload files", in the '
        "page's language.",
        default=None,
    )
    page_logo: str | None = setting(
        Logo(),
        "Picture above the page's heading: its URL, or `file:///srv/logo.svg` for a file on this "
        "host. None: none.",
        default=None,
    )
    page_accent: str | None = setting(
        Colour(),
        "Colour of the page's buttons, links and progress bars, as `#2b59d9`. The page makes "
        "it darker or lighter where its text could not be read otherwise. None: blue.",
        default=None,
    )
    page_language: str | None = setting(
        fields.Text(pattern=_LANGUAGE, problem=_LANGUAGE_PROBLEM),
        "The page's language for browsers that ask for none that it offers. None: the first of "
        "`CHUNKED_UPLOAD_PAGE_LANGUAGES`, else English.",
        default=None,
    )
    page_languages: tuple[str, ...] | None = setting(
        Languages(some=True),
        "The only languages that the page offers, as `de,fr`. None: all that it has.",
        default=None,
    )
