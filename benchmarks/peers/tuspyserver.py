"""tuspyserver, tus for FastAPI, on uvicorn with its fast parts (uvloop, httptools)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect
from ..process import Service
from ..workshop import APPS, Workshop
from .base import Peer
from .tus import Tus

_PACKAGES = ("tuspyserver==4.4.3", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0")


class TuspyServer(Peer):
    """One of the two tus servers for Python that are kept up."""

    key = "tuspyserver"
    title = "tuspyserver (FastAPI; no checksum)"

    def prepare(self, workshop: Workshop) -> None:
        self._bin = workshop.venv(self.key, _PACKAGES)
        self._workshop = workshop

    def versions(self) -> Mapping[str, str]:
        return self._workshop.versions(self._bin, [*_PACKAGES, "fastapi"])

    def dialect(self) -> Dialect:
        return Tus("/files")

    def service(self, place: Path, files: Path) -> Service:
        return Service(
            [
                *(str(self._bin / "uvicorn"), "--port", "{port}", "--workers", str(self.workers)),
                *("--no-access-log", "--log-level", "warning"),
                *("--app-dir", str(APPS), "tuspyserver_site:app"),
            ],
            directory=place,
            environment={"BENCH_FILES": os.fspath(files)},
        )
