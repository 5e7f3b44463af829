"""The tus 1.0 protocol, which five contestants speak: raw chunks by PATCH, no checksum."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..load import Dialect, Frame
from ..wire import Reply, expect, head

#: ``filename`` and ``filetype`` in base64, which tuspyserver requires.
_METADATA = "filename YmlnLmJpbg==,filetype YXBwbGljYXRpb24vb2N0ZXQtc3RyZWFt"


class Tus(Dialect):
    """Creation, then PATCH after PATCH; the last one completes.

    :param path: where the server makes uploads.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def begin(self, size: int) -> Frame | None:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": size,
            "Upload-Metadata": _METADATA,
            "Content-Length": 0,
        }
        return Frame(head("POST", self._path, headers))

    def begun(self, reply: Reply) -> str:
        return urlsplit(expect(reply, 201).headers["location"]).path

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": start,
            "Content-Length": size,
        }
        return Frame(head("PATCH", state, headers))

    def taken(self, reply: Reply, state: str) -> str:
        expect(reply, 204)
        return state

    def probe(self, state: str) -> bytes:
        return head("HEAD", state, {"Tus-Resumable": "1.0.0"})
