"""The tus 1.0 protocol, which three contestants speak: raw chunks by PATCH, no checksum."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..load import Dialect
from ..wire import Piece, Wire, expect, head

#: ``filename`` and ``filetype`` in base64, which tuspyserver requires.
_METADATA = "filename YmlnLmJpbg==,filetype YXBwbGljYXRpb24vb2N0ZXQtc3RyZWFt"


class Tus(Dialect):
    """Creation, then PATCH after PATCH; the last one completes.

    :param path: where the server makes uploads.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def begin(self, wire: Wire, size: int) -> str:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": size,
            "Upload-Metadata": _METADATA,
            "Content-Length": 0,
        }
        reply = expect(wire.ask(head("POST", self._path, headers)), 201)
        return urlsplit(reply.headers["location"]).path

    def chunk(self, wire: Wire, state: str, pieces: list[Piece], start: int, total: int) -> str:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": start,
            "Content-Length": sum(map(len, pieces)),
        }
        expect(wire.ask(head("PATCH", state, headers), pieces), 204)
        return state
