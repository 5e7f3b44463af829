"""drf-chunked-upload on a current Django REST framework, with nothing around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect
from ..process import Service
from ..wire import Piece, Wire, expect, form_type, head, multipart
from ..workshop import Workshop
from .base import Peer
from .gunicorn import under_gunicorn

_PACKAGES = (
    "drf-chunked-upload==0.6.0",
    "django==5.2.19",
    "djangorestframework==3.18.3",
    "gunicorn==27.0.1",
)


class DrfChunks(Dialect):
    """Forms in PUT requests, the upload named by its URL; a POST completes."""

    completes = True

    def chunk(self, wire: Wire, state: str, pieces: list[Piece], start: int, total: int) -> str:
        size = sum(map(len, pieces))
        before, after = multipart({} if state else {"filename": "big.bin"}, "file")
        headers = {
            "Content-Type": form_type(),
            "Content-Range": f"bytes {start}-{start + size - 1}/{total}",
            "Content-Length": len(before) + size + len(after),
        }
        target = f"/uploads/{state}/" if state else "/uploads/"
        reply = wire.ask(head("PUT", target, headers), [before, *pieces, after])
        return state or str(expect(reply, 200).json["id"])

    def complete(self, wire: Wire, state: str, md5: str) -> None:
        body = f"md5={md5}".encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": len(body),
        }
        expect(wire.ask(head("POST", f"/uploads/{state}/", headers), [body]), 200)


class DrfChunkedUpload(Peer):
    """django-chunked-upload's descendant for REST framework."""

    key = "drf-chunked-upload"
    title = "drf-chunked-upload"

    def prepare(self, workshop: Workshop) -> None:
        self._bin = workshop.venv(self.key, _PACKAGES)
        self._workshop = workshop

    def versions(self) -> Mapping[str, str]:
        return self._workshop.versions(self._bin, _PACKAGES)

    def dialect(self) -> Dialect:
        return DrfChunks()

    def service(self, place: Path, files: Path) -> Service:
        app = "drf_chunked_upload_site:application"
        return under_gunicorn(self._bin, app, workers=self.workers, place=place, files=files)
