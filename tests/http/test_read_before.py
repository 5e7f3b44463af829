"""App code that reads the body before the upload's view does."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.forms import FORM, file, form
from tests.support.protocol import md5_of

pytestmark = pytest.mark.one_database

DATA = b"hello world"


@pytest.fixture
def reading(make_app: Callable[..., Flask]) -> Callable[[Callable[[], Any]], FlaskClient]:
    """Make a client of an app that reads every request's body in some way."""

    def make(read: Callable[[], Any]) -> FlaskClient:
        app = make_app()

        @app.before_request
        def look() -> None:
            read()

        ChunkedUpload(app)
        create_tables(app)
        return app.test_client()

    return make


@pytest.mark.parametrize(
    "read",
    [
        lambda: request.get_data(),
        lambda: request.data,
        lambda: request.get_json(silent=True, force=True),
        lambda: (request.get_data(), request.form),
        lambda: request.form,
        lambda: request.stream,
    ],
)
def test_what_flask_has_kept_is_used(
    reading: Callable[..., FlaskClient], read: Callable[[], Any]
) -> None:
    client = reading(read)
    raw = client.post("/uploads/?filename=a.txt", data=DATA, content_type="text/plain")
    assert raw.get_json()["offset"] == len(DATA)
    posted = client.post("/uploads/", data=form(file(DATA)), content_type=FORM)
    upload_id = posted.get_json()["upload_id"]
    chunk = client.put(
        "/uploads/",
        data=DATA[:5],
        content_type="application/octet-stream",
        headers={"Content-Range": "bytes 0-4/11", "Content-Disposition": 'x; filename="b"'},
    )
    assert chunk.status_code in (200, 405)
    sent = {"upload_id": upload_id, "md5": md5_of(DATA)}
    for how in ({"json": sent}, {"data": sent}):
        assert client.post("/uploads/complete", **how).status_code == 200
    numbers = {"dzuuid": "u", "file": (BytesIO(DATA), "c.txt")}
    assert client.post("/uploads/", data=numbers).get_json()["status"] == 2
    plain = {"file": (BytesIO(DATA), "d.txt")}
    assert client.post("/uploads/form", data=plain).status_code == 200


@pytest.mark.parametrize(
    "read",
    [
        lambda: request.get_data(cache=False),
        lambda: request.get_json(silent=True, force=True, cache=False),
        lambda: request.stream.read(),
        lambda: request.stream.read(3),
        lambda: (request.stream.read(), request.form),
    ],
)
def test_where_it_is_lost_the_error_says_so(
    reading: Callable[..., FlaskClient], read: Callable[[], Any]
) -> None:
    client = reading(read)
    for body, kind in ((DATA, "application/octet-stream"), (form(file(DATA)), FORM)):
        response = client.post("/uploads/?filename=a", data=body, content_type=kind)
        assert response.status_code == 400
        assert "must leave the upload endpoints out" in response.get_json()["reason"]
