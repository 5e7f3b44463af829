"""The stand-alone server's log: one JSON object a line, with its request and without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chunked_upload.http.access.callers import hash_token
from tests.server.client import call
from tests.support.server import Server

SECRET = "swordfish-7Hh2k9-long-enough"
TOKEN = "a-token-of-alice-that-is-right"

#: Paths that step out of their folder, or try to.
TRICKS = [
    "/static/../../etc/passwd",
    "/static/..%2f..%2fetc/passwd",
    "/static/%2e%2e/app.py",
    "/static/..%5capp.py",
    "/uploads/%252e%252e%252fetc",
    "/uploads/a%00b",
]


def test_every_line_is_json_tells_its_request_and_has_no_secret(tmp_path: Path) -> None:
    environment = {
        "CHUNKED_UPLOAD_TOKENS": f"alice:{hash_token(TOKEN)}",
        "CHUNKED_UPLOAD_PROXY_HOPS": "1",
    }
    with Server(tmp_path, environment) as server:
        right = {"Authorization": f"Bearer {TOKEN}", "X-Request-ID": "first-1"}
        made = call(server, "POST", f"/uploads/?filename=a&ticket={SECRET}", b"abc", right)
        assert (made.status, made.headers["X-Request-ID"]) == (200, "first-1")
        wrong = {"Authorization": f"Bearer {SECRET}", "X-Request-ID": "second-2"}
        assert call(server, "GET", "/uploads/", headers=wrong).status == 403
        forged = {**right, "X-Request-ID": "third-3", "Cookie": f"s={SECRET}"}
        forged["X-Forwarded-Host"] = "evil.example/<script>"
        assert call(server, "GET", "/uploads/", headers=forged).status == 200
        none = call(server, "GET", f"/nowhere?token={SECRET}", headers={"X-Request-ID": "x y"})
        assert none.status == 404
        assert none.headers["X-Request-ID"] not in ("", "x y")
        for number, path in enumerate(TRICKS):
            tried = call(server, "GET", path, headers={"X-Request-ID": f"trick-{number}"})
            assert 400 <= tried.status < 500, path
        assert server.stop() == 0
        text = server.log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if not line.startswith("Serving on")]
    assert SECRET not in text
    assert TOKEN not in text
    by_request = {entry.get("request_id"): entry for entry in lines if "status" in entry}
    first = by_request["first-1"]
    assert first["upload_id"] == made.json["upload_id"]
    assert first["owner"] == "token:alice"
    events = [entry for entry in lines if entry.get("logger") == "chunked_upload.security"]
    assert seen(events, "token_refused") == "second-2"
    assert any(entry["event"] == "forwarded_header_refused" for entry in events)
    assert by_request[none.headers["X-Request-ID"]]["path"] == "/nowhere"
    tricks = [entry["request_id"] for entry in events if entry["event"] == "path_refused"]
    assert tricks == [f"trick-{number}" for number in range(len(TRICKS))]


def seen(events: list[dict[str, Any]], kind: str) -> str:
    [request_id] = [entry["request_id"] for entry in events if entry["event"] == kind]
    return str(request_id)
