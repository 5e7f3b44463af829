"""tus 1.0 over raw connections, for requests that break off or hang."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from tests.server.client import Answer, Listening, call, connect, head
from tests.server.waiting import eventually
from tests.support.server import Server

VERSION = {"Tus-Resumable": "1.0.0"}


def create(server: Listening, length: int) -> str:
    """Create an upload; returns its id."""
    sent = {**VERSION, "Upload-Length": str(length)}
    answer = call(server, "POST", "/uploads/tus/", headers=sent)
    assert answer.status == 201, answer
    return answer.headers["Location"].rpartition("/")[2]


def ask(server: Listening, upload_id: str) -> Answer:
    """Send a HEAD, which ends an append that is under way."""
    return call(server, "HEAD", f"/uploads/tus/{upload_id}", headers=VERSION)


def offset(server: Listening, upload_id: str) -> int:
    """Return the offset that a HEAD tells."""
    answer = ask(server, upload_id)
    assert answer.status == 200, answer
    return int(answer.headers["Upload-Offset"])


def patch(server: Listening, upload_id: str, data: bytes, start: int) -> Answer:
    """Append bytes."""
    sent = {
        **VERSION,
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(start),
    }
    return call(server, "PATCH", f"/uploads/tus/{upload_id}", data, sent)


def patch_head(upload_id: str, start: int, **framing: str | int) -> bytes:
    """Write the head of a PATCH."""
    return head(
        "PATCH",
        f"/uploads/tus/{upload_id}",
        Content_Type="application/offset+octet-stream",
        Tus_Resumable="1.0.0",
        Upload_Offset=start,
        **framing,
    )


@contextlib.contextmanager
def hanging(
    server: Server, upload_id: str, data: bytes, start: int = 0, *, declared: int
) -> Iterator[socket.socket]:
    """Send a PATCH that stops after ``data``; enter the block when all of it has been written."""
    with connect(server) as client:
        client.sendall(patch_head(upload_id, start, Content_Length=declared) + data)
        wait_until_written(server, upload_id, start + len(data))
        yield client


def wait_until_written(server: Server, upload_id: str, end: int) -> None:
    """Wait until the bytes up to ``end`` are in the file."""
    part = server.root / ".incoming" / upload_id[:2] / f"{upload_id}.part"
    eventually(lambda: part.exists() and part.stat().st_size >= end)


def delete(server: Listening, upload_id: str) -> None:
    """End an upload."""
    assert call(server, "DELETE", f"/uploads/tus/{upload_id}", headers=VERSION).status == 204
