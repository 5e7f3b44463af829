"""Settings of Flask and of other packages: they hold, or the app is told which one to use."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from html import unescape
from types import ModuleType
from typing import Any

import pytest
from flask import Flask, render_template_string, request
from flask_dropzone import Dropzone
from flask_wtf.csrf import CSRFProtect
from werkzeug.test import TestResponse

from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadView,
    ConfigurationError,
    configure_uploads,
)
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.http.forms import send
from tests.support.protocol import Protocol, files, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]

TOO_LARGE = "Size of request exceeds the limit (1000 bytes)"


def serve(app: Flask, **settings: Any) -> Protocol:
    ChunkedUpload(app, **settings)
    create_tables(app)
    return Protocol(app.test_client())


# MAX_CONTENT_LENGTH


def test_flasks_limit_holds_for_every_request(make_app: MakeApp) -> None:
    app = make_app(MAX_CONTENT_LENGTH=1000)
    protocol = serve(app)
    client = protocol.client
    upload_id = protocol.upload(b"data")
    answers = [
        protocol.chunk(b"x" * 1000),
        protocol.put(upload_id, b"x" * 1001, 4, 2000),
        client.post("/uploads/?filename=a", data=b"x" * 1001, content_type="a/b"),
        client.post("/uploads/complete", data={"upload_id": upload_id, "md5": "x" * 1000}),
        client.post("/uploads/form", data={"file": (io.BytesIO(b"x" * 1001), "a")}),
    ]
    for answer in answers:
        refused(answer, 413, TOO_LARGE)
    assert len(records(app)) == 1
    assert protocol.chunk(b"x" * 500).status_code == 200


def test_it_holds_for_a_body_of_unknown_length(make_app: MakeApp) -> None:
    app = make_app(MAX_CONTENT_LENGTH=1000)
    protocol = serve(app)

    def post(size: int) -> TestResponse:
        return send(
            protocol.client,
            "POST",
            "/uploads/?filename=a",
            b"x" * size,
            chunked=True,
            headers={"Content-Range": f"bytes 0-{size - 1}/{size}"},
            CONTENT_TYPE="a/b",
        )

    refused(post(1001), 413, TOO_LARGE)
    assert records(app) == []
    assert files(app) == []
    assert post(1000).status_code == 200


def test_an_app_may_set_it_for_each_request(make_app: MakeApp) -> None:
    app = make_app(MAX_CONTENT_LENGTH=100)

    @app.before_request
    def more_for_some() -> None:
        if request.headers.get("X-Plan") == "paid":
            request.max_content_length = 1000

    protocol = serve(app)
    assert protocol.chunk(b"x" * 300).status_code == 413
    assert protocol.chunk(b"x" * 300, headers={"X-Plan": "paid"}).status_code == 200


@pytest.mark.parametrize(
    ("config", "sent"),
    [
        ({}, None),
        ({"MAX_CONTENT_LENGTH": 1_000_000}, 1_000_000 - 32 * 1024),
        ({"MAX_CONTENT_LENGTH": 1000}, 500),
        ({"MAX_CONTENT_LENGTH": 1_000_000, "CHUNKED_UPLOAD_MAX_CHUNK_BYTES": 7}, 7),
    ],
)
def test_the_page_and_zones_keep_their_chunks_below_it(
    make_app: MakeApp, config: dict[str, int], sent: int | None
) -> None:
    app = make_app(**config)
    uploads = ChunkedUpload(app)
    with app.test_request_context():
        zone = unescape(render_template_string("{{ chunked_upload.dropzone() }}"))
        page = unescape(uploads.page().get_data(as_text=True))
        assert uploads.upload_set.max_chunk_bytes == sent
    assert f'"maxChunkBytes": {json.dumps(sent)}' in page
    assert f'"chunkSize": {json.dumps(sent)}' in zone


# FAIL_IF_NO_HEADER


class LenientView(ChunkedUploadView):
    fail_if_no_header = False


def test_fail_if_no_header_is_a_setting_which_a_view_may_overrule(make_app: MakeApp) -> None:
    protocol = serve(make_app(CHUNKED_UPLOAD_FAIL_IF_NO_HEADER="on"))
    refused(protocol.chunk(b"data"), 400, "Error in request headers")
    assert protocol.chunk(b"data", 0, 4).status_code == 200
    lenient = serve(make_app(CHUNKED_UPLOAD_FAIL_IF_NO_HEADER=True), upload_view=LenientView)
    assert lenient.chunk(b"data").status_code == 200


# Flask-Uploads


@pytest.mark.parametrize(
    ("key", "instead"),
    [
        ("UPLOADED_PHOTOS_DEST", "CHUNKED_UPLOAD_ROOT"),
        ("UPLOADED_FILES_URL", "CHUNKED_UPLOAD_URL_PREFIX"),
        ("UPLOADED_MY_PHOTOS_ALLOW", "CHUNKED_UPLOAD_ALLOWED_EXTENSIONS"),
        ("UPLOADED_FILES_DENY", "CHUNKED_UPLOAD_DENIED_EXTENSIONS"),
        ("UPLOADS_DEFAULT_DEST", "CHUNKED_UPLOAD_ROOT"),
        ("UPLOADS_DEFAULT_URL", "CHUNKED_UPLOAD_URL_PREFIX"),
        ("UPLOADS_AUTOSERVE", "docs/porting-flask-uploads.md"),
    ],
)
def test_keys_of_flask_uploads_are_refused_with_what_to_use(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, key: str, instead: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"{key} is a setting of Flask-Uploads.*{instead}"):
        ChunkedUpload(make_app(**{key: "x"}))
    monkeypatch.setitem(sys.modules, "flask_uploads", ModuleType("flask_uploads"))
    ChunkedUpload(make_app(**{key: "x"}))


def test_keys_of_the_apps_own_are_none_of_ours(make_app: MakeApp) -> None:
    ChunkedUpload(make_app(UPLOADS_FOLDER="x", UPLOADED_LAST="x", UPLOAD_DEST="x"))


# Flask-Dropzone


def test_dropzone_enable_csrf_needs_a_check(make_app: MakeApp) -> None:
    for config in ({}, {"CHUNKED_UPLOAD_CSRF": False}):
        with pytest.raises(ConfigurationError, match="set CHUNKED_UPLOAD_CSRF = True"):
            ChunkedUpload(make_app(DROPZONE_ENABLE_CSRF=True, **config))
    ChunkedUpload(make_app(DROPZONE_ENABLE_CSRF=False))
    ChunkedUpload(make_app(DROPZONE_ENABLE_CSRF=True, CHUNKED_UPLOAD_CSRF=True))
    ChunkedUpload(make_app(DROPZONE_ENABLE_CSRF=True, WTF_CSRF_ENABLED=False))
    CSRFProtect(protected := make_app(DROPZONE_ENABLE_CSRF=True))
    ChunkedUpload(protected)
    Dropzone(beside := make_app(DROPZONE_ENABLE_CSRF=True))
    ChunkedUpload(beside)


def test_options_by_its_keys_are_checked_at_the_start(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match="DROPZONE_MAX_FILE_SIZE='lots': expected bytes"):
        ChunkedUpload(make_app(DROPZONE_MAX_FILE_SIZE="lots"))


def test_an_app_may_turn_out_to_have_no_sets(make_app: MakeApp) -> None:
    configure_uploads(make_app(), [])
    with pytest.raises(ConfigurationError, match="UPLOADED_PHOTOS_DEST is a setting of Flask-Up"):
        configure_uploads(make_app(UPLOADED_PHOTOS_DEST="/x"), [])
