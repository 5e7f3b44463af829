"""The access log: one JSON object a line, whatever is in the request."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from tests.server.client import call, connect, create, head, put, read_answer
from tests.server.waiting import eventually
from tests.support.server import Server


def entries(server: Server) -> list[dict[str, Any]]:
    """Return what the server has logged about requests, other than of its health."""
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    logged = [json.loads(line) for line in lines]
    requests = [entry for entry in logged if "status" in entry]
    return [entry for entry in requests if entry["path"] != "/healthz"]


def test_a_chunk_is_logged_with_what_an_operator_asks_for(any_server: Server) -> None:
    upload_id = create(any_server, b"hello ", 11)
    put(any_server, upload_id, b"world", 6, 11)
    entry = entries(any_server)[-1]
    assert entry["method"] == "PUT"
    assert entry["path"] == f"/uploads/{upload_id}"
    assert entry["status"] == 200
    assert entry["received"] == 5
    assert entry["range"] == "bytes 6-10/11"
    assert entry["offset"] == "11"
    assert entry["remote"] == "127.0.0.1"
    assert entry["ms"] >= 0


def test_hostile_requests_make_one_line_each(server: Server) -> None:
    hostile = [
        '/a\n{"time": "forged"}',
        "/b\r\n\r\nforged",
        '/c"}\x00\x1b[31m',
        "/d\u2028\u2029\x85",
        "/e" + "x" * 5000,
        "/f\udcff",
    ]
    before = len(server.log.read_text().splitlines())
    for path in hostile:
        raw = quote(path.encode("utf-8", "surrogateescape"))
        answer = call(server, "GET", raw, headers={"User-Agent": 'x"}\xff\x85'})
        assert answer.status == 404
    text = server.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()[before:]]
    assert len([line for line in lines if "status" in line]) == len(hostile)
    assert {line["event"] for line in lines if "status" not in line} == {"path_refused"}
    assert text.isascii()
    assert "\x1b" not in text


def test_headers_with_credentials_are_not_logged(server: Server) -> None:
    secret = {"Authorization": "Bearer swordfish", "Cookie": "session=swordfish"}
    call(server, "GET", "/uploads/?token=swordfish", headers=secret)
    assert "swordfish" not in server.log.read_text()


def test_a_refused_chunk_is_logged_with_its_status(server: Server) -> None:
    upload_id = create(server, b"hello ", 11)
    put(server, upload_id, b"world", 3, 11)
    assert entries(server)[-1]["status"] == 400


def test_a_cut_chunk_is_logged(server: Server) -> None:
    upload_id = create(server, b"hello ", 11)
    with connect(server) as connection:
        connection.sendall(
            head("PUT", f"/uploads/{upload_id}", Content_Length=5, Content_Range="bytes 6-10/11")
        )
        connection.sendall(b"wo")
        connection.shutdown(1)
        connection.recv(1000)
    eventually(lambda: entries(server)[-1]["status"] == 400)
    assert entries(server)[-1]["received"] == 2


def test_pages_and_their_files_are_served(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(head("GET", "/"))
        page = read_answer(connection)
    assert page.status == 200
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert call(server, "GET", "/static/page.css").status == 200
