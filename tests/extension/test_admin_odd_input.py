"""``/admin`` with ids, words and errors that databases do not take: never a 500."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from chunked_upload.administration.failures import Failures
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol

MakeApp = Callable[..., Flask]

ADMIN = {"X-Admin": "carol"}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app()
    uploads = ChunkedUpload(app, admin_loader=lambda request: request.headers.get("X-Admin"))
    uploads.on_completion(fail)
    create_tables(app)
    return app


def fail(uploaded_file: Any, request: Any) -> None:
    raise RuntimeError("cannot read caf\udce9\0.txt with Authorization: Bearer swordfish-1234")


#: Lone surrogates, NUL, and what is too long, as URLs and JSON can have them.
ODD = ["%00", "a%00b", "%ff%fe", "%ed%a0%80", "%F0%9F%98%80", "..%2f..", "a" * 60_000, "'--", "%25"]


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_an_odd_id_is_no_uploads(client: FlaskClient, verb: str) -> None:
    for odd in ODD:
        if verb == "GET":
            found = client.get(f"/admin/uploads/{odd}", headers=ADMIN)
        else:
            found = client.post(f"/admin/uploads/{odd}/verify", headers=ADMIN, json={})
        assert found.status_code == 404, (odd[:20], found.text[:500])


@pytest.mark.parametrize("name", ["owner", "search", "storage", "set", "older", "after", "limit"])
def test_an_odd_word_finds_nothing_or_is_refused(client: FlaskClient, name: str) -> None:
    for odd in ODD:
        found = client.get(f"/admin/uploads?{name}={odd}", headers=ADMIN)
        assert found.status_code in (200, 400), (odd[:20], found.text[:500])
        if found.status_code == 200:
            assert answer(found)["uploads"] == [], odd[:20]


def test_a_word_that_is_too_long_is_refused(client: FlaskClient) -> None:
    refused = client.get(f"/admin/uploads?search={'a' * 256}", headers=ADMIN)
    assert refused.status_code == 400
    assert "it must be part of a file's name" in refused.get_json()["detail"]


#: By the order, what a forged ``after`` may have as the place of the last row.
PLACES: dict[str, list[object]] = {
    "name": ["\ud800", "a\0b", 7, None],
    "expires": ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026", 7, None],
    "largest": [None, 1.5, True, 2**63, "7", [7]],
    "newest": [{}, -1, "x"],
}


@pytest.mark.parametrize("sort", PLACES)
def test_a_forged_place_is_refused_or_a_place(client: FlaskClient, sort: str) -> None:
    for place in PLACES[sort]:
        for row in (1, 2**63 - 1, 2**63, None):
            text = json.dumps([sort, {"chunked_upload": [place, row]}])
            after = base64.urlsafe_b64encode(text.encode()).decode()
            found = client.get(f"/admin/uploads?sort={sort}&after={after}", headers=ADMIN)
            assert found.status_code in (200, 400), ascii((place, row))


def test_odd_ids_of_an_action_are_no_uploads(client: FlaskClient) -> None:
    odd = ["\ud800", "a\0b", "\udce9" * 32, "\0" * 32, "é" * 32, ""]
    for action in ("delete", "expire", "extend", "run-hook"):
        body = json.dumps({"action": action, "upload_ids": odd, "for": "1d"})
        done = client.post(
            "/admin/actions", data=body, headers={**ADMIN, "Content-Type": "application/json"}
        )
        assert [one["done"] for one in answer(done)["results"]] == [False] * len(odd)


@pytest.mark.one_database
def test_odd_json_is_refused(client: FlaskClient) -> None:
    bodies = [
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"action": "delete", "upload_ids": ' + b"9" * 5000 + b"}",
        b'{"action": "\\ud800", "upload_ids": ["a"]}',
        b'{"action": "extend", "upload_ids": ["a"], "for": "\\ud800"}',
        b'{"action": "extend", "upload_ids": ["a"], "for": "' + b"9" * 5000 + b'd"}',
    ]
    for body in bodies:
        refused = client.post(
            "/admin/actions", data=body, headers={**ADMIN, "Content-Type": "application/json"}
        )
        assert refused.status_code == 400, body[:50]


def test_a_failures_message_is_noted_without_secrets_and_as_the_database_takes_it(
    app: Flask, client: FlaskClient
) -> None:
    upload_id = Protocol(client).completed(b"hello", filename="a.txt")
    noted: Failures = app.extensions["chunked_upload_admin"]
    noted.flush()
    [failure] = answer(client.get("/admin/failures", headers=ADMIN))["failures"]
    assert failure["upload_id"] == upload_id
    assert failure["detail"] == (
        r"RuntimeError: cannot read caf\udce9\x00.txt with Authorization: …"
    )
    life = answer(client.get(f"/admin/uploads/{upload_id}", headers=ADMIN))
    assert [entry["what"] for entry in life["journal"]] == ["hook_failed"]
