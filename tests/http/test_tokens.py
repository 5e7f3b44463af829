"""API tokens in the database: scopes, expiry, revocation while the service runs, and the cost."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from chunked_upload import ChunkedUpload
from chunked_upload.http.access import tokens
from chunked_upload.http.access.tokens import hash_token, new_token
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.protocol import Protocol, nothing_left
from tests.support.tus import Tus

DATA = b"hello world"
DENIED = "Authentication credentials were not provided"
WRONG_SCOPE = "The token's scope does not allow this"

MakeApp = Callable[..., Flask]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app()
    ChunkedUpload(app, require_tokens=True)
    create_tables(app)
    return app


def stored(app: Flask) -> Any:
    return app.extensions["chunked_upload"]["chunked_upload"].tokens.stored


def made(app: Flask, *scopes: str, name: str = "robot", age: timedelta | None = None) -> str:
    """Return a new token that is in the database."""
    token = new_token()
    with app.app_context():
        now = stored(app).now()
        stored(app).table.add(
            name,
            hash_token(token),
            scopes=scopes or ("upload", "read"),
            now=now,
            expires_on=None if age is None else now + age,
            beside=True,
        )
    return token


def revoke(app: Flask, name: str = "robot") -> None:
    with app.app_context():
        assert stored(app).table.revoke(name, now=stored(app).now())


def client_with(app: Flask, token: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def downloaded(client: FlaskClient, upload_id: str) -> bytes:
    with client.get(f"/uploads/{upload_id}/file") as response:
        assert response.status_code == 200
        data: bytes = response.data
        return data


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing remembered: as if the seconds had passed."""
    monkeypatch.setattr(tokens, "CACHE_SECONDS", 0)


def test_only_tokens_of_the_database_are_let_in(app: Flask) -> None:
    refused(Protocol(app.test_client()).chunk(DATA), 403, DENIED)
    refused(Protocol(client_with(app, new_token())).chunk(DATA), 403, DENIED)
    assert nothing_left(app)
    upload_id = Protocol(client_with(app, made(app))).completed(DATA)
    other = client_with(app, made(app, name="other"))
    refused(other.get(f"/uploads/{upload_id}"), 404)


def test_a_second_token_of_the_name_owns_the_same_uploads(app: Flask) -> None:
    upload_id = Protocol(client_with(app, made(app))).completed(DATA)
    assert downloaded(client_with(app, made(app)), upload_id) == DATA


def test_the_token_itself_is_not_in_the_database(app: Flask) -> None:
    token = made(app)
    with app.app_context():
        [row] = stored(app).table.all()
    assert row.digest == hash_token(token)
    assert token.startswith("chup_")
    assert len(token) == 48


@pytest.mark.usefixtures("forgetful")
def test_an_expired_token_says_so(app: Flask) -> None:
    client = client_with(app, made(app, age=timedelta(0)))
    assert "has expired" in refused(Protocol(client).chunk(DATA), 403, DENIED)["reason"]
    assert Protocol(client_with(app, made(app, age=timedelta(minutes=1)))).upload(DATA)


def test_a_remembered_token_expires_in_time(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_with(app, made(app, age=timedelta(minutes=1)))
    Protocol(client).upload(DATA)
    later = stored(app).now() + timedelta(minutes=1)
    monkeypatch.setattr(stored(app), "now", lambda: later)
    refused(Protocol(client).chunk(DATA), 403, DENIED)


def test_a_revoked_token_is_refused_within_seconds(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_with(app, made(app))
    Protocol(client).upload(DATA)
    revoke(app)
    clock = time.monotonic() + tokens.CACHE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    assert "has been revoked" in refused(Protocol(client).chunk(DATA), 403, DENIED)["reason"]


def test_the_database_is_asked_once_for_many_chunks(app: Flask) -> None:
    protocol = Protocol(client_with(app, made(app)))
    asked: list[str] = []
    with app.app_context():
        engine = stored(app).table._bind()

    def count(*arguments: Any) -> None:
        asked.extend(word for word in arguments if "chunked_upload_token" in str(word))

    event.listen(engine, "before_cursor_execute", count)
    upload_id = protocol.chunk(DATA, 0, 1000).get_json()["upload_id"]
    for start in range(11, 99, 11):
        assert protocol.put(upload_id, DATA, start, 1000).status_code == 200
    assert len(asked) == 1


def test_a_text_of_another_form_asks_the_database_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored(app).table, "find", None)
    for text in ("x" * 48, "chup_", "chup_" + "x" * 10_000, "chup_" + "\xff" * 43):
        refused(Protocol(client_with(app, text)).chunk(DATA), 403, DENIED)


@pytest.mark.one_database
def test_wrong_tokens_do_not_fill_the_memory(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_MOST_REMEMBERED", 5)
    for _ in range(12):
        client_with(app, new_token()).get("/uploads/")
    assert len(stored(app)._said) <= 5


# Scopes


@pytest.mark.one_database
def test_a_token_without_the_scope_upload_changes_nothing(app: Flask) -> None:
    upload_id = Protocol(client_with(app, made(app))).upload(DATA)
    reader = client_with(app, made(app, "read"))
    answers = [
        Protocol(reader).chunk(DATA),
        reader.put("/uploads/a.txt", data=DATA),
        reader.post("/uploads/form", data={}),
        Protocol(reader).complete(upload_id, DATA),
        reader.delete(f"/uploads/{upload_id}"),
        reader.post("/uploads/", headers={"Upload-Complete": "?1"}),
    ]
    for answer in answers:
        assert answer.status_code == 403
        assert "needs the scope upload, and has read" in answer.get_json()["reason"]
    assert reader.get(f"/uploads/{upload_id}").status_code == 200
    assert reader.get("/uploads/").get_json()["total"] == 1


@pytest.mark.one_database
def test_a_token_without_the_scope_read_gets_no_file(app: Flask) -> None:
    sender = client_with(app, made(app, "upload"))
    upload_id = Protocol(sender).completed(DATA)
    assert sender.get(f"/uploads/{upload_id}").status_code == 200
    for url in (f"{upload_id}/file", f"tus/{upload_id}", f"{upload_id}/shares"):
        refused(sender.get(f"/uploads/{url}"), 403, WRONG_SCOPE)
    assert downloaded(client_with(app, made(app, "read")), upload_id) == DATA


@pytest.mark.one_database
def test_an_admin_token_is_for_the_admin_page_alone(app: Flask) -> None:
    admin = client_with(app, made(app, "admin"))
    refused(admin.get("/uploads/"), 403, WRONG_SCOPE)
    refused(Protocol(admin).chunk(DATA), 403, WRONG_SCOPE)


@pytest.mark.one_database
def test_each_dialect_refuses_in_its_own_form(app: Flask) -> None:
    reader = client_with(app, made(app, "read"))
    answer = reader.post("/uploads/tus/", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5"})
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (403, "1.0.0")
    headers = {"Upload-Complete": "?1", "Upload-Draft-Interop-Version": "8"}
    answer = reader.post("/uploads/", data=DATA, headers=headers)
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert answer.get_json()["detail"] == WRONG_SCOPE


@pytest.mark.one_database
def test_a_scope_holds_whatever_rules_the_app_has(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app, require_tokens=True)
    uploads.user_loader(lambda request: "everybody")
    create_tables(app)
    refused(Protocol(client_with(app, made(app, "read"))).chunk(DATA), 403, WRONG_SCOPE)
    assert Protocol(app.test_client()).upload(DATA)


# Configured tokens, and apps without any


def test_configured_tokens_count_beside_those_of_the_database(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, tokens={"ci": hash_token("s3cret")})
    create_tables(app)
    upload_id = Protocol(client_with(app, "s3cret")).completed(DATA)
    successor = client_with(app, made(app, name="ci"))
    assert downloaded(successor, upload_id) == DATA


def test_configured_tokens_work_before_the_app_is_migrated(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    uploads = ChunkedUpload(app, tokens={"ci": hash_token("s3cret")})
    create_tables(app)
    with app.app_context(), uploads.db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE chunked_upload_token")
    assert Protocol(client_with(app, "s3cret")).upload(DATA)
    refused(Protocol(client_with(app, new_token())).chunk(DATA), 403, DENIED)
    assert "the database has no table 'chunked_upload_token'" in caplog.text


def test_an_app_without_tokens_has_no_table_of_them(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    assert "chunked_upload_token" not in app.extensions["sqlalchemy"].metadata.tables
    assert Protocol(client_with(app, new_token())).upload(DATA)


# What operators are told


@pytest.mark.one_database
def test_refusals_are_security_events(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    reader, token = made(app, "read"), new_token()
    with caplog.at_level(logging.WARNING, "chunked_upload.security"):
        Protocol(client_with(app, reader)).chunk(DATA)
        Protocol(client_with(app, token)).chunk(DATA)
        Protocol(app.test_client()).chunk(DATA)  # no token was sent: nothing to report
        Tus(client_with(app, token)).create(5)
    events = [vars(record) for record in caplog.records]
    assert [event["event"] for event in events] == ["scope_missing", *["token_refused"] * 2]
    assert events[0]["owner"] == "token:robot"
    assert events[0]["address"] == "127.0.0.1"
    assert token not in caplog.text
    assert reader not in caplog.text
