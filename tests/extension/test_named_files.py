"""Finished files by set and name, as Flask-Uploads serves them: who may, how browsers get them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from chunked_upload import IMAGES, ChunkedUpload, ConfigurationError, UploadSet, configure_uploads
from chunked_upload.testing import upload_file
from tests.conftest import create_tables
from tests.extension.helpers import refusal
from tests.http.answers import refused
from tests.support.protocol import md5_of

pytestmark = pytest.mark.one_database

DATA = bytes(range(256)) * 4

Serve = Callable[..., Flask]


@pytest.fixture
def serve(make_app: Callable[..., Flask]) -> Serve:
    """Make an app with one upload set, ``photos``; keywords are its settings."""

    def make(**settings: Any) -> Flask:
        app = make_app()
        settings = {"path": "", "name": "photos", "url_prefix": "/photos"} | settings
        ChunkedUpload(app, **settings)
        create_tables(app)
        return app

    return make


def put(app: Flask, name: str, client: FlaskClient | None = None) -> dict[str, Any]:
    return upload_file(client or app.test_client(), "/photos/", DATA, filename=name)


def test_a_public_file_is_served_to_everybody_by_its_name(serve: Serve) -> None:
    app = serve(public_files=True)
    put(app, "a b ü.png")
    with app.test_request_context():
        url = url_for("_uploads.uploaded_file", setname="photos", filename="a b ü.png")
    answer = app.test_client().get(url, buffered=True)
    assert (answer.status_code, answer.data) == (200, DATA)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline; filename")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["ETag"] == f'"{md5_of(DATA)}"'
    assert answer.headers["Cache-Control"] == "public, no-cache"


def test_ranges_conditions_and_head(serve: Serve) -> None:
    app = serve(public_files=True)
    put(app, "a.mp4")
    client, url = app.test_client(), "/_uploads/photos/a.mp4"
    part = client.get(url, headers={"Range": "bytes=10-19"}, buffered=True)
    assert (part.status_code, part.data) == (206, DATA[10:20])
    same = client.get(url, headers={"If-None-Match": part.headers["ETag"]}, buffered=True)
    assert same.status_code == 304
    head = client.head(url, buffered=True)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(DATA)))
    refused(client.get(url, headers={"Range": "bytes=5000-"}, buffered=True), 416)
    assert client.post(url).status_code == 405


def test_a_public_file_is_public_by_id_too_but_not_the_upload(serve: Serve) -> None:
    app = serve(public_files=True)
    app.extensions["chunked_upload"]["photos"].hooks.user_loader = lambda request: (
        request.headers.get("X-User")
    )
    alice, stranger = app.test_client(), app.test_client()
    done = upload_file(alice, "/photos/", DATA, filename="a.png", headers={"X-User": "alice"})
    assert stranger.get("/_uploads/photos/a.png", buffered=True).data == DATA
    assert stranger.get(done["url"], buffered=True).data == DATA
    for url in ("/photos/", f"/photos/{done['upload_id']}"):
        assert stranger.get(url).status_code == 403


def test_by_default_a_file_is_found_only_by_those_who_sent_it(serve: Serve) -> None:
    """Unlike an id, a name can be guessed."""
    app = serve()
    sender = app.test_client()
    put(app, "a.png", sender)
    assert sender.get("/_uploads/photos/a.png", buffered=True).data == DATA
    refused(app.test_client().get("/_uploads/photos/a.png"), 404, "Upload not found")


def test_another_owners_file_is_missing(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    photos = ChunkedUpload(app, name="photos", url_prefix="/photos", path="")
    create_tables(app)
    photos.user_loader(lambda request: request.headers.get("X-User"))
    alice, bob = {"X-User": "alice"}, {"X-User": "bob"}
    client = app.test_client()
    upload_file(client, "/photos/", DATA, filename="a.png", headers=alice)
    url = "/_uploads/photos/a.png"
    assert client.get(url, headers=alice, buffered=True).status_code == 200
    refused(client.get(url, headers=bob), 404, "Upload not found")
    assert refusal(client.get(url))[0] == 403


def test_unfinished_removed_and_unknown_files_are_missing(serve: Serve) -> None:
    app = serve(public_files=True)
    client = app.test_client()
    upload_file(client, "/photos/", DATA, filename="half.png", complete=False)
    gone = put(app, "gone.png", client)
    assert client.delete(f"/photos/{gone['upload_id']}").status_code == 204
    for name in ("half.png", "gone.png", "never.png", ".incoming/x", "../tests.db", "%2e%2e/x"):
        assert client.get(f"/_uploads/photos/{name}").status_code == 404
    refused(client.get("/_uploads/videos/a.png"), 404, "File not found")


@pytest.mark.parametrize(
    "name", ["a.html", "a.htm", "a.xhtml", "a.svg", "a.xml", "a.js", "a", "a.png.html", "a.txt"]
)
def test_what_may_run_is_downloaded(serve: Serve, name: str) -> None:
    app = serve(public_files=True)
    put(app, name)
    answer = app.test_client().get(f"/_uploads/photos/{name}", buffered=True)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.JPG", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.mp4", "video/mp4"),
        ("a.mp3", "audio/mpeg"),
        ("a.pdf", "application/pdf"),
    ],
)
def test_what_is_safe_is_shown(serve: Serve, name: str, kind: str) -> None:
    app = serve(public_files=True)
    upload = put(app, name)
    client = app.test_client()
    shown = client.get(f"/_uploads/photos/{name}", buffered=True)
    assert shown.headers["Content-Type"] == kind
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    by_id = client.get(upload["url"], buffered=True)
    assert by_id.headers["Content-Disposition"].startswith("attachment")


def test_a_setting_names_what_is_shown(serve: Serve) -> None:
    app = serve(public_files=True, inline_types="image/svg+xml, text/plain")
    for name, shown in (("a.svg", True), ("a.txt", True), ("a.png", False)):
        put(app, name)
        answer = app.test_client().get(f"/_uploads/photos/{name}", buffered=True)
        assert answer.headers["Content-Disposition"].startswith("inline") is shown
        assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "wrong",
    [
        *("text/html", "TEXT/HTML", "application/xhtml+xml", "text/javascript", "text/xml"),
        *("text/*", "application/*", "*/*", "png"),
    ],
)
def test_types_that_run_cannot_be_named(serve: Serve, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="CHUNKED_UPLOAD_INLINE_TYPES"):
        serve(inline_types=("image/png", wrong))


def test_url_is_the_apps_or_a_front_servers(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app(
        UPLOADED_PHOTOS_DEST=str(tmp_path / "photos"),
        UPLOADED_PHOTOS_URL="https://cdn.example.org/photos",
    )
    photos = UploadSet("photos", IMAGES)
    configure_uploads(app, photos)
    files = ChunkedUpload(app, name="files", url_prefix="/files", path="")
    videos = ChunkedUpload(app, name="videos", url_prefix="/videos", public_url="/static/v")
    with app.test_request_context():
        assert photos.url("x/a b.jpg") == "https://cdn.example.org/photos/x/a%20b.jpg"
        assert videos.url("a.mp4") == "/static/v/a.mp4"
        assert files.url("a b.png") == "http://localhost/_uploads/files/a%20b.png"


def test_url_of_a_record(serve: Serve) -> None:
    app = serve(public_files=True)
    photos: ChunkedUpload = app.extensions["chunked_upload"]["photos"].extension
    client = app.test_client()
    done = put(app, "a.png", client)
    half = upload_file(client, "/photos/", DATA, filename="b.png", complete=False)
    with app.test_request_context():
        url = photos.url(photos.find(done["upload_id"]))
        with pytest.raises(ValueError, match="not complete"):
            photos.url(photos.find(half["upload_id"]))
    assert client.get(url, buffered=True).data == DATA


@pytest.mark.parametrize("wrong", ["ftp://x/", "cdn.example.org", "///", "/a?b", ""])
def test_a_public_url_that_is_none(serve: Serve, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="CHUNKED_UPLOAD_PUBLIC_URL"):
        serve(public_url=wrong)


def test_nginx_is_told_which_file_to_send(serve: Serve) -> None:
    app = serve(public_files=True, x_accel_redirect="/intern/中/")
    done = put(app, "a b%ü.png")
    client = app.test_client()
    for url in ("/_uploads/photos/a b%25ü.png", done["url"]):
        answer = client.get(url, headers={"Range": "bytes=0-1"}, buffered=True)
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["X-Accel-Redirect"] == "/intern/%E4%B8%AD/a%20b%25%C3%BC.png"
        assert "X-Sendfile" not in answer.headers
        assert "ETag" not in answer.headers  # nginx has its own, of the file
    assert client.get("/_uploads/photos/none.png").status_code == 404


@pytest.mark.parametrize("by", ["setting", "Flask's setting"])
def test_apache_is_told_which_file_to_send(serve: Serve, by: str) -> None:
    app = serve(public_files=True, x_sendfile=by == "setting")
    app.config["USE_X_SENDFILE"] = by != "setting"
    put(app, "a b%中.png")
    answer = app.test_client().get("/_uploads/photos/a b%25中.png", buffered=True)
    assert answer.data == b""
    assert answer.headers["X-Sendfile"].endswith("/a%20b%25%E4%B8%AD.png")
    assert Path(unquote(answer.headers["X-Sendfile"])).read_bytes() == DATA
    assert answer.headers["Content-Type"] == "image/png"
