"""resumable-upload's own server, as its command line starts it: one process, a thread a client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect
from ..process import Service
from ..workshop import Workshop
from .base import Peer
from .tus import Tus

_PACKAGES = ("resumable-upload==0.3.0",)


class ResumableUpload(Peer):
    """The other tus server for Python that is kept up."""

    key = "resumable-upload"
    title = "resumable-upload (no checksum)"

    def prepare(self, workshop: Workshop) -> None:
        self._bin = workshop.venv(self.key, _PACKAGES)
        self._workshop = workshop

    def versions(self) -> Mapping[str, str]:
        return self._workshop.versions(self._bin, _PACKAGES)

    def dialect(self) -> Dialect:
        return Tus("/files")

    def service(self, place: Path, files: Path) -> Service:
        return Service(
            [
                *(str(self._bin / "resumable-upload"), "serve", "--host", "127.0.0.1"),
                *("--port", "{port}", "--upload-dir", str(files), "--log-level", "WARNING"),
                *("--db-path", str(place / "uploads.db"), "--max-chunk-size", "0"),
            ],
            directory=place,
        )
