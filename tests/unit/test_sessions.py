"""The stand-alone server's session cookies: signed with the keys that the app has now."""

from __future__ import annotations

import pytest
from flask import Flask, session
from flask.sessions import NullSession
from flask.testing import FlaskClient
from itsdangerous import BadSignature, URLSafeTimedSerializer

from chunked_upload.server.app import LastingSessions


def test_a_new_secret_key_is_followed_and_old_ones_hold_as_long_as_they_are_kept() -> None:
    app, sessions = Flask("app"), LastingSessions()

    def signer() -> URLSafeTimedSerializer:
        found = sessions.get_signing_serializer(app)
        assert found is not None
        return found

    assert sessions.get_signing_serializer(app) is None  # no key yet
    app.secret_key = "first"
    cookie = signer().dumps({"visitor": "1"})
    app.secret_key = "second"
    app.config["SECRET_KEY_FALLBACKS"] = ["first"]
    assert signer().loads(cookie) == {"visitor": "1"}
    app.config["SECRET_KEY_FALLBACKS"].clear()
    with pytest.raises(BadSignature):
        signer().loads(cookie)


@pytest.fixture
def client() -> FlaskClient:
    """A client of an app that counts a visitor's calls of ``/count`` and of no other page."""
    app = Flask("app")
    app.session_interface, app.secret_key = LastingSessions(), "secret"

    @app.get("/")
    def other() -> str:
        return ""

    @app.get("/count")
    def count() -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.get("/forget")
    def forget() -> str:
        session.clear()
        return ""

    return app.test_client()


def test_a_visitor_without_cookies_gets_one_when_there_is_something_to_keep(
    client: FlaskClient,
) -> None:
    assert "Set-Cookie" not in client.get("/").headers
    answer = client.get("/count")
    assert "Expires=" in answer.headers["Set-Cookie"]
    assert answer.headers["Vary"] == "Cookie"
    assert client.get("/count").text == "2"


def test_a_cookie_of_another_site_does_no_harm(client: FlaskClient) -> None:
    client.set_cookie("session", "forged")
    client.set_cookie("theirs", "1")
    assert client.get("/count").text == "1"


def test_what_is_forgotten_is_taken_back(client: FlaskClient) -> None:
    client.get("/count")
    assert "Expires=Thu, 01 Jan 1970" in client.get("/forget").headers["Set-Cookie"]
    assert client.get("/count").text == "1"


def test_without_a_secret_key_nothing_is_kept() -> None:
    app = Flask("app")
    app.session_interface = LastingSessions()
    with app.test_request_context():
        assert isinstance(session._get_current_object(), NullSession)  # type: ignore[attr-defined]
