"""IETF resumable uploads: offset retrieval, cancellation and limits (sections 4.3, 4.5, 4.1.4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.http.draft import DATA, append, begun, create, expired, id_of, told
from tests.http.expiry import with_less_time
from tests.support.protocol import Protocol, nothing_left

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize("verb", ["HEAD", "GET"])
def test_where_an_upload_stands(client: FlaskClient, verb: str) -> None:
    url = begun(client, DATA[:5], length=11)
    response = client.open(url, method=verb)
    assert told(response) == (200, "5", "?0", "11")
    assert response.headers["Cache-Control"] == "no-store"
    assert 0 < int(response.headers["Upload-Limit"].removeprefix("max-age=")) <= 86400


def test_the_limits_of_a_complete_upload(client: FlaskClient) -> None:
    url = create(client, DATA, complete="?1").headers["Location"]
    assert client.head(url).headers["Upload-Limit"] == "min-size=0"


def test_the_end_of_an_upload_comes_no_nearer(app: Flask, client: FlaskClient) -> None:
    """Section 4.1.4: each append gives it the whole time again."""
    url = begun(client, DATA[:5])
    with_less_time(app, id_of(url), seconds=100)
    assert 0 < int(client.head(url).headers["Upload-Limit"].removeprefix("max-age=")) <= 100
    answer = append(client, url, DATA[5:], offset=5)
    assert int(answer.headers["Upload-Limit"].removeprefix("max-age=")) > 86000


@pytest.mark.parametrize("header", ["Upload-Offset", "Upload-Complete", "Upload-Length"])
@pytest.mark.parametrize("value", ["?0", "10", "x"])
def test_who_asks_must_not_tell(client: FlaskClient, header: str, value: str) -> None:
    url = begun(client)
    assert client.head(url, headers={header: value}).status_code == 400
    assert client.get(url, headers={header: value}).status_code == 200


def test_uploads_of_other_dialects_are_told_as_well(
    client: FlaskClient, protocol: Protocol
) -> None:
    upload_id = protocol.chunk(DATA[:5], 0, 11).get_json()["upload_id"]
    response = client.head(f"/uploads/{upload_id}")
    assert told(response) == (200, "5", "?0", "11")
    assert response.headers["Range"] == "bytes=0-4"
    assert (
        told(append(client, f"/uploads/{upload_id}", DATA[5:], offset=5, complete="?1"))[0] == 200
    )


@pytest.mark.parametrize("verb", ["HEAD", "GET", "DELETE"])
def test_uploads_that_are_not_there(app: Flask, client: FlaskClient, verb: str) -> None:
    """The contract's words, since these requests are the same in every dialect."""
    response = client.open(f"/uploads/{'0' * 32}", method=verb)
    assert response.status_code == 404
    assert response.mimetype == "application/json"
    if verb != "DELETE":
        assert client.open(expired(app, begun(client)), method=verb).status_code == 410


def test_cancellation(app: Flask, client: FlaskClient) -> None:
    url = begun(client, DATA)
    assert client.delete(url).status_code == 204
    assert nothing_left(app)
    assert client.head(url).status_code == 404
    refused(client.delete(url), 404, "Upload not found")


def test_another_owners_upload(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    owners = iter(["alice", "bob", "bob", "bob", "bob", "alice"])
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: next(owners))
    create_tables(app)
    client = app.test_client()
    url = begun(client, DATA[:5])
    assert client.head(url).status_code == 404
    assert client.get(url).status_code == 404
    assert client.delete(url).status_code == 404
    assert append(client, url, DATA[5:], offset=5).status_code == 404
    assert told(client.head(url))[:2] == (200, "5")


@pytest.mark.parametrize("path", ["/uploads/", "/uploads", f"/uploads/{'0' * 32}"])
def test_options_without_limits(client: FlaskClient, path: str) -> None:
    response = client.options(path)
    assert response.status_code == 204
    assert response.headers["Upload-Limit"] == "min-size=0"


def test_options_tell_limits(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_bytes=1000, max_chunk_bytes=100)
    create_tables(app)
    client = app.test_client()
    limits = client.options("/uploads/").headers["Upload-Limit"]
    assert limits == "max-size=1000, max-append-size=100"
    response = create(client, DATA)
    assert response.headers["Upload-Limit"].startswith(f"{limits}, max-age=")
    assert client.head(response.headers["Location"]).headers["Upload-Limit"].startswith(limits)


def test_flasks_limit_of_a_request_is_one_of_appends(make_app: Callable[..., Flask]) -> None:
    app = make_app(MAX_CONTENT_LENGTH=50)
    ChunkedUpload(app, max_chunk_bytes=100)
    create_tables(app)
    client = app.test_client()
    assert client.options("/uploads/").headers["Upload-Limit"] == "max-append-size=50"
    response = append(client, begun(client), b"x" * 51)
    assert response.status_code == 413
    assert response.headers["Upload-Limit"].startswith("max-append-size=50")


def test_a_limit_larger_than_an_integer_may_be(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_bytes=2**62)
    create_tables(app)
    limits = app.test_client().options("/uploads/").headers["Upload-Limit"]
    assert limits == f"max-size={10**15 - 1}"


def test_ids_are_the_same_everywhere(client: FlaskClient) -> None:
    url = begun(client, DATA[:5])
    [listed] = client.get("/uploads/").get_json()["uploads"]
    assert listed["upload_id"] == id_of(url)
