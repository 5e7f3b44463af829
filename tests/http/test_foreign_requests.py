"""Requests that another site's page causes: they never set or change the visitor's session."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.forms import FORM, file, form

pytestmark = pytest.mark.one_database

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Origin": "https://evil.example",
    },
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://sub.localhost", "Sec-Fetch-Site": "same-site"},
]

OWN: list[dict[str, str]] = [
    {},
    {"Origin": "http://localhost"},
    {"Origin": "https://localhost"},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://friend.example", "Sec-Fetch-Site": "cross-site"},
]

PAGE = {"Accept": "text/html"}


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an app with a secret key and a friend."""
    app = make_app(
        CHUNKED_UPLOAD_CORS_ORIGINS="https://friend.example", CHUNKED_UPLOAD_FORM_REDIRECT="/done"
    )
    ChunkedUpload(app)
    create_tables(app)

    @app.get("/login")
    def login() -> str:
        session["user"] = "ann"
        return ""

    @app.get("/user")
    def user() -> str:
        return str(session.get("user"))

    return app.test_client()


def requests(client: FlaskClient, headers: dict[str, str]) -> dict[str, Callable[[], TestResponse]]:
    content: dict[str, Any] = {"headers": headers, "content_type": FORM}
    return {
        "chunk": lambda: client.post("/uploads/", data=form(file(b"hello")), **content),
        "raw": lambda: client.put("/uploads/a.bin", data=b"hello", headers=headers),
        "dropzone": lambda: client.post(
            "/uploads/",
            data={
                "dzuuid": "a",
                "dzchunkindex": "0",
                "dztotalfilesize": "5",
                "dztotalchunkcount": "1",
                "file": (io.BytesIO(b"hello"), "a"),
            },
            headers=headers,
        ),
        "form": lambda: client.post(
            "/uploads/form", data=form(file(b"hello")), headers=headers | PAGE, content_type=FORM
        ),
        "refused form": lambda: client.post(
            "/uploads/form", data=form(), headers=headers | PAGE, content_type=FORM
        ),
        "complete": lambda: client.post("/uploads/complete", data={}, headers=headers),
        "delete": lambda: client.delete("/uploads/" + "0" * 32, headers=headers),
    }


KINDS = ["chunk", "raw", "dropzone", "form", "refused form", "complete", "delete"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_request_sets_no_session(
    client: FlaskClient, kind: str, headers: dict[str, str]
) -> None:
    answer = requests(client, headers)[kind]()
    assert answer.status_code < 500
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_request_changes_no_session(
    client: FlaskClient, kind: str, headers: dict[str, str]
) -> None:
    """Also when the browser sends the cookie along."""
    client.get("/login")
    assert "Set-Cookie" not in requests(client, headers)[kind]().headers
    assert client.get("/user").text == "ann"


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_requests_of_this_site_and_of_friends_keep_their_session(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert "Set-Cookie" in requests(client, headers)["chunk"]().headers


@pytest.mark.parametrize("path", ["/uploads/", "/uploads/csrf-token"])
def test_an_image_of_another_site_sets_no_session(
    make_app: Callable[..., Flask], path: str
) -> None:
    app = make_app(CHUNKED_UPLOAD_CSRF=True)
    ChunkedUpload(app)
    create_tables(app)
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert "Set-Cookie" not in app.test_client().get(path, headers=image).headers
    assert "Set-Cookie" in app.test_client().get(path, headers=link).headers


def test_a_refused_foreign_form_leaves_a_user_signed_in(make_app: Callable[..., Flask]) -> None:
    """Its browser sends no cookie, and a flash would make a session in place of the user's."""
    app = make_app(CHUNKED_UPLOAD_CSRF=True, CHUNKED_UPLOAD_FORM_REDIRECT="/done")
    ChunkedUpload(app).user_loader(lambda _: session.get("user"))
    create_tables(app)
    answer = app.test_client().post(
        "/uploads/form",
        data=form(file(b"hello")),
        headers=FOREIGN[1] | PAGE,
        content_type=FORM,
    )
    assert answer.status_code in (400, 403)
    assert "Set-Cookie" not in answer.headers
