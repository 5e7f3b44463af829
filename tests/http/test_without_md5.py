"""``CHUNKED_UPLOAD_MD5 = False``: no digest is kept or asked for; one that is sent still counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.digests import digest_offset
from tests.support.protocol import Protocol, files, md5_of, records

pytestmark = pytest.mark.one_database

DATA = b"hello world"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(CHUNKED_UPLOAD_MD5=False)
    ChunkedUpload(app)
    create_tables(app)
    return app


def upload(protocol: Protocol) -> str:
    """Upload the data in two chunks."""
    upload_id: str = protocol.chunk(DATA[:5], 0, len(DATA)).json["upload_id"]  # type: ignore[index]
    assert protocol.chunk(DATA[5:], 5, len(DATA), upload_id=upload_id).status_code == 200
    return upload_id


def test_nothing_is_hashed(app: Flask, protocol: Protocol) -> None:
    upload(protocol)
    [record] = records(app)
    assert (record.offset, record.checksum_states) == (len(DATA), {})


def test_completing_needs_no_md5(app: Flask, protocol: Protocol) -> None:
    upload_id = upload(protocol)
    for _ in range(2):
        response = protocol.complete(upload_id, "")
        assert response.status_code == 200
        assert response.json is not None
        assert response.json["md5"] is None
    assert len(files(app)) == 1


def test_an_id_is_needed_still(protocol: Protocol) -> None:
    response = protocol.complete("", "")
    assert refused(response, 400, "'upload_id' is required")


def test_an_md5_that_is_sent_is_checked(protocol: Protocol) -> None:
    upload_id = upload(protocol)
    assert refused(protocol.complete(upload_id, b"other"), 400, "md5 checksum does not match")
    response = protocol.complete(upload_id, DATA)
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["md5"] == md5_of(DATA)


def test_an_md5_is_checked_after_a_completion_without_one(protocol: Protocol) -> None:
    upload_id = upload(protocol)
    assert protocol.complete(upload_id, "").status_code == 200
    assert refused(protocol.complete(upload_id, b"other"), 400, "md5 checksum does not match")
    assert protocol.complete(upload_id, DATA).status_code == 200


@pytest.mark.both_databases
def test_switched_on_again_the_digest_catches_up(
    make_app: Callable[..., Flask], app: Flask, protocol: Protocol
) -> None:
    upload_id: str = protocol.chunk(DATA[:5], 0, len(DATA)).json["upload_id"]  # type: ignore[index]
    again = make_app(CHUNKED_UPLOAD_ROOT=f"{app.instance_path}/uploads")
    ChunkedUpload(again)
    protocol = Protocol(again.test_client())
    protocol.chunk(DATA[5:], 5, len(DATA), upload_id=upload_id)
    assert digest_offset(records(app)[0]) == len(DATA)
    assert protocol.complete(upload_id, DATA).status_code == 200
