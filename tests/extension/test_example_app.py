"""The worked example, run as its reader would: a process, with real requests."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from tests.extension.helpers import FlaskProcess
from tests.support.protocol import md5_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "flask_app.py"


class User:
    """A browser with cookies, logged in under a name."""

    def __init__(self, library: FlaskProcess, name: str | None) -> None:
        self.url = library.url
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self.opener = urllib.request.build_opener(jar)
        if name is not None:
            self.post("/login", f"name={name}".encode())

    def get(self, path: str) -> Any:
        with self.opener.open(self.url + path, timeout=60) as response:
            return json.loads(response.read())

    def post(self, path: str, body: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body, named)
        with self.opener.open(request, timeout=60) as response:
            return json.loads(response.read())

    def delete(self, path: str) -> int:
        request = urllib.request.Request(self.url + path, method="DELETE")
        with self.opener.open(request, timeout=60) as response:
            status: int = response.status
            return status

    def upload(self, name: str, data: bytes) -> str:
        """Upload in two chunks; returns the upload's id."""
        half = len(data) // 2
        raw = {"Content_Type": "application/octet-stream"}
        first = self.post(
            f"/documents/uploads/?filename={name}",
            data[:half],
            Content_Range=f"bytes 0-{half - 1}/{len(data)}",
            **raw,
        )
        upload_id: str = first["upload_id"]
        self.post(
            f"/documents/uploads/{upload_id}",
            data[half:],
            Content_Range=f"bytes {half}-{len(data) - 1}/{len(data)}",
            **raw,
        )
        return upload_id

    def complete(self, upload_id: str, data: bytes) -> Any:
        form = f"upload_id={upload_id}&md5={md5_of(data)}"
        return self.post("/documents/uploads/complete", form.encode())


@pytest.fixture
def library(tmp_path: Path) -> Iterator[FlaskProcess]:
    environment = {
        "FLASK_SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'library.db'}",
        "FLASK_CHUNKED_UPLOAD_ROOT": str(tmp_path / "files"),
    }
    with FlaskProcess(EXAMPLE, tmp_path, environment) as running:
        yield running


def test_the_example_turns_uploads_into_documents_of_their_users(library: FlaskProcess) -> None:
    ada, bob, stranger = User(library, "ada"), User(library, "bob"), User(library, None)
    data = b"%PDF" * 1000
    upload_id = ada.upload("thesis.pdf", data)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        bob.get(f"/documents/uploads/{upload_id}")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        stranger.upload("thesis.pdf", data)

    done = ada.complete(upload_id, data)
    assert done["status"] == 2
    assert ada.complete(upload_id, data) == done
    assert ada.get("/documents") == [{"title": "thesis.pdf", "size": len(data)}]
    assert bob.get("/documents") == []
    [stored] = list((library.directory / "files").rglob("*.pdf"))
    assert stored.read_bytes() == data


def test_the_examples_start_page_is_for_browsers(library: FlaskProcess) -> None:
    browser = User(library, None)
    browser.opener.addheaders = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
    with browser.opener.open(library.url + "/", timeout=60) as first:
        form = first.read().decode()
    assert '<form method="post" action="/login">' in form
    assert 'name="name"' in form
    with browser.opener.open(library.url + "/login", b"name=ada", timeout=60) as page:
        assert page.url == library.url + "/"
        text = page.read().decode()
    assert "<h1>Documents</h1>" in text
    assert "/documents/uploads/" in text
    addresses = re.findall(r'(?:href|src)="(/documents/uploads/static/[^"]*)"', text)
    assert addresses
    for address in addresses:
        assert browser.opener.open(library.url + address, timeout=60).status == 200


def test_the_examples_upload_sets_have_their_own_rules(library: FlaskProcess) -> None:
    ada = User(library, "ada")
    with pytest.raises(urllib.error.HTTPError, match="415"):
        ada.upload("script.exe", b"MZ" * 10)
    avatar = (
        b"--b\r\nContent-Disposition: form-data; name=%s; filename=me.png\r\n\r\nPNG\r\n--b--\r\n"
    )
    form = {"Content_Type": "multipart/form-data; boundary=b"}
    with pytest.raises(urllib.error.HTTPError, match="400"):
        ada.post("/avatars/uploads/", avatar % b"file", **form)
    assert ada.post("/avatars/uploads/", avatar % b"avatar", **form)["offset"] == 3


def test_the_example_hears_of_uploads_given_up(library: FlaskProcess) -> None:
    ada = User(library, "ada")
    upload_id = ada.upload("thesis.pdf", b"data")
    assert ada.delete(f"/documents/uploads/{upload_id}") == 204
    assert f"documents: upload {upload_id} was given up or deleted" in library.log.read_text()
