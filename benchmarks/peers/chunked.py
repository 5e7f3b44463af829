"""The django-chunked-upload protocol, which three contestants speak: forms with Content-Range."""

from __future__ import annotations

from ..load import Dialect, Frame
from ..wire import Reply, expect, form_type, head, multipart


class ChunkedForms(Dialect):
    """Chunks as real multipart forms, then a completion with the MD5.

    :param checksum: "" completes without; ours alone can be told to take that, or another one.
    """

    def __init__(self, *, checksum: str = "md5") -> None:
        self._sends, self.checksum = bool(checksum), checksum or "md5"

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        before, after = multipart({"upload_id": state} if state else {}, "file")
        headers = {
            "Content-Type": form_type(),
            "Content-Range": f"bytes {start}-{start + size - 1}/{total}",
            "Content-Length": len(before) + size + len(after),
        }
        return Frame(head("POST", "/uploads/", headers), before, after)

    def taken(self, reply: Reply, state: str) -> str:
        expect(reply, 200)
        return state or str(reply.json["upload_id"])

    def complete(self, state: str, digest: str) -> Frame | None:
        fields = f"upload_id={state}" + (f"&{self.checksum}={digest}" if self._sends else "")
        return form_post("/uploads/complete", fields.encode())

    def probe(self, state: str) -> bytes:
        return head("GET", f"/uploads/{state}", {})


class ChunkedRaw(ChunkedForms):
    """The same with raw bodies: ours alone."""

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {start}-{start + size - 1}/{total}",
            "Content-Length": size,
        }
        method, target = ("PUT", f"/uploads/{state}") if state else ("POST", "/uploads/")
        return Frame(head(method, target, headers))


def form_post(target: str, body: bytes) -> Frame:
    """Build a post of a small form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": len(body)}
    return Frame(head("POST", target, headers), body)
