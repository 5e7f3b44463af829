"""The recipes for nginx of docs/deployment.md and deploy/nginx.conf, in the real nginx."""

from __future__ import annotations

import contextlib
import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.client import Answer, complete, create
from tests.support import nginx
from tests.support.protocol import md5_of
from tests.support.server import Server

DATA = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[Server]:
    environment = {
        "CHUNKED_UPLOAD_PROXY_HOPS": "1",
        "CHUNKED_UPLOAD_X_ACCEL_REDIRECT": "/internal/",
        "CHUNKED_UPLOAD_PATH": "",
        "CHUNKED_UPLOAD_ROOT": str(place / "photos"),
        "CHUNKED_UPLOAD_INCOMING": str(place / "unfinished"),
        "CHUNKED_UPLOAD_PUBLIC_FILES": "1",
    }
    with Server(place, environment) as running:
        yield running


@pytest.fixture(scope="module")
def front(app: Server, place: Path) -> Iterator[int]:
    """nginx with both recipes: files that the app allows, and a public directory."""
    text = (nginx.ROOT / "docs" / "deployment.md").read_text()
    [public] = re.findall(r"^```nginx\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    places = {
        "/srv/uploads/": place / "photos",
        "/srv/photos/": place / "photos",
    }
    own = place / "own"
    own.mkdir()
    with nginx.running(own, nginx.recipe(), upstream=app.port, places=places, more=public) as port:
        yield port


def get(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def upload(app: Server, name: str) -> str:
    upload_id = create(app, DATA, len(DATA), name)
    assert complete(app, upload_id, DATA).status == 200
    return upload_id


def test_a_resumable_upload_has_one_answer(front: int) -> None:
    """nginx would take an interim response for the answer (section 5 of the IETF's draft)."""
    connection = http.client.HTTPConnection("127.0.0.1", front, timeout=30)
    headers = {"Upload-Complete": "?1", "Upload-Draft-Interop-Version": "8"}
    with contextlib.closing(connection):
        for _ in range(2):
            connection.request("POST", "/uploads/", DATA, headers)
            response = connection.getresponse()
            assert (response.status, response.headers["Upload-Complete"]) == (200, "?1")
            assert b"upload_id" in response.read()


@pytest.mark.parametrize("by", ["id", "name"])
def test_nginx_sends_what_the_app_allows(app: Server, front: int, by: str) -> None:
    upload_id = upload(app, f"a%20b%25%3F%C3%BC-{by}.png")
    named = f"/_uploads/chunked_upload/a%20b%25%3F%C3%BC-{by}.png"
    named = named.replace("%3F", "_")  # no file has a name with a question mark
    path = f"/uploads/{upload_id}/file" if by == "id" else named
    answer = get(front, path)
    assert (answer.status, answer.body) == (200, DATA)
    shown = "attachment" if by == "id" else "inline"
    assert answer.headers["Content-Disposition"].startswith(shown)
    kind = "application/octet-stream" if by == "id" else "image/png"
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert "X-Accel-Redirect" not in answer.headers
    etag = answer.headers["ETag"]
    assert etag != f'"{md5_of(DATA)}"'  # nginx's own: the app has not sent the file
    part = get(front, path, Range="bytes=100-199", If_Range=etag)
    assert (part.status, part.body) == (206, DATA[100:200])
    assert get(front, path, If_None_Match=etag).status == 304
    head = get(front, path, "HEAD")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(DATA)))


def test_nobody_reaches_the_internal_location(app: Server, front: int) -> None:
    upload(app, "inside.png")
    assert get(front, "/internal/inside.png").status == 404
    assert get(front, "/_uploads/chunked_upload/%2e%2e/inside.png").status in (400, 404)


def test_the_public_directory_has_finished_files_only(app: Server, front: int, place: Path) -> None:
    half = create(app, DATA, len(DATA) + 1, "half.png")
    upload(app, "whole.png")
    answer = get(front, "/photos/whole.png")
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (place / "unfinished" / half[:2] / f"{half}.part").read_bytes() == DATA
    for path in ("half.png", f".incoming/{half[:2]}/{half}.part", f"{half[:2]}/{half}.part"):
        assert get(front, f"/photos/{path}").status == 404


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "script.js", "page.png.html"])
def test_the_public_directory_never_shows_what_may_run(app: Server, front: int, name: str) -> None:
    upload(app, name)
    answer = get(front, f"/photos/{name}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_chunks_go_through_nginx(app: Server, front: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front, timeout=60)
    with contextlib.closing(connection):
        total = len(DATA)
        headers = {"Content-Range": f"bytes 0-{total - 1}/{total}", "Content-Type": "a/b"}
        connection.request("POST", "/uploads/?filename=by-nginx.bin", DATA, headers)
        answer = connection.getresponse()
        assert (answer.status, b'"offset": 102400' in answer.read()) == (200, True)
