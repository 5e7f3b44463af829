"""This server, in each of the ways it can be run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from chunked_upload.settings.keys import KEYS

from ..load import Dialect
from ..process import Service
from ..workshop import REPOSITORY, Unavailable, Workshop
from .base import Peer
from .chunked import ChunkedForms, ChunkedRaw
from .tus import Tus

#: The setting that leaves out the MD5, where there is one.
_MD5_SETTING = "CHUNKED_UPLOAD_MD5"

_BIN = Path(sys.executable).parent


@dataclass
class Ours(Peer):
    """``chunked-upload serve`` from this checkout.

    :param durable: every chunk synced before it is acknowledged, as is the default.
    :param checksum: which one the server computes and compares; "" for none.
    :param protocol: ``form`` or ``raw`` (the chunk protocol, in multipart forms or raw bodies), or
        ``tus``.
    :param database: SQLAlchemy's URI; by default SQLite beside the uploads.
    :param on: ``gunicorn`` or ``granian`` as they come, instead of the bundled server.
    :param threads: of that server.
    :param more: more of its settings, as environment variables.
    """

    key: str
    title: str
    durable: bool = True
    checksum: str = "md5"
    protocol: str = "form"
    database: str | None = None
    on: str = ""
    threads: int = 64
    more: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1

    def prepare(self, workshop: Workshop) -> None:
        if not self.checksum and _MD5_SETTING not in KEYS:
            raise Unavailable("this server cannot leave out the MD5")

    def versions(self) -> Mapping[str, str]:
        return {name: version(name) for name in ("chunked-upload", "flask", "granian", "gunicorn")}

    def dialect(self) -> Dialect:
        if self.protocol == "tus":
            return Tus("/uploads/tus/")
        return {"form": ChunkedForms, "raw": ChunkedRaw}[self.protocol](checksum=self.checksum)

    def service(self, place: Path, files: Path) -> Service:
        environment = {
            "CHUNKED_UPLOAD_INSTANCE": str(place / "instance"),
            "CHUNKED_UPLOAD_ROOT": str(files),
            "CHUNKED_UPLOAD_DURABLE": "1" if self.durable else "0",
            "WORKERS": str(self.workers),
            **self.more,
        }
        if not self.checksum:
            environment[_MD5_SETTING] = "0"
        elif self.checksum != "md5":
            environment["CHUNKED_UPLOAD_CHECKSUMS"] = self.checksum
        if self.database:
            environment["CHUNKED_UPLOAD_DATABASE_URI"] = self.database
        if self.on:
            return self._on_another(place, environment)
        command = [str(_BIN / "chunked-upload"), "serve", "--port", "{port}"]
        return Service(command, directory=place, environment=environment)

    def _on_another(self, place: Path, environment: Mapping[str, str]) -> Service:
        options = [*("--workers", str(self.workers)), *self._options()]
        service = Service([str(_BIN / self.on), *options], directory=place, environment=environment)
        migrate = [str(_BIN / "chunked-upload"), "migrate"]
        subprocess.run(migrate, cwd=place, env=service.environment, check=True, capture_output=True)
        return service

    def _options(self) -> list[str]:
        threads = str(self.threads)
        if self.on == "granian":
            return [
                *("--interface", "wsgi", "--http", "1", "--no-ws", "--port", "{port}"),
                *("--blocking-threads", threads, "--backpressure", str(2 * self.threads)),
                *("--factory", "chunked_upload.server.app:create_app"),
            ]
        return [
            *("--bind", "127.0.0.1:{port}", "-k", "gthread", "--threads", threads),
            *("--worker-connections", str(2 * self.threads), "--no-control-socket"),
            *("--chdir", str(REPOSITORY), "wsgi:app"),
        ]
