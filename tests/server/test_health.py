"""``/healthz``: 200 when database and storage answer, 503 naming the one that does not."""

from __future__ import annotations

import os
import signal

from tests.server.client import call, create
from tests.server.waiting import eventually
from tests.support.server import Server


def test_a_healthy_server_says_so(any_server: Server) -> None:
    answer = call(any_server, "GET", "/healthz")
    assert answer.status == 200
    assert answer.json == {"status": "ok", "database": "ok", "storage": "ok"}


def test_a_storage_root_that_is_no_directory_is_named(server: Server) -> None:
    create(server, b"hello", 10)
    moved = server.root.rename(server.instance / "moved")
    server.root.write_text("in the way")

    answer = call(server, "GET", "/healthz")
    assert answer.status == 503
    assert (answer.json["status"], answer.json["database"]) == ("unavailable", "ok")
    assert "failed" in answer.json["storage"]
    assert call(server, "POST", "/uploads/?filename=a", b"hello").status == 503

    server.root.unlink()
    moved.rename(server.root)
    assert call(server, "GET", "/healthz").status == 200


def test_a_broken_database_is_named(server: Server) -> None:
    upload_id = create(server, b"hello", 10)
    server.stop()
    database = server.instance / "chunked_upload.db"
    whole = {path: path.read_bytes() for path in server.instance.glob("chunked_upload.db*")}
    server.start()
    database.write_bytes(b"this is not a database" * 400)
    for pid in server.workers():  # they may go on with what they have read before
        if pid != server.pid:
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: health(server) == 503)

    answer = call(server, "GET", "/healthz")
    assert (answer.json["status"], answer.json["storage"]) == ("unavailable", "ok")
    assert "failed" in answer.json["database"]
    refused = call(server, "GET", f"/uploads/{upload_id}")
    assert (refused.status, refused.json["detail"]) == (503, "Database is unavailable")

    server.kill()
    for leftover in server.instance.glob("chunked_upload.db*"):
        leftover.unlink()
    for path, content in whole.items():
        path.write_bytes(content)
    server.start()
    assert call(server, "GET", f"/uploads/{upload_id}").json["offset"] == 5


def test_health_leaves_nothing_behind(server: Server) -> None:
    for _ in range(3):
        assert call(server, "GET", "/healthz").status == 200
    assert [path for path in server.root.rglob("*") if path.is_file()] == []


def health(server: Server) -> int | None:
    """Return the status, or None while a killed worker is being replaced."""
    try:
        return call(server, "GET", "/healthz").status
    except OSError:
        return None
