"""The django-chunked-upload protocol, which three contestants speak: forms with Content-Range."""

from __future__ import annotations

from ..load import Dialect
from ..wire import Piece, Wire, expect, form_type, head, multipart


class ChunkedForms(Dialect):
    """Chunks as real multipart forms, then a completion with the MD5."""

    completes = True

    def chunk(self, wire: Wire, state: str, pieces: list[Piece], start: int, total: int) -> str:
        size = sum(map(len, pieces))
        before, after = multipart({"upload_id": state} if state else {}, "file")
        headers = {
            "Content-Type": form_type(),
            "Content-Range": f"bytes {start}-{start + size - 1}/{total}",
            "Content-Length": len(before) + size + len(after),
        }
        reply = wire.ask(head("POST", "/uploads/", headers), [before, *pieces, after])
        return state or str(expect(reply, 200).json["upload_id"])

    def complete(self, wire: Wire, state: str, md5: str) -> None:
        body = f"upload_id={state}&md5={md5}".encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": len(body),
        }
        expect(wire.ask(head("POST", "/uploads/complete", headers), [body]), 200)


class ChunkedRaw(ChunkedForms):
    """The same with raw bodies: ours alone."""

    def chunk(self, wire: Wire, state: str, pieces: list[Piece], start: int, total: int) -> str:
        size = sum(map(len, pieces))
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {start}-{start + size - 1}/{total}",
            "Content-Length": size,
        }
        method, target = ("PUT", f"/uploads/{state}") if state else ("POST", "/uploads/")
        reply = wire.ask(head(method, target, headers), pieces)
        return state or str(expect(reply, 200).json["upload_id"])
