"""drf-chunked-upload on a current Django REST framework, with nothing around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect, Frame
from ..process import Service
from ..wire import Reply, expect, form_type, head, multipart
from ..workshop import Workshop
from .base import Peer
from .chunked import form_post
from .gunicorn import under_gunicorn

_PACKAGES = (
    "drf-chunked-upload==0.6.0",
    "django==5.2.19",
    "djangorestframework==3.18.3",
    "gunicorn==27.0.1",
)


class DrfChunks(Dialect):
    """Forms in PUT requests, the upload named by its URL; a POST completes."""

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        before, after = multipart({} if state else {"filename": "big.bin"}, "file")
        headers = {
            "Content-Type": form_type(),
            "Content-Range": f"bytes {start}-{start + size - 1}/{total}",
            "Content-Length": len(before) + size + len(after),
        }
        target = f"/uploads/{state}/" if state else "/uploads/"
        return Frame(head("PUT", target, headers), before, after)

    def taken(self, reply: Reply, state: str) -> str:
        expect(reply, 200)
        return state or str(reply.json["id"])

    def complete(self, state: str, digest: str) -> Frame | None:
        return form_post(f"/uploads/{state}/", f"md5={digest}".encode())

    def probe(self, state: str) -> bytes:
        return head("GET", f"/uploads/{state}/", {})


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
