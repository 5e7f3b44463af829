"""IETF resumable uploads: a creation that comes twice (``Idempotency-Key``) creates one upload."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import content_of
from tests.http.draft import DATA, append, begun, create, cut, id_of, problem, told
from tests.http.expiry import expire
from tests.support.protocol import md5_of, records

pytestmark = pytest.mark.one_database

KEY = {"Idempotency-Key": "a" * 22}
OTHER = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


def again(client: FlaskClient, data: bytes = b"", **options: Any) -> TestResponse:
    return create(client, data, headers=KEY, **{"length": 11, **options})


def test_the_second_answer_is_that_of_the_upload_which_is_there(
    app: Flask, client: FlaskClient
) -> None:
    url = begun(client, length=11, headers=KEY)
    assert again(client).headers["Location"] == url
    append(client, url, DATA[:5])
    response = again(client)
    assert told(response) == (201, "5", "?0", None)
    assert response.headers["Location"] == url
    assert response.headers["Upload-Limit"].startswith("max-age=")
    assert len(records(app)) == 1


def test_bytes_that_come_again_do_not_count(app: Flask, client: FlaskClient) -> None:
    url = begun(client, DATA[:5], length=11, headers=KEY)
    assert told(again(client, DATA[:5])) == (201, "5", "?0", None)
    append(client, url, DATA[5:], offset=5)
    client.post("/uploads/complete", data={"upload_id": id_of(url), "md5": md5_of(DATA)})
    assert told(again(client, DATA[:5])) == (201, "11", "?1", None)
    assert content_of(app, id_of(url)) == DATA


def test_a_file_in_one_request_is_completed_once(app: Flask, client: FlaskClient) -> None:
    first, second = (again(client, DATA, complete="?1") for _ in range(2))
    assert told(second)[:3] == (200, "11", "?1")
    assert first.get_json() == second.get_json()
    assert len(records(app)) == 1


def test_another_key_or_none_creates_another(app: Flask, client: FlaskClient) -> None:
    urls = {begun(client, length=11, headers=headers) for headers in (KEY, OTHER, {}, {})}
    assert len(urls) == len(records(app)) == 4


def test_a_browser_without_a_cookie_gets_that_of_its_first_request(
    app: Flask, client: FlaskClient
) -> None:
    """The first answer was lost, with the cookie in it; with the second, the list has it."""
    url = begun(app.test_client(), length=11, headers=KEY)
    assert again(client).headers["Location"] == url
    listed = client.get("/uploads/").get_json()["uploads"]
    assert [one["upload_id"] for one in listed] == [id_of(url)]


def test_another_caller_with_the_same_key_has_an_upload_of_its_own() -> None:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="x", SQLALCHEMY_DATABASE_URI="sqlite://")
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    client = app.test_client()
    urls = [
        create(client, length=11, headers={**KEY, "X-User": user}).headers["Location"]
        for user in ("alice", "bob", "alice")
    ]
    assert urls[0] == urls[2] != urls[1]


def test_what_is_gone_is_not_created_again(app: Flask, client: FlaskClient) -> None:
    url = begun(client, length=11, headers=KEY)
    client.delete(url)
    problem(again(client), 404)
    assert client.get("/uploads/").get_json()["uploads"] == []
    url = begun(client, length=11, headers=OTHER)
    expire(app, id_of(url))
    problem(create(client, length=11, headers=OTHER), 410)


def test_a_creation_that_broke_off_may_be_repeated(app: Flask, client: FlaskClient) -> None:
    assert again(client, **cut(b"", 5)).status_code == 400
    assert told(again(client, DATA[:5])) == (201, "5", "?0", None)
    assert len(records(app)) == 1


@pytest.mark.parametrize("key", ["", "1", "a" * 256])
def test_a_key_that_can_be_guessed_is_refused(client: FlaskClient, key: str) -> None:
    response = create(client, headers={"Idempotency-Key": key})
    assert "22 to 255" in problem(response, 400)["reason"]


def test_a_key_is_for_one_file(client: FlaskClient) -> None:
    begun(client, length=11, headers=KEY)
    assert "another length" in problem(again(client, length=12), 422)["detail"]
