"""Limits for each owner: stored files and bytes, bytes a day, requests a second, and plans."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, Limits
from chunked_upload.http.access import request_rate
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.concurrency import at_once
from tests.support.protocol import Protocol, nothing_left
from tests.support.tus import Tus

MakeApp = Callable[..., Flask]
Limited = Callable[..., Flask]


@pytest.fixture
def limited(make_app: MakeApp) -> Limited:
    """Make an app with limits that knows its users by a header."""

    def make(**settings: Any) -> Flask:
        app = make_app()
        uploads = ChunkedUpload(app, **settings)
        uploads.user_loader(lambda request: request.headers.get("X-User", "ann"))
        create_tables(app)
        return app

    return make


def quota(client: FlaskClient, **headers: str) -> dict[str, Any]:
    response = client.get("/uploads/quota", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = response.get_json()
    return told


def day(app: Flask) -> int:
    """The bytes that count for today."""
    used: int = quota(app.test_client())["bytes_per_day"]["used"]
    return used


def test_no_limit_is_null(client: FlaskClient) -> None:
    assert set(quota(client).values()) == {None}


def completed(protocol: Protocol, data: bytes) -> str:
    """Send a file whose length is announced, and complete it."""
    upload_id: str = protocol.chunk(data, 0).get_json()["upload_id"]
    assert protocol.complete(upload_id, data).status_code == 200
    return upload_id


# Stored files and bytes


def test_stored_files(limited: Limited) -> None:
    app = limited(max_stored_files=2)
    protocol = Protocol(app.test_client())
    done = protocol.completed(b"1")
    protocol.chunk(b"2", 0, 3)
    content = refused(protocol.chunk(b"3"), 413)
    assert content["detail"] == "Too many uploads (at most 2); delete one first"
    assert quota(protocol.client)["stored_files"] == {"used": 2, "left": 0, "max": 2}
    assert Protocol(app.test_client()).chunk(b"3", headers={"X-User": "bob"}).status_code == 200
    protocol.client.delete(f"/uploads/{done}")
    assert protocol.chunk(b"3").status_code == 200


def test_stored_bytes(limited: Limited) -> None:
    app = limited(max_stored_bytes=100)
    protocol = Protocol(app.test_client())
    done = completed(protocol, b"x" * 60)
    content = refused(protocol.chunk(b"x", 0, 41), 413)
    assert (
        content["detail"]
        == "Your files would take more than 100 bytes (40 are left); delete one first"
    )
    upload_id = protocol.chunk(b"x", 0, 40).get_json()["upload_id"]
    told = quota(protocol.client)
    assert told["stored_bytes"] == {"used": 100, "left": 0, "max": 100}
    assert told["open_bytes"] is None
    protocol.client.delete(f"/uploads/{done}")
    protocol.client.delete(f"/uploads/{upload_id}")
    assert protocol.chunk(b"x", 0, 100).status_code == 200


def test_an_upload_of_unknown_length_stops_at_the_limit(limited: Limited) -> None:
    app = limited(max_stored_bytes=100_000)
    tus = Tus(app.test_client())
    created = tus.create(None, {"Upload-Defer-Length": "1"})
    answer = tus.patch(created.headers["Location"], b"x" * 100_001, 0)
    assert answer.status_code == 413
    assert quota(app.test_client())["stored_bytes"]["used"] <= 100_000


def test_an_upload_that_is_completed_counts_once(limited: Limited) -> None:
    app = limited(max_stored_bytes=100, max_open_bytes=50)
    protocol = Protocol(app.test_client())
    completed(protocol, b"x" * 50)
    completed(protocol, b"x" * 50)
    refused(protocol.chunk(b"x", 0, 1), 413)


# Bytes a day


def test_bytes_of_a_day_count_when_they_are_announced(limited: Limited) -> None:
    app = limited(max_bytes_per_day=100)
    protocol = Protocol(app.test_client())
    protocol.chunk(b"x", 0, 60)
    answer = protocol.chunk(b"x", 0, 41)
    detail = refused(answer, 413)["detail"]
    assert re.search(r"^More than 100 bytes in one day \(40 are left until 20\S+T00:00Z\)", detail)
    assert 0 < int(answer.headers["Retry-After"]) <= 86400
    told = quota(protocol.client)["bytes_per_day"]
    assert {name: told[name] for name in ("used", "left", "max")} == {
        "used": 60,
        "left": 40,
        "max": 100,
    }
    assert told["resets"].endswith("T00:00:00.000Z")


def test_deleting_a_file_gives_nothing_of_the_day_back(limited: Limited) -> None:
    app = limited(max_bytes_per_day=100)
    protocol = Protocol(app.test_client())
    protocol.client.delete(f"/uploads/{completed(protocol, b'x' * 60)}")
    assert day(app) == 60


def test_what_never_arrived_is_given_back(limited: Limited) -> None:
    app = limited(max_bytes_per_day=100)
    protocol = Protocol(app.test_client())
    upload_id = protocol.chunk(b"x" * 10, 0, 60).get_json()["upload_id"]
    protocol.client.delete(f"/uploads/{upload_id}")
    assert day(app) == 10


def test_a_refused_first_chunk_costs_nothing(limited: Limited) -> None:
    app = limited(max_bytes_per_day=100)
    headers = {"Content-Range": "bytes 0-9/60"}
    refused(app.test_client().post("/uploads/?filename=a", data=b"short", headers=headers), 400)
    assert nothing_left(app)
    assert day(app) == 0


def test_the_next_day_begins_at_zero(limited: Limited, monkeypatch: pytest.MonkeyPatch) -> None:
    app = limited(max_bytes_per_day=100)
    protocol = Protocol(app.test_client())
    protocol.chunk(b"x", 0, 100)
    records = app.extensions["chunked_upload"]["chunked_upload"].engine.records
    tomorrow = records.clock.now() + timedelta(days=1)
    monkeypatch.setattr(records.days, "now", lambda: tomorrow)
    assert day(app) == 0
    assert protocol.chunk(b"x", 0, 90).status_code == 200
    with app.app_context():
        records.forget_days()
    assert day(app) == 90


def test_an_upload_that_grows_is_charged_with_what_arrives(limited: Limited) -> None:
    app = limited(max_bytes_per_day=300_000)
    tus = Tus(app.test_client())
    url = tus.create(None, {"Upload-Defer-Length": "1"}).headers["Location"]
    assert tus.patch(url, b"x" * 100_000, 0).status_code == 204
    assert 100_000 <= day(app) <= 100_000 * 9 / 8 + 65_536
    assert tus.patch(url, b"x" * 250_000, 100_000).status_code == 413
    assert day(app) <= 300_000


def test_a_form_of_unknown_length_costs_its_own_bytes_in_the_end(limited: Limited) -> None:
    app = limited(max_bytes_per_day=100_000)
    assert Protocol(app.test_client()).chunk(b"x" * 1000).status_code == 200
    assert day(app) == 1000


# At the same time


@pytest.fixture
def apps(limited: Limited, tmp_path: Path) -> Callable[..., list[Flask]]:
    """Two apps with connections of their own to one database, as two processes have."""

    def make(**settings: Any) -> list[Flask]:
        return [limited(root=str(tmp_path / "files"), **settings) for _ in range(2)]

    return make


@pytest.mark.parametrize("limit", ["max_stored_bytes", "max_bytes_per_day"])
def test_the_last_bytes_are_given_once(apps: Callable[..., list[Flask]], limit: str) -> None:
    both = apps(**{limit: 100})
    answers = at_once(
        8, lambda n: Protocol(both[n % 2].test_client()).chunk(b"x", 0, 33).status_code
    )
    assert sorted(answers) == [200] * 3 + [413] * 5


def test_the_last_place_is_given_once(apps: Callable[..., list[Flask]]) -> None:
    both = apps(max_stored_files=3)
    protocols = [Protocol(both[n % 2].test_client()) for n in range(8)]
    answers = at_once(8, lambda n: protocols[n].chunk(b"x").status_code)
    assert sorted(answers) == [200] * 3 + [413] * 5


# Requests a second


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the counts, which stands still."""
    now = [1000.0]
    monkeypatch.setattr(request_rate, "monotonic", lambda: now[0])
    return now


def test_requests_a_second(limited: Limited, clock: list[float]) -> None:
    client = limited(max_requests_per_second=3).test_client()

    def answers(count: int, user: str = "ann") -> list[int]:
        sent = (client.get("/uploads/", headers={"X-User": user}) for _ in range(count))
        return [response.status_code for response in sent]

    assert answers(5) == [200] * 3 + [429] * 2
    assert answers(1, "bob") == [200]
    clock[0] += 0.34
    assert answers(2) == [200, 429]
    clock[0] += 1
    assert answers(4) == [200] * 3 + [429]


@pytest.mark.usefixtures("clock")
def test_each_dialect_says_429_in_its_own_form(limited: Limited) -> None:
    app = limited(max_requests_per_second=1)
    client = app.test_client()
    assert client.get("/uploads/quota").get_json()["requests_per_second"] == {"max": 1}
    answer = Protocol(client).chunk(b"x")
    assert refused(answer, 429)["detail"] == "Too many requests (at most 1 a second)"
    assert answer.headers["Retry-After"] == "1"
    tus = Tus(client).create(5)
    assert (tus.status_code, tus.headers["Tus-Resumable"]) == (429, "1.0.0")
    headers = {"Upload-Complete": "?1", "Upload-Draft-Interop-Version": "8"}
    problem = client.post("/uploads/", data=b"x", headers=headers)
    assert (problem.status_code, problem.mimetype) == (429, "application/problem+json")
    assert nothing_left(app)


# Plans


def test_an_app_decides_by_owner(limited: Limited) -> None:
    plans = {"ann": Limits(stored_bytes=10), "bob": Limits(stored_bytes=20, open_uploads=1)}
    client = limited(limits_of=lambda owner: plans[owner], max_stored_bytes=5).test_client()
    assert quota(client)["stored_bytes"]["max"] == 10
    told = quota(client, **{"X-User": "bob"})
    assert (told["stored_bytes"]["max"], told["open_uploads"]["max"]) == (20, 1)
    refused(Protocol(client).chunk(b"x", 0, 11), 413)
    assert Protocol(client).chunk(b"x", 0, 11, headers={"X-User": "bob"}).status_code == 200
    refused(Protocol(client).chunk(b"x", 0, 2, headers={"X-User": "bob"}), 413)


def test_a_plan_is_not_asked_for_each_chunk(limited: Limited) -> None:
    asked = []

    def limits_of(owner: str) -> Limits:
        asked.append(owner)
        return Limits(stored_bytes=1000)

    protocol = Protocol(limited(limits_of=limits_of).test_client())
    upload_id = protocol.chunk(b"x", 0, 9).get_json()["upload_id"]
    asked.clear()
    assert protocol.put(upload_id, b"y", 1, 9).status_code == 200
    assert asked == ["ann"]  # for its requests a second


def test_the_account_tells_the_plan(limited: Limited) -> None:
    client = limited(limits_of=lambda owner: Limits(open_bytes=7)).test_client()
    told = client.get("/uploads/account").get_json()["quota"]
    assert told == {"bytes": {"used": 0, "left": 7, "max": 7}, "files": None}
