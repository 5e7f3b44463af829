"""The package's scripts and styles, served by the upload set to pages of an app."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.http.answers import refused
from tests.support.protocol import Protocol

STATIC = Path(__file__).parents[2] / "static"
PAGE = "/uploads/static/page.css"


def test_each_mount_serves_the_static_folder(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app)
    ChunkedUpload(app, name="photos", url_prefix="/photos")
    with app.test_request_context():
        assert url_for("photos.static", filename="page.css") == "/photos/static/page.css"
    for path in (PAGE, "/photos/static/page.css"):
        response = app.test_client().get(path, buffered=True)
        assert response.status_code == 200
        assert b"\n.cu {\n" in b"\n" + response.data


@pytest.mark.parametrize(
    ("name", "mimetype"), [("page.css", "text/css"), ("index.html", "text/html")]
)
def test_types_are_exact_and_not_to_be_guessed(
    client: FlaskClient, name: str, mimetype: str
) -> None:
    response = client.get(f"/uploads/static/{name}", buffered=True)
    assert response.mimetype == mimetype
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_unchanged_files_are_not_sent_again(client: FlaskClient) -> None:
    first = client.get(PAGE, buffered=True)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("accepted", ["gzip", "gzip, br", "*"])
def test_files_are_compressed_for_who_can_read_it(client: FlaskClient, accepted: str) -> None:
    plain = client.get(PAGE, buffered=True)
    small = client.get(PAGE, headers={"Accept-Encoding": accepted}, buffered=True)
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != small.headers["ETag"]


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity"])
def test_files_are_plain_for_who_cannot(client: FlaskClient, accepted: str) -> None:
    response = client.get(PAGE, headers={"Accept-Encoding": accepted}, buffered=True)
    assert "Content-Encoding" not in response.headers


def test_explanations_stay_at_home(client: FlaskClient) -> None:
    served = client.get("/uploads/static/page/dom.js", buffered=True).text
    source = (STATIC / "page" / "dom.js").read_text()
    assert "/**" in source
    assert "/**" not in served
    code = [line for line in source.splitlines() if line.strip()]
    assert [line for line in served.splitlines() if line.strip()] == [
        line for line in code if not line.strip().startswith(("/**", "*", "//"))
    ]


def test_a_debugger_sees_everything(app: Flask, client: FlaskClient) -> None:
    app.debug = True
    response = client.get("/uploads/static/page/dom.js", buffered=True)
    assert response.data == (STATIC / "page" / "dom.js").read_bytes()


def test_the_apps_own_time_of_caching_holds(make_app: Callable[..., Flask]) -> None:
    app = make_app(SEND_FILE_MAX_AGE_DEFAULT=60)
    ChunkedUpload(app)
    assert app.test_client().get(PAGE, buffered=True).cache_control.max_age == 60


@pytest.mark.parametrize(
    "path",
    ["absent.js", "../pyproject.toml", "%2e%2e/pyproject.toml", "page", "a%00b", "page.css/x"],
)
def test_what_is_not_there(client: FlaskClient, path: str) -> None:
    refused(client.get(f"/uploads/static/{path}"), 404)


def test_verbs(client: FlaskClient) -> None:
    assert client.head(PAGE, buffered=True).status_code == 200
    assert client.options(PAGE).headers["Allow"] == "GET, HEAD, OPTIONS"
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        response = client.open(PAGE, method=verb)
        refused(response, 405)
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_no_upload_is_in_its_shadow(client: FlaskClient, protocol: Protocol) -> None:
    refused(client.get("/uploads/static"), 404, "Upload not found")
    upload_id = protocol.completed(b"data")
    assert client.get(f"/uploads/{upload_id}/file", buffered=True).data == b"data"
