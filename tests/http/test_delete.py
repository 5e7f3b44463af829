"""DELETE: aborts an unfinished upload, removes a completed file; afterwards there is nothing."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from tests.http.answers import refused, stored
from tests.http.expiry import expire
from tests.support.protocol import Protocol, nothing_left

DATA = b"hello world"


def check_gone(client: FlaskClient, upload_id: str) -> None:
    protocol = Protocol(client)
    url = f"/uploads/{upload_id}"
    refused(client.get(url), 404, "Upload not found")
    refused(client.get(f"{url}/file"), 404, "Upload not found")
    refused(client.delete(url), 404, "Upload not found")
    refused(protocol.put(upload_id, b"world", 6, 11), 404, "Upload not found")
    refused(protocol.chunk(b"world", 6, 11, upload_id=upload_id), 404, "Upload not found")
    refused(protocol.complete(upload_id, DATA), 404, "Upload not found")


def test_an_unfinished_upload(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    response = client.delete(f"/uploads/{upload_id}")
    assert (response.status_code, response.data) == (204, b"")
    assert nothing_left(app)
    check_gone(client, upload_id)
    assert nothing_left(app)


def test_a_completed_upload(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.completed(DATA)
    assert client.delete(f"/uploads/{upload_id}").status_code == 204
    assert nothing_left(app)
    check_gone(client, upload_id)


def test_an_expired_upload(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    expire(app, upload_id)
    assert client.delete(f"/uploads/{upload_id}").status_code == 204
    assert nothing_left(app)


@pytest.mark.parametrize("completed", [False, True])
def test_others_of_the_same_name_stay(
    app: Flask, client: FlaskClient, protocol: Protocol, completed: bool
) -> None:
    kept = protocol.completed(b"keep me")
    upload_id = protocol.completed(DATA) if completed else protocol.upload(DATA)
    assert client.delete(f"/uploads/{upload_id}").status_code == 204
    assert list(stored(app).values()) == [b"keep me"]
    assert client.get(f"/uploads/{kept}/file", buffered=True).data == b"keep me"


def test_a_missing_upload(client: FlaskClient) -> None:
    refused(client.delete("/uploads/" + "0" * 32), 404, "Upload not found")


def test_a_file_that_is_gone_already(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    from pathlib import Path

    upload_id = protocol.completed(DATA)
    [name] = stored(app)
    (Path(app.instance_path) / "uploads" / name).unlink()
    refused(client.get(f"/uploads/{upload_id}/file"), 404, "Upload not found")
    assert client.delete(f"/uploads/{upload_id}").status_code == 204
    assert nothing_left(app)


def test_a_removal_is_recorded_although_the_database_has_no_room(
    app: Flask, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the upload's bytes go first, and the room that is kept for this is spent."""
    upload_id = protocol.upload(b"hello")
    engine = app.extensions["chunked_upload"]["chunked_upload"].engine
    swap = engine.records.swap
    failures: list[OperationalError] = []

    def full_once(*arguments: Any, **options: Any) -> bool:
        if not failures:
            failures.append(OperationalError("", {}, Exception("database or disk is full")))
            raise failures[0]
        done: bool = swap(*arguments, **options)
        return done

    monkeypatch.setattr(engine.records, "swap", full_once)
    assert protocol.client.delete(f"/uploads/{upload_id}").status_code == 204
    assert failures
    assert nothing_left(app)
