"""``GET /uploads/account``: who the caller is, what they may send, what is left of their quota."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadView
from chunked_upload.http.access.callers import hash_token
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.protocol import Protocol

URL = "/uploads/account"

MakeApp = Callable[..., Flask]


def served(app: Flask, **settings: Any) -> FlaskClient:
    ChunkedUpload(app, **settings)
    create_tables(app)
    return app.test_client()


def account(client: FlaskClient, **headers: str) -> dict[str, Any]:
    response = client.get(URL, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = response.get_json()
    return found


def test_nothing_configured(client: FlaskClient) -> None:
    assert account(client) == {
        "name": None,
        "limits": {
            "max_bytes": None,
            "max_chunk_bytes": None,
            "allowed_extensions": None,
            "denied_extensions": [],
        },
        "quota": None,
        "expires_after": 86400,
        "share": {"enabled": False, "max_age": 604800},
    }
    assert client.head(URL).status_code == 200


def test_the_settings_are_told(make_app: MakeApp) -> None:
    told = account(
        served(
            make_app(),
            max_bytes="1G",
            max_chunk_bytes="1M",
            allowed_extensions="jpg,png",
            expiration_delta="7d",
            share=True,
            share_max_age="1h",
        )
    )
    assert told["limits"] == {
        "max_bytes": 2**30,
        "max_chunk_bytes": 2**20,
        "allowed_extensions": ["jpg", "png"],
        "denied_extensions": [],
    }
    assert told["expires_after"] == 7 * 86400
    assert told["share"] == {"enabled": True, "max_age": 3600}


def test_the_limit_of_this_caller(make_app: MakeApp) -> None:
    class View(ChunkedUploadView):
        def get_max_bytes(self, request: Any) -> int:
            return 5 if request.headers.get("X-Poor") else 10

    app = make_app()
    ChunkedUpload(app, upload_view=View)
    client = app.test_client()
    assert account(client)["limits"]["max_bytes"] == 10
    assert account(client, **{"X-Poor": "1"})["limits"]["max_bytes"] == 5


# Who it is


def test_a_token_has_a_name(make_app: MakeApp) -> None:
    client = served(make_app(), tokens={"Alice's laptop": hash_token("secret")})
    assert account(client, Authorization="Bearer secret")["name"] == "Alice's laptop"
    refused(client.get(URL), 403)
    refused(client.get(URL, headers={"Authorization": "Bearer wrong"}), 403)


def test_the_app_names_its_users(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    client = app.test_client()
    create_tables(app)
    assert account(client, **{"X-User": "7"})["name"] is None

    @uploads.user_name
    def name(user: str) -> str:
        return {"7": "Alice"}[user]

    assert account(client, **{"X-User": "7"})["name"] == "Alice"


# Its quota


@pytest.fixture
def limited(make_app: MakeApp) -> Flask:
    app = make_app()
    uploads = ChunkedUpload(app, max_open_bytes=1000, max_open_uploads=3)
    uploads.user_loader(lambda request: request.headers.get("X-User", "alice"))
    create_tables(app)
    return app


def test_what_is_left_of_the_quota(limited: Flask) -> None:
    client = limited.test_client()
    protocol = Protocol(client)
    upload_id = protocol.chunk(b"x" * 100, 0, 600).json["upload_id"]  # type: ignore[index]
    assert account(client)["quota"] == {
        "bytes": {"used": 600, "left": 400, "max": 1000},
        "files": {"used": 1, "left": 2, "max": 3},
    }
    bob = account(client, **{"X-User": "bob"})["quota"]
    assert (bob["bytes"]["used"], bob["files"]["left"]) == (0, 3)
    client.delete(f"/uploads/{upload_id}")
    assert account(client)["quota"]["bytes"]["left"] == 1000


def test_a_completed_upload_takes_nothing_of_it(limited: Flask) -> None:
    client = limited.test_client()
    Protocol(client).completed(b"x" * 100)
    assert account(client)["quota"]["bytes"]["used"] == 0


def test_one_of_the_two_limits(make_app: MakeApp) -> None:
    quota = account(served(make_app(), max_open_bytes=10))["quota"]
    assert quota == {"bytes": {"used": 0, "left": 10, "max": 10}, "files": None}


def test_a_file_of_that_name_is_posted(client: FlaskClient) -> None:
    content = refused(client.put(URL, data=b"x"), 405)
    assert "/uploads/?filename=account" in content["reason"]
