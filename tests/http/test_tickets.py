"""Tickets: what a browser or phone may upload with one, in every dialect, and what it may not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.concurrency import at_once
from tests.support.dropzone import DropzoneFile
from tests.support.protocol import Protocol, nothing_left, records
from tests.support.tus import Tus

DATA = b"hello world"
DENIED = "Authentication credentials were not provided"
NOT_THIS = "The ticket does not allow this upload"

MakeApp = Callable[..., Flask]


def served(app: Flask, **settings: Any) -> ChunkedUpload:
    """Have an app that knows its users by a header, and nobody else."""
    app.secret_key = "only for tests"
    uploads = ChunkedUpload(app, **settings)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    return uploads


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app()
    served(app)
    return app


def made(app: Flask, **allowed: Any) -> str:
    with app.app_context():
        ticket: str = app.extensions["chunked_upload"]["chunked_upload"].extension.make_ticket(
            **allowed
        )
    return ticket


def client_with(app: Flask, ticket: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {ticket}"
    return client


def later(app: Flask, monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    """Have the clock of the tickets show a later time."""
    engine = app.extensions["chunked_upload"]["chunked_upload"].engine
    then = engine.now() + timedelta(**span)
    monkeypatch.setattr(engine, "now", lambda: then)


def test_a_ticket_uploads_for_its_owner(app: Flask) -> None:
    client = client_with(app, made(app, owner="ann"))
    upload_id = Protocol(client).completed(DATA)
    assert records(app)[0].owner == "ann"
    owned = app.test_client().get(f"/uploads/{upload_id}", headers={"X-User": "ann"})
    assert owned.get_json()["status"] == 2
    refused(app.test_client().get(f"/uploads/{upload_id}", headers={"X-User": "bob"}), 404)


def by_put(client: FlaskClient) -> TestResponse:
    return client.put("/uploads/a.txt", data=DATA)


def by_tus(client: FlaskClient) -> TestResponse:
    tus = Tus(client)
    return tus.patch(tus.created(len(DATA)), DATA, 0)


def by_draft(client: FlaskClient) -> TestResponse:
    headers = {"Upload-Complete": "?1", "Upload-Draft-Interop-Version": "8"}
    return client.post("/uploads/", data=DATA, headers=headers)


WAYS: dict[str, Callable[[FlaskClient], TestResponse]] = {
    "django-chunked-upload": lambda client: Protocol(client).chunk(DATA, 0),
    "a form": lambda client: Protocol(client).chunk(DATA),
    "curl -T": by_put,
    "Dropzone": lambda client: DropzoneFile(client, DATA, size=len(DATA)).send(0),
    "tus": by_tus,
    "IETF": by_draft,
}


@pytest.mark.one_database
@pytest.mark.parametrize("way", WAYS)
def test_every_dialect_takes_it_and_keeps_to_it(app: Flask, way: str) -> None:
    ticket = made(app, filename="fixed.txt", metadata={"album": "7"}, max_bytes=len(DATA))
    assert WAYS[way](client_with(app, ticket)).status_code < 300
    [record] = records(app)
    assert (record.filename, record.extra_fields["album"]) == ("fixed.txt", "7")
    assert record.offset == len(DATA)
    small = client_with(app, made(app, max_bytes=len(DATA) - 1))
    refusal = Tus(small).create(len(DATA)) if way == "tus" else WAYS[way](small)
    assert refusal.status_code in (400, 413)
    assert "exceeds the limit (10 bytes)" in refusal.text
    assert len(records(app)) == 1


@pytest.mark.one_database
def test_a_length_that_nobody_announces_is_limited_too(app: Flask) -> None:
    tus = Tus(client_with(app, made(app, max_bytes=10)))
    url = tus.create(None, {"Upload-Defer-Length": "1"}).headers["Location"]
    assert tus.patch(url, DATA, 0).status_code == 413


@pytest.mark.one_database
def test_types(app: Flask) -> None:
    client = client_with(app, made(app, types=["image/*", ".pdf"], uploads=9))
    for name in ("a.jpg", "b.PNG", "c.pdf"):
        assert Protocol(client).chunk(DATA, filename=name).status_code == 200
    for name in ("a.exe", "a.svg", "jpg"):
        content = refused(Protocol(client).chunk(DATA, filename=name), 403, NOT_THIS)
        assert content["reason"] == "files must be of the types image/*, .pdf"


def test_it_sees_its_own_uploads_alone(app: Flask) -> None:
    ann = app.test_client()
    ann.environ_base["HTTP_X_USER"] = "ann"
    others = Protocol(ann).upload(DATA)
    client = client_with(app, made(app, owner="ann"))
    own = Protocol(client).upload(DATA)
    assert [one["upload_id"] for one in client.get("/uploads/").get_json()["uploads"]] == [own]
    refused(client.get(f"/uploads/{others}"), 404)
    refused(client.delete(f"/uploads/{others}"), 404)
    refused(client_with(app, made(app, owner="ann")).get(f"/uploads/{own}"), 404)
    refused(client.get(f"/uploads/{own}/file"), 403)


@pytest.mark.one_database
def test_the_client_cannot_say_what_the_ticket_says(app: Flask) -> None:
    client = client_with(app, made(app, metadata={"album": "7"}))
    Protocol(client).chunk(DATA, album="8", note="mine")
    assert records(app)[0].extra_fields == {"album": "7", "note": "mine"}


# How many, and until when


def test_it_begins_as_many_uploads_as_it_may(make_app: MakeApp, tmp_path: Path) -> None:
    both = [make_app() for _ in range(2)]
    for app in both:
        served(app, root=str(tmp_path / "files"))
    ticket = made(both[0], uploads=3)
    answers = at_once(
        8, lambda n: Protocol(client_with(both[n % 2], ticket)).chunk(DATA, 0, 99).status_code
    )
    assert sorted(answers) == [200] * 3 + [413] * 5


def test_a_refused_first_chunk_uses_nothing_up(app: Flask) -> None:
    client = client_with(app, made(app))
    headers = {"Content-Range": "bytes 0-99/100"}
    refused(client.post("/uploads/?filename=a", data=DATA, headers=headers), 400)
    assert Protocol(client).upload(DATA)
    refused(Protocol(client).chunk(DATA), 413)


def test_what_it_has_begun_it_may_finish_after_it_has_expired(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_with(app, made(app, uploads=2, expires_in=timedelta(minutes=5)))
    upload_id = Protocol(client).chunk(DATA[:5], 0, 11).get_json()["upload_id"]
    later(app, monkeypatch, minutes=6)
    assert "has expired" in refused(Protocol(client).chunk(DATA), 403, NOT_THIS)["reason"]
    assert Protocol(client).put(upload_id, DATA[5:], 5, 11).status_code == 200
    assert Protocol(client).complete(upload_id, DATA).status_code == 200


# What is no ticket


@pytest.mark.one_database
def test_a_ticket_altered_in_each_byte_is_refused(app: Flask) -> None:
    ticket = made(app, owner="ann", filename="a.txt")
    client = app.test_client()
    for place in range(len(ticket)):
        for other in ("A", "_", ".", "\xff"):
            changed = f"{ticket[:place]}{other}{ticket[place + 1 :]}"
            if changed == ticket:
                continue
            answer = client.post(
                "/uploads/?filename=a", data=b"x", headers={"Authorization": f"Bearer {changed}"}
            )
            assert answer.status_code == 403, changed
    assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize("text", ["chut_", "chut_.", "chut_e30.e30", "chut_" + "x" * 9000])
def test_what_only_looks_like_a_ticket(app: Flask, text: str) -> None:
    content = refused(Protocol(client_with(app, text)).chunk(DATA), 403, DENIED)
    assert content["reason"] == "the ticket is not one that this service has signed"


@pytest.mark.one_database
def test_it_counts_for_the_upload_set_that_made_it(make_app: MakeApp) -> None:
    app = make_app()
    served(app)
    ChunkedUpload(app, name="photos", url_prefix="/photos")
    create_tables(app)
    client = client_with(app, made(app))
    refused(Protocol(client, "/photos").chunk(DATA), 403, DENIED)


@pytest.mark.one_database
def test_keys_are_changed_without_a_gap(app: Flask) -> None:
    ticket = made(app)
    app.config["SECRET_KEY_FALLBACKS"] = [app.secret_key]
    app.secret_key = "the next one"
    assert Protocol(client_with(app, ticket)).upload(DATA)
    app.config["SECRET_KEY_FALLBACKS"] = []
    refused(Protocol(client_with(app, ticket)).chunk(DATA), 403, DENIED)


@pytest.mark.one_database
def test_where_callers_are_anonymous_it_counts_as_well(make_app: MakeApp) -> None:
    app = make_app()
    app.secret_key = "only for tests"
    ChunkedUpload(app)
    create_tables(app)
    upload_id = Protocol(client_with(app, made(app))).upload(DATA)
    refused(app.test_client().get(f"/uploads/{upload_id}"), 404)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "allowed",
    [
        {"uploads": 0},
        {"expires_in": timedelta(0)},
        {"max_bytes": -1},
        {"types": ["png"]},
        {"filename": "../a"},
        {"metadata": {"a": 1}},
        {"metadata": {"a": "x" * 5000}},
    ],
)
def test_a_ticket_that_cannot_be_used_is_not_made(app: Flask, allowed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ticket|types|file name|text"):
        made(app, **allowed)


@pytest.mark.one_database
def test_the_command(app: Flask) -> None:
    words = ["create-ticket", "--owner", "ann", "--max-bytes", "1K", "--metadata", "a=b", "--json"]
    result = app.test_cli_runner().invoke(args=["chunked-upload", *words])
    assert result.exit_code == 0, result.output
    client = client_with(app, json.loads(result.output)["ticket"])
    assert Protocol(client).completed(DATA)
    assert records(app)[0].md5 == hashlib.md5(DATA, usedforsecurity=False).hexdigest()
    bad = app.test_cli_runner().invoke(args=["chunked-upload", "create-ticket", "--type", "png"])
    assert (bad.exit_code, "types must be as" in bad.output) == (1, True)
