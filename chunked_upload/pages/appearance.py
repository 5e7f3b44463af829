"""How one page looks: what the settings say, unless the page's own view says something else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.settings import schema
from chunked_upload.settings.page import PageSettings, logo_file
from chunked_upload.settings.schema import Given

from .accent import shades


class Appearance:
    """One page's title, logo and accent colour.

    :param title, logo, accent: of this page alone; None for what the settings say.
    :raises ConfigurationError: for a logo or a colour that is none.
    """

    def __init__(
        self,
        upload_set: BoundUploadSet,
        *,
        title: str | None = None,
        logo: str | None = None,
        accent: str | None = None,
    ) -> None:
        settings = upload_set.settings
        options = {"logo": logo, "accent": accent}
        own = schema.read(
            PageSettings,
            {
                f"page_{name}": Given(f"{name}=", value)
                for name, value in options.items()
                if value is not None
            },
        )
        self.title = title or settings.page_title
        self._upload_set = upload_set
        self._logo = own.page_logo or settings.page_logo
        self._accent = own.page_accent or settings.page_accent

    @property
    def logo(self) -> str | None:
        """The picture's address for browsers."""
        if self._logo is None or logo_file(self._logo) is None:
            return self._logo
        return self._upload_set.url("logo")

    @property
    def picture_sources(self) -> str:
        """What the page's policy must allow for pictures."""
        host = urlsplit(self._logo or "")
        return f"'self' {host.scheme}://{host.netloc}" if host.netloc else "'self'"

    def configuration(self) -> dict[str, Any]:
        """Return its part of the page's configuration."""
        return {
            "title": self.title,
            "logo": self.logo,
            "accent": None if self._accent is None else shades(self._accent),
        }
