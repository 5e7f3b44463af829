"""tus: PATCH appends; HEAD tells where the next byte goes."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from flask import Flask

from tests.http.answers import content_of, refused
from tests.http.expiry import expire
from tests.http.forms import Unreadable, send
from tests.support.protocol import Protocol, records
from tests.support.tus import BODY_TYPE, VERSION, Tus, id_of

pytestmark = pytest.mark.one_database

DATA = bytes(range(256)) * 40
ABSENT = f"/uploads/tus/{'0' * 32}"


def status_of(tus: Tus, url: str) -> int:
    return int(tus.client.get(f"/uploads/{id_of(url)}").get_json()["status"])


# Where it stands


def test_head_tells_offset_and_length(tus: Tus) -> None:
    url = tus.created(10)
    head = tus.head(url)
    assert head.status_code == 200
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("0", "10")
    assert head.headers["Cache-Control"] == "no-store"
    tus.patch(url, b"hello", 0)
    assert tus.offset(url) == 5


@pytest.mark.parametrize("url", [ABSENT, "/uploads/tus/x", "/uploads/tus/" + "A" * 32])
@pytest.mark.parametrize("verb", ["HEAD", "PATCH", "DELETE"])
def test_what_does_not_exist(tus: Tus, verb: str, url: str) -> None:
    headers = {"Upload-Offset": "0", "Content-Type": BODY_TYPE}
    response = tus.request(verb, url, headers)
    assert response.status_code == 404
    assert "Upload-Offset" not in response.headers


def test_an_unfinished_upload_says_when_it_expires(app: Flask, tus: Tus) -> None:
    created = tus.create(10)
    url = created.headers["Location"]
    patched = tus.patch(url, b"hello", 0)
    [record] = records(app)
    for response in (created, patched, tus.head(url)):
        told = parsedate_to_datetime(response.headers["Upload-Expires"])
        assert abs((told - record.expires_on).total_seconds()) < 5
        assert response.headers["Upload-Expires"].endswith(" GMT")
    done = tus.patch(url, b"world", 5)
    assert "Upload-Expires" not in done.headers
    assert "Upload-Expires" not in tus.head(url).headers


def test_bytes_extend_the_time(app: Flask, tus: Tus) -> None:
    url = tus.created(10)
    expire_on: datetime = records(app)[0].expires_on
    tus.patch(url, b"hello", 0)
    assert records(app)[0].expires_on > expire_on


@pytest.mark.parametrize("verb", ["HEAD", "PATCH"])
def test_an_expired_upload_is_gone(app: Flask, tus: Tus, verb: str) -> None:
    url = tus.created(10)
    tus.patch(url, b"hello", 0)
    expire(app, id_of(url))
    response = tus.request(verb, url, {"Upload-Offset": "5", "Content-Type": BODY_TYPE}, b"world")
    assert response.status_code == 410
    assert "Upload-Offset" not in response.headers


# Bytes


@pytest.mark.parametrize("step", [1000, 4096, len(DATA)])
def test_a_file_in_any_pieces(tus: Tus, step: int) -> None:
    url = tus.upload(DATA, step=step, filename="a.bin")
    assert status_of(tus, url) == 2
    assert tus.client.get(url, buffered=True).data == DATA


def test_each_answer_tells_the_new_offset(tus: Tus) -> None:
    url = tus.created(10)
    response = tus.patch(url, b"hello", 0)
    assert response.status_code == 204
    assert response.data == b""
    assert response.headers["Upload-Offset"] == "5"
    assert response.headers["Tus-Resumable"] == "1.0.0"


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/octet-stream"])
def test_another_type_is_refused_unread(tus: Tus, kind: str | None) -> None:
    url = tus.created(10)
    headers = {"Tus-Resumable": VERSION, "Upload-Offset": "0"}
    if kind is not None:
        headers["Content-Type"] = kind
    response = send(tus.client, "PATCH", url, Unreadable(), length="5", headers=headers)
    refused(response, 415)
    assert tus.offset(url) == 0


@pytest.mark.parametrize(
    "offset", [None, "", "-0", "+0", "-1", "0,0", "0, 0", "0 0", "0x0", "0.0", "x", "9" * 400]
)
def test_the_offset_must_be_said_once_and_plainly(tus: Tus, offset: str | None) -> None:
    url = tus.created(10)
    refused(tus.patch(url, b"hello", 0, {"Upload-Offset": offset}), 400)
    assert tus.offset(url) == 0


@pytest.mark.parametrize("length", ["", "-1", "10,10", "x", str(2**63)])
def test_a_malformed_length_is_refused(tus: Tus, length: str) -> None:
    url = tus.created(10)
    refused(tus.patch(url, b"hello", 0, {"Upload-Length": length}), 400)
    assert tus.offset(url) == 0


@pytest.mark.parametrize("offset", [0, 4, 6, 10, 2**63 - 1])
def test_another_offset_is_a_conflict_that_tells_the_right_one(tus: Tus, offset: int) -> None:
    url = tus.created(10)
    tus.patch(url, b"hello", 0)
    response = tus.patch(url, b"", offset)
    refused(response, 409, "Offsets do not match", offset=5)
    assert response.headers["Upload-Offset"] == "5"
    assert tus.offset(url) == 5


@pytest.mark.parametrize("chunked", [False, True])
def test_bytes_beyond_the_length_are_refused(tus: Tus, chunked: bool) -> None:
    url = tus.created(10)
    tus.patch(url, b"hello", 0)
    response = send(
        tus.client,
        "PATCH",
        url,
        b"world!",
        chunked=chunked,
        CONTENT_TYPE=BODY_TYPE,
        SERVER_SOFTWARE="gunicorn/27",
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_OFFSET="5",
    )
    refused(response, 413)
    assert tus.offset(url) == 5
    assert tus.patch(url, b"world", 5).status_code == 204


@pytest.mark.parametrize("arrived", [1, 300, 9999])
def test_what_arrived_of_a_broken_request_is_kept(app: Flask, tus: Tus, arrived: int) -> None:
    url = tus.created(len(DATA))
    refused(tus.cut(url, DATA[:arrived], 0, len(DATA)), 400)
    assert tus.offset(url) == arrived
    assert content_of(app, id_of(url)) == DATA[:arrived]
    assert tus.patch(url, DATA[arrived:], arrived).status_code == 204
    assert tus.client.get(url, buffered=True).data == DATA


def test_no_bytes_at_the_right_offset_change_nothing(tus: Tus) -> None:
    url = tus.created(10)
    assert tus.patch(url, b"", 0).headers["Upload-Offset"] == "0"


# The last bytes once more: the client has not seen the answer to them


@pytest.mark.parametrize("offset", [0, 5, 9, 10])
def test_the_last_bytes_again_are_a_success(tus: Tus, offset: int) -> None:
    data = b"helloworld"
    url = tus.upload(data)
    response = tus.patch(url, data[offset:], offset)
    assert (response.status_code, response.headers["Upload-Offset"]) == (204, "10")


@pytest.mark.parametrize(
    ("data", "offset"), [(b"World", 5), (b"hello", 0), (b"", 5), (b"worl", 5), (b"", 11)]
)
def test_other_bytes_for_a_complete_upload_are_a_conflict(
    tus: Tus, data: bytes, offset: int
) -> None:
    url = tus.upload(b"helloworld")
    response = tus.patch(url, data, offset)
    refused(response, 409)
    assert response.headers["Upload-Offset"] == "10"
    assert tus.client.get(url, buffered=True).data == b"helloworld"


def test_more_bytes_for_a_complete_upload_are_too_many(tus: Tus) -> None:
    url = tus.upload(b"helloworld")
    refused(tus.patch(url, b"world!", 5), 413)
    refused(tus.patch(url, b"!", 10), 413)
    refused(tus.patch(url, b"world", 5, {"Upload-Length": "11"}), 400)


# With other dialects


def test_an_upload_of_another_dialect_goes_on_here(tus: Tus, protocol: Protocol) -> None:
    upload_id = protocol.chunk(DATA[:1000], 0, len(DATA)).get_json()["upload_id"]
    url = f"/uploads/tus/{upload_id}"
    assert tus.offset(url) == 1000
    assert tus.patch(url, DATA[1000:], 1000).status_code == 204
    assert tus.client.get(url, buffered=True).data == DATA


def test_an_upload_goes_on_in_another_dialect(tus: Tus, protocol: Protocol) -> None:
    url = tus.created(len(DATA))
    tus.patch(url, DATA[:1000], 0)
    assert protocol.put(id_of(url), DATA[1000:], 1000, len(DATA)).status_code == 200
    assert protocol.complete(id_of(url), DATA).status_code == 200
    assert tus.offset(url) == len(DATA)


def test_what_was_not_completed_is_complete_once_head_has_answered(
    tus: Tus, protocol: Protocol
) -> None:
    """Its client takes an offset that is the length for a success."""
    url = f"/uploads/tus/{protocol.upload(DATA)}"
    assert status_of(tus, url) == 1
    assert tus.offset(url) == len(DATA)
    assert status_of(tus, url) == 2
