"""tusd, the reference server in Go: the program that the environment variable ``TUSD`` names."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect
from ..process import Service
from ..workshop import Unavailable, Workshop
from .base import Peer
from .tus import Tus


class Tusd(Peer):
    """One process with its file store, as its documentation starts it, without a line a request."""

    key = "tusd"
    title = "tusd (Go; no checksum)"

    def prepare(self, workshop: Workshop) -> None:
        named = os.environ.get("TUSD")
        if not named:
            raise Unavailable("needs tusd: set TUSD to its program")
        program = shutil.which(named)
        if program is None:
            raise Unavailable("TUSD names no program")
        self._program = program

    def versions(self) -> Mapping[str, str]:
        said = subprocess.run(
            [self._program, "-version"], capture_output=True, text=True, check=True
        )
        lines = dict(line.split(": ", 1) for line in said.stdout.splitlines() if ": " in line)
        return {"tusd": lines.get("Version", "of unknown version")}

    def dialect(self) -> Dialect:
        return Tus("/files/")

    def service(self, place: Path, files: Path) -> Service:
        options = ["-host", "127.0.0.1", "-port", "{port}", "-upload-dir", str(files)]
        return Service([self._program, *options, "-verbose=false"], directory=place)
