"""django-chunked-upload's release, on the last Django that can import it.

Run as a site of its own: no sessions, no CSRF check, no middleware (see apps/).
That is the least work it can be given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect
from ..process import Service
from ..workshop import Workshop
from .base import Peer
from .chunked import ChunkedForms
from .gunicorn import under_gunicorn

#: Django 4 removed ``ugettext``, which the release imports.
_PACKAGES = ("django-chunked-upload==2.0.0", "django==3.2.25", "gunicorn==27.0.1")


class DjangoChunkedUpload(Peer):
    """The peer whose protocol this server speaks."""

    key = "django-chunked-upload"
    title = "django-chunked-upload"

    def prepare(self, workshop: Workshop) -> None:
        self._bin = workshop.venv(self.key, _PACKAGES)
        self._workshop = workshop

    def versions(self) -> Mapping[str, str]:
        return self._workshop.versions(self._bin, _PACKAGES)

    def dialect(self) -> Dialect:
        return ChunkedForms()

    def service(self, place: Path, files: Path) -> Service:
        app = "django_chunked_upload_site:application"
        return under_gunicorn(self._bin, app, workers=self.workers, place=place, files=files)
