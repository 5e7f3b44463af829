"""``@tus/server`` with ``@tus/file-store``, the reference server in Node.js."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect
from ..process import Service
from ..workshop import Workshop
from .base import Peer
from .tus import Tus


class TusNode(Peer):
    """One process as its documentation starts it; several by Node's cluster module."""

    key = "@tus/server"
    title = "@tus/server (Node.js; no checksum)"

    def prepare(self, workshop: Workshop) -> None:
        self._node = workshop.program("node", install="nodejs")
        self._place = workshop.node("tus_node")

    def versions(self) -> Mapping[str, str]:
        found = {}
        for name in ("@tus/server", "@tus/file-store"):
            package = json.loads((self._place / "node_modules" / name / "package.json").read_text())
            found[name] = package["version"]
        return found

    def dialect(self) -> Dialect:
        return Tus("/files")

    def service(self, place: Path, files: Path) -> Service:
        command = [self._node, str(self._place / "server.mjs"), "{port}"]
        return Service([*command, str(files), str(self.workers)], directory=place)
