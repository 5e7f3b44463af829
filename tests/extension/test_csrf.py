"""CSRF tokens of Flask-WTF: who needs one, where it is looked for, how long it is good."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect
from itsdangerous import TimestampSigner

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.http.access.callers import hash_token
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.http.answers import content_of, refused
from tests.http.forms import Unreadable, field, file, form, post_form, send
from tests.support.protocol import Protocol, md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]

REFUSED = "The CSRF token is missing or wrong"
UPLOAD = "0" * 32


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app whose uploads need a token."""
    app = make_app(CHUNKED_UPLOAD_CSRF=True)
    ChunkedUpload(app)
    create_tables(app)
    return app


def token_of(client: FlaskClient, path: str = "/uploads/csrf-token") -> str:
    """Return a token for the client's session."""
    token: str = answer(client.get(path))["csrf_token"]
    return token


def test_off_by_default(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    assert Protocol(client).completed(b"data")
    assert answer(client.get("/uploads/csrf-token")) == {"csrf_token": None}


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "/uploads/"),
        ("POST", "/uploads/complete"),
        ("POST", f"/uploads/{UPLOAD}"),
        ("PUT", f"/uploads/{UPLOAD}"),
        ("DELETE", f"/uploads/{UPLOAD}"),
    ],
)
@pytest.mark.parametrize("header", [None, "wrong"])
def test_refused_before_the_body_is_read(
    app: Flask, client: FlaskClient, verb: str, path: str, header: str | None
) -> None:
    headers = {"X-CSRFToken": header} if header else {}
    kind = "application/octet-stream"
    response = send(
        client, verb, path, Unreadable(), length="10", headers=headers, CONTENT_TYPE=kind
    )
    said = refused(response, 400, REFUSED, csrf_token_url="/uploads/csrf-token")
    assert ("expected it in the header" if header is None else "token") in said["reason"]
    assert nothing_left(app)


def test_every_unsafe_verb_of_every_url_asks_for_a_token(app: Flask, client: FlaskClient) -> None:
    """Also those of dialects to come: a form without a token is refused like any other."""
    token_of(client)
    body = form(file(b"data"))
    kind = "multipart/form-data; boundary=b0undary"
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("chunked_upload."):
            continue
        path = rule.rule.replace("<upload_id>", UPLOAD).replace("<path:filename>", "page.css")
        offered = client.options(path).headers["Allow"].split(", ")
        for verb in {"POST", "PUT", "PATCH", "DELETE"} & set(offered):
            response = client.open(path, method=verb, data=body, content_type=kind)
            if (verb, response.status_code) == ("PUT", 405):  # offered with Upload-Complete only
                continue
            assert response.status_code == 400
            assert response.get_json()["detail"] == REFUSED
            asked += 1
    assert asked >= 5
    assert nothing_left(app)


@pytest.mark.parametrize("header", ["X-CSRFToken", "X-CSRF-Token"])
def test_a_token_in_a_header(app: Flask, client: FlaskClient, header: str) -> None:
    headers = {header: token_of(client)}
    first = client.post(
        "/uploads/?filename=a.bin",
        data=b"he",
        headers={**headers, "Content-Range": "bytes 0-1/5"},
        content_type="application/octet-stream",
    )
    upload_id = answer(first)["upload_id"]
    path = f"/uploads/{upload_id}"
    answer(client.put(path, data=b"llo", headers={**headers, "Content-Range": "bytes 2-4/5"}))
    fields = {"upload_id": upload_id, "md5": md5_of(b"hello")}
    answer(client.post("/uploads/complete", data=fields, headers=headers))
    answer(client.post("/uploads/complete", json=fields, headers=headers))
    refused(client.delete(path), 400, REFUSED)
    assert content_of(app, upload_id) == b"hello"
    assert client.delete(path, headers=headers).status_code == 204


@pytest.mark.parametrize("name", ["csrf_token", "csrfmiddlewaretoken"])
def test_a_token_in_a_field(app: Flask, client: FlaskClient, name: str) -> None:
    token = token_of(client)
    first = post_form(client, field(name, token), file(b"hello"))
    upload_id = answer(first)["upload_id"]
    fields = {"upload_id": upload_id, "md5": md5_of(b"hello"), name: token}
    answer(client.post("/uploads/complete", data=fields))
    answer(client.post("/uploads/complete", json=fields))
    [record] = records(app)
    assert record.extra_fields == {}


def test_a_token_after_the_file_comes_too_late(app: Flask, client: FlaskClient) -> None:
    token = token_of(client)
    said = refused(post_form(client, file(b"hello"), field("csrf_token", token)), 400, REFUSED)
    assert "before the file" in said["reason"]
    assert nothing_left(app)


def test_nothing_of_a_file_is_read_without_a_token(app: Flask, client: FlaskClient) -> None:
    """Only as far as the fields go: the body ends in the middle of the file."""
    token_of(client)
    begun = form(field("csrf_token", "wrong"), file(b"hello"))[:-20]
    kind = "multipart/form-data; boundary=b0undary"
    response = send(client, "POST", "/uploads/", begun, length="1000000000", CONTENT_TYPE=kind)
    refused(response, 400, REFUSED)
    assert nothing_left(app)


def test_another_sessions_token_is_wrong(app: Flask) -> None:
    thief, client = app.test_client(), app.test_client()
    token_of(client)
    said = refused(
        post_form(client, field("csrf_token", token_of(thief)), file(b"x")), 400, REFUSED
    )
    assert said["reason"] == "The CSRF tokens do not match."


def test_a_token_is_good_for_as_long_as_its_session(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload may take longer than the hour after which Flask-WTF's own check refuses it."""
    app.config["WTF_CSRF_TIME_LIMIT"] = 3600
    now = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: now(self) - 30 * 86400)
    token = token_of(client)
    monkeypatch.undo()
    answer(post_form(client, field("csrf_token", token), file(b"hello")))


def test_callers_with_bearer_tokens_need_none(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_CSRF=True, CHUNKED_UPLOAD_TOKENS={"backup": hash_token("secret")})
    uploads = ChunkedUpload(app)
    create_tables(app)
    uploads.user_loader(lambda request: "ada")
    client = app.test_client()
    refused(Protocol(client).chunk(b"data"), 400, REFUSED)
    wrong = {"Authorization": "Bearer wrong"}
    refused(Protocol(client).chunk(b"data", headers=wrong), 400, REFUSED)
    answer(Protocol(client).chunk(b"data", headers={"Authorization": "Bearer secret"}))


def test_a_fresh_token_is_never_cached_and_needs_no_sign_in(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_CSRF=True)
    ChunkedUpload(app).user_loader(lambda request: None)
    create_tables(app)
    response = app.test_client().get("/uploads/csrf-token")
    assert answer(response)["csrf_token"]
    assert response.headers["Cache-Control"] == "no-store"


def test_uploads_sent_at_once_after_asking_for_a_token_are_one_visitors(
    client: FlaskClient,
) -> None:
    token = token_of(client)
    cookie = client.get_cookie("session")
    assert cookie is not None
    for name in ("a.bin", "b.bin"):  # both begin with the cookie that came with the token
        client.set_cookie("session", cookie.value)
        answer(Protocol(client).chunk(b"data", filename=name, csrf_token=token))
    assert answer(client.get("/uploads/"))["total"] == 2


# Beside CSRFProtect


@pytest.mark.parametrize("protection_first", [True, False])
def test_with_csrfprotect_it_is_on_and_streams(make_app: MakeApp, protection_first: bool) -> None:
    app = make_app()
    order: list[Any] = [CSRFProtect, ChunkedUpload]
    for extension in order if protection_first else reversed(order):
        extension(app)
    create_tables(app)
    client = app.test_client()
    refused(Protocol(client).chunk(b"data"), 400, REFUSED)

    token = token_of(client)
    begun = form(field("csrf_token", token), file(b"hello"))[:-20]
    kind = "multipart/form-data; boundary=b0undary"
    response = send(client, "POST", "/uploads/", begun, length="1000", CONTENT_TYPE=kind)
    refused(response, 400, "File size doesn't match headers")  # ours: nobody parsed it before
    answer(Protocol(client).chunk(b"data", csrf_token=token))


def test_other_views_stay_protected_by_csrfprotect(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    CSRFProtect(app)
    app.add_url_rule("/other", "other", lambda: "done", methods=["POST"])
    client = app.test_client()
    assert client.post("/other").status_code == 400
    headers = {"X-CSRFToken": token_of(client)}
    assert client.post("/other", headers=headers).text == "done"


@pytest.mark.parametrize(
    "config",
    [
        {"CHUNKED_UPLOAD_CSRF": False},
        {"WTF_CSRF_ENABLED": False},
        {"WTF_CSRF_CHECK_DEFAULT": False},
        {"WTF_CSRF_ENABLED": False, "CHUNKED_UPLOAD_CSRF": True},
    ],
)
def test_ways_to_switch_it_off(make_app: MakeApp, config: dict[str, bool]) -> None:
    app = make_app(**config)
    CSRFProtect(app)
    ChunkedUpload(app)
    create_tables(app)
    assert Protocol(app.test_client()).completed(b"data")


def test_on_it_needs_flask_wtf(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask_wtf.csrf", None)
    with pytest.raises(ConfigurationError, match=r"chunked-upload\[csrf\]"):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_CSRF=True))
    ChunkedUpload(make_app())
