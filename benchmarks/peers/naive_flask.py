"""What a Flask developer writes in ten minutes: ``request.files`` appended to a file."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect, Frame
from ..process import Service
from ..wire import Reply, expect, form_type, head, multipart
from ..workshop import Workshop
from .base import Peer
from .granian import on_granian
from .gunicorn import under_gunicorn

_PACKAGES = ("flask==3.1.3", "werkzeug==3.1.9", "gunicorn==27.0.1", "granian==2.8.7")


class Appends(Dialect):
    """Forms; the upload's name is made by the client."""

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        before, after = multipart({"name": state or secrets.token_hex(8)}, "file")
        headers = {
            "Content-Type": form_type(),
            "Content-Length": len(before) + size + len(after),
        }
        return Frame(head("POST", "/append", headers), before, after)

    def taken(self, reply: Reply, state: str) -> str:
        return str(expect(reply, 200).json["name"])


class NaiveFlask(Peer):
    """No checks, no record, no resuming, no checksum.

    :param granian: on Granian instead of gunicorn.
    """

    def __init__(self, *, workers: int = 1, granian: bool = False) -> None:
        super().__init__(workers=workers)
        self._granian = granian
        server = "Granian" if granian else "gunicorn"
        self.key = f"flask-{server.lower()}"
        self.title = f"a naive Flask view on {server} (no checksum)"

    def prepare(self, workshop: Workshop) -> None:
        self._bin = workshop.venv("naive-flask", _PACKAGES)
        self._workshop = workshop

    def versions(self) -> Mapping[str, str]:
        return self._workshop.versions(self._bin, _PACKAGES)

    def dialect(self) -> Dialect:
        return Appends()

    def service(self, place: Path, files: Path) -> Service:
        app = "naive_flask_site:app"
        if not self._granian:
            return under_gunicorn(self._bin, app, workers=self.workers, place=place, files=files)
        return on_granian(
            self._bin,
            app,
            workers=self.workers,
            place=place,
            environment={"BENCH_FILES": str(files), "TMPDIR": str(files)},
        )
