"""A file that is larger than the free room is refused when it is announced, in each dialect."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from chunked_upload.engine import room
from chunked_upload.storage.local.storage import LocalStorage
from tests.conftest import create_tables
from tests.http.draft import create
from tests.support.dropzone import DropzoneFile
from tests.support.protocol import Protocol, nothing_left
from tests.support.tus import Tus

FREE = 1000
REASON = "there is no room for a file of {} bytes"


@pytest.fixture(autouse=True)
def small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalStorage, "free_bytes", lambda storage: FREE)


def put(client: FlaskClient, size: int) -> TestResponse:
    return client.put("/uploads/a.bin", data=b"x" * size)


#: Every way to announce a file of so many bytes; some send a first chunk along.
WAYS: dict[str, Callable[[FlaskClient, int], TestResponse]] = {
    "a form's first chunk": lambda client, size: Protocol(client).chunk(b"hello", 0, size),
    "a raw first chunk": lambda client, size: client.post(
        "/uploads/?filename=a", data=b"x", headers={"Content-Range": f"bytes 0-0/{size}"}
    ),
    "a whole file": put,
    "Dropzone": lambda client, size: DropzoneFile(client, b"x" * size, size=size // 2).send(0),
    "tus": lambda client, size: Tus(client).create(size),
    "the IETF's draft": lambda client, size: create(client, length=size),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_does_not_fit_is_refused_at_once(app: Flask, client: FlaskClient, way: str) -> None:
    response = WAYS[way](client, FREE + 2)
    assert response.status_code == 507, response.text
    assert b"Storage is full" in response.data
    assert REASON.format(FREE + 2).encode() in response.data
    assert nothing_left(app)


@pytest.mark.parametrize("way", WAYS)
def test_what_fits_is_taken(client: FlaskClient, way: str) -> None:
    assert WAYS[way](client, FREE).status_code in (200, 201)


def test_an_upload_that_has_begun_goes_on(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are kept as long as there is room for each of them."""
    protocol = Protocol(client)
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    monkeypatch.setattr(LocalStorage, "free_bytes", lambda storage: 0)
    assert protocol.put(upload_id, b"world", 6, 11).get_json()["offset"] == 11


def test_who_does_not_know_the_length_may_say_the_largest(client: FlaskClient) -> None:
    for size in (2**63 - 1, room._PLACEHOLDER):
        assert Tus(client).create(size).status_code == 201
    assert Tus(client).create(room._PLACEHOLDER - 1).status_code == 507


def test_what_is_joined_may_share_the_bytes_of_its_pieces(client: FlaskClient) -> None:
    tus, size = Tus(client), FREE - 1
    pieces = [tus.created(size, headers={"Upload-Concat": "partial"}) for _ in range(2)]
    for piece in pieces:
        assert tus.patch(piece, b"x" * size, 0).status_code == 204
    joined = tus.request("POST", tus.url, {"Upload-Concat": f"final;{' '.join(pieces)}"})
    assert joined.status_code == 201, joined.text


@pytest.mark.parametrize("way", WAYS)
def test_a_quota_says_so_as_early(make_app: Callable[..., Flask], way: str) -> None:
    app = make_app()
    ChunkedUpload(app, max_open_bytes=100)
    create_tables(app)
    response = WAYS[way](app.test_client(), 200)
    assert response.status_code == 413, response.text
    assert b"Unfinished uploads would take more than 100 bytes" in response.data
    assert nothing_left(app)
