"""A whole file put at its name, as curl -T sends it."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.protocol import md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

DATA = b"hello world"


def put(client: FlaskClient, path: str, data: bytes = DATA, **options: Any) -> TestResponse:
    return client.put(f"/uploads/{path}", data=data, **options)


def test_a_file_put_at_its_name_is_complete(client: FlaskClient) -> None:
    response = put(client, "video.mp4")
    assert response.status_code == 200
    state = response.get_json()
    assert (state["filename"], state["status"], state["offset"]) == ("video.mp4", 2, len(DATA))
    assert state["md5"] == md5_of(DATA)
    assert client.get(state["url"], buffered=True).data == DATA
    [listed] = client.get("/uploads/").get_json()["uploads"]
    assert listed["upload_id"] == state["upload_id"]


def test_to_complete_it_again_gives_the_same_answer(client: FlaskClient) -> None:
    state = put(client, "a.bin").get_json()
    form = {"upload_id": state["upload_id"], "md5": md5_of(DATA)}
    again = client.post("/uploads/complete", data=form).get_json()
    assert {name: state[name] for name in again} == again | {"expires": state["expires"]}


@pytest.mark.parametrize(
    "name",
    ["my holiday.mp4", "日本語.txt", "100%.txt", "a+b&c=d.txt", "static", "f" * 31, "g" * 32, "-"],
)
def test_names_as_they_are(client: FlaskClient, name: str) -> None:
    assert put(client, quote(name)).get_json()["filename"] == name


def test_an_empty_file(client: FlaskClient) -> None:
    state = put(client, "empty", b"").get_json()
    assert (state["filename"], state["status"], state["length"]) == ("empty", 2, 0)


def test_a_checksum_in_the_query_is_checked(app: Flask, client: FlaskClient) -> None:
    assert put(client, f"a.bin?md5={md5_of(DATA)}").status_code == 200
    refused(put(client, f"b.bin?md5={md5_of(b'other')}"), 400, "md5 checksum does not match")
    assert [record.filename for record in records(app)] == ["a.bin"]


@pytest.mark.parametrize("path", ["0" * 32, "A" * 32])
def test_32_hex_digits_are_never_a_name(app: Flask, client: FlaskClient, path: str) -> None:
    response = put(client, path)
    refused(response, 404, "Upload not found")
    assert "POST to /uploads/?filename=NAME" in response.get_json()["reason"]
    assert records(app) == []


@pytest.mark.parametrize("name", ["complete", "form", "csrf-token"])
def test_names_of_the_service_are_told(app: Flask, client: FlaskClient, name: str) -> None:
    response = put(client, name)
    assert response.status_code == 405
    assert f"POST a file of this name to /uploads/?filename={name}" in response.get_json()["reason"]
    assert records(app) == []
    elsewhere = client.post(f"/uploads/?filename={name}", data=DATA, content_type="a/b")
    assert elsewhere.status_code == 200


@pytest.mark.parametrize("path", ["", "?filename=a.bin"])
def test_a_file_without_a_name_is_told_to_have_one(
    app: Flask, client: FlaskClient, path: str
) -> None:
    response = put(client, path)
    assert response.status_code == 405
    assert response.get_json()["reason"] == "put a file at its name: /uploads/NAME"
    assert records(app) == []


def test_a_chunk_is_not_put_at_a_name(app: Flask, client: FlaskClient) -> None:
    response = put(client, "a.bin", headers={"Content-Range": "bytes 0-10/20"})
    refused(response, 404, "Upload not found")
    assert records(app) == []


def test_a_form_is_not_put_at_a_name(app: Flask, client: FlaskClient) -> None:
    response = client.put("/uploads/a.bin", data={"file": (io.BytesIO(DATA), "b.bin")})
    assert response.status_code == 415
    assert records(app) == []


def test_an_unknown_length_where_a_break_would_look_like_the_end(
    app: Flask, client: FlaskClient
) -> None:
    """Not every server tells; a checksum does."""
    options: dict[str, Any] = {
        "input_stream": io.BytesIO(DATA),
        "headers": {"Transfer-Encoding": "chunked"},
        "environ_overrides": {
            "CONTENT_LENGTH": "",
            "wsgi.input_terminated": True,
            "SERVER_SOFTWARE": "Granian/2",
        },
    }
    assert client.put("/uploads/a.bin", **options).status_code == 411
    options["input_stream"] = io.BytesIO(DATA)
    assert client.put(f"/uploads/a.bin?md5={md5_of(DATA)}", **options).status_code == 200
    options["input_stream"] = io.BytesIO(DATA)
    options["environ_overrides"]["SERVER_SOFTWARE"] = "gunicorn/27.0.0"
    assert client.put("/uploads/b.bin", **options).get_json()["offset"] == len(DATA)
    assert [record.filename for record in records(app)] == ["a.bin", "b.bin"]


def test_a_file_that_breaks_off_leaves_nothing(app: Flask, client: FlaskClient) -> None:
    response = client.put(
        "/uploads/a.bin", data=DATA[:5], environ_overrides={"CONTENT_LENGTH": str(len(DATA))}
    )
    refused(response, 400, "File size doesn't match headers")
    assert records(app) == []


@pytest.mark.parametrize(
    ("settings", "status", "said"),
    [
        ({"max_bytes": 10}, 400, "Size of file exceeds the limit (10 bytes)"),
        ({"max_chunk_bytes": 10}, 413, "Size of chunk exceeds the limit (10 bytes)"),
        ({"denied_extensions": ("bin",)}, 415, "Files of type 'bin' are not accepted"),
        ({"max_filename_length": 4}, 413, "File name exceeds the limit (4 characters)"),
        ({"tokens": {"alice": "0" * 64}}, 403, "Authentication credentials were not provided"),
        ({"fail_if_no_header": True}, 400, "Error in request headers"),
        ({"max_open_bytes": 10}, 413, None),
    ],
)
@pytest.mark.parametrize("length_known", [True, False])
def test_what_holds_for_every_upload_holds_for_these(
    make_app: Callable[..., Flask],
    settings: dict[str, Any],
    status: int,
    said: str | None,
    length_known: bool,
) -> None:
    app = make_app()
    ChunkedUpload(app, **settings)
    create_tables(app)
    environ: dict[str, Any] = {
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "gunicorn/27.0.0",
    }
    if not length_known:
        environ |= {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    response = put(app.test_client(), "a.bin", environ_overrides=environ)
    refused(response, status, said)
    assert nothing_left(app)
