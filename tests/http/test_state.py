"""An upload's state, for resuming: GET and HEAD of its URL."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from tests.http.answers import refused
from tests.http.expiry import expire
from tests.support.protocol import Protocol, md5_of

DATA = b"hello world"


def test_an_unfinished_upload(protocol: Protocol) -> None:
    posted = protocol.chunk(b"hello ", 0, 11, filename="a.txt", color="blue").get_json()
    response = protocol.state(posted["upload_id"])
    assert response.status_code == 200
    content = response.get_json()
    created = content.pop("created_on")
    assert created.endswith("Z")
    assert content == {
        "upload_id": posted["upload_id"],
        "filename": "a.txt",
        "offset": 6,
        "length": 11,
        "md5": None,
        "status": 1,
        "completed_on": None,
        "expires": posted["expires"],
        "url": None,
        "metadata": {"color": "blue"},
    }


def test_headers_tell_where_it_stands(protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    headers = protocol.state(upload_id).headers
    assert headers["Upload-Offset"] == "6"
    assert headers["Upload-Length"] == "11"
    assert headers["Range"] == "bytes=0-5"
    assert headers["Cache-Control"] == "no-store"


def test_head_has_the_headers_of_get(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    head, get = client.head(f"/uploads/{upload_id}"), protocol.state(upload_id)
    assert head.status_code == 200
    assert head.data == b""
    for name in ("Upload-Offset", "Upload-Length", "Range", "Cache-Control", "Content-Type"):
        assert head.headers[name] == get.headers[name]


def test_a_completed_upload(protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    completed = protocol.complete(upload_id, DATA).get_json()
    state = protocol.state(upload_id)
    assert state.get_json() == completed
    assert completed["md5"] == md5_of(DATA)
    assert completed["expires"] is None
    assert state.headers["Range"] == "bytes=0-10"


def test_an_expired_upload(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    expire(app, upload_id)
    refused(protocol.state(upload_id), 410, "Upload has expired")
    assert client.head(f"/uploads/{upload_id}").status_code == 410


def test_a_completed_upload_does_not_expire(app: Flask, protocol: Protocol) -> None:
    upload_id = protocol.completed(DATA)
    expire(app, upload_id)
    assert protocol.state(upload_id).status_code == 200
    assert protocol.complete(upload_id, DATA).status_code == 200


def test_a_missing_upload(client: FlaskClient, protocol: Protocol) -> None:
    refused(protocol.state("0" * 32), 404, "Upload not found")
    assert client.head("/uploads/" + "0" * 32).status_code == 404
