"""tus: bytes count only if they have the checksum that came with them."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from chunked_upload.http.wire.trailers import TRAILERS_KEY
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.http.forms import send
from tests.support.protocol import nothing_left
from tests.support.tus import BODY_TYPE, VERSION, Tus

pytestmark = pytest.mark.one_database

DATA = b"hello world"


def checksum(name: str, data: bytes = DATA) -> dict[str, str]:
    """Return the header, computed by other means than the server's."""
    digest = (
        bytes.fromhex(f"{zlib.crc32(data):08x}")
        if name == "crc32"
        else hashlib.new(name, data).digest()
    )
    return {"Upload-Checksum": f"{name} {b64encode(digest).decode()}"}


#: The environment of a server that keeps trailers.
KEPT: dict[str, Any] = {TRAILERS_KEY: dict}

NAMES = ["sha1", "md5", "sha256", "sha512", "crc32"]


def test_the_algorithms_are_listed(tus: Tus) -> None:
    listed = tus.client.options(tus.url).headers["Tus-Checksum-Algorithm"]
    assert listed.split(",") == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_bytes_with_their_checksum_count(tus: Tus, name: str) -> None:
    url = tus.created(len(DATA))
    assert tus.patch(url, DATA, 0, checksum(name)).status_code == 204
    assert tus.client.get(url, buffered=True).data == DATA


@pytest.mark.parametrize("name", NAMES)
def test_other_bytes_do_not(tus: Tus, name: str) -> None:
    url = tus.created(len(DATA))
    response = tus.patch(url, DATA, 0, checksum(name, b"other"))
    refused(response, 460, f"{name} checksum does not match")
    assert response.status == "460 Checksum Mismatch"
    assert tus.offset(url) == 0
    assert tus.patch(url, DATA, 0, checksum(name)).status_code == 204
    assert tus.client.get(url, buffered=True).data == DATA


def test_the_checksum_is_that_of_one_request(tus: Tus) -> None:
    url = tus.created(len(DATA))
    assert tus.patch(url, DATA[:5], 0, checksum("sha1", DATA[:5])).status_code == 204
    assert tus.patch(url, DATA[5:], 5, checksum("md5", DATA[5:])).status_code == 204


def test_a_request_that_breaks_off_with_a_checksum_keeps_nothing(tus: Tus) -> None:
    url = tus.created(len(DATA))
    response = send(
        tus.client,
        "PATCH",
        url,
        DATA[:5],
        length=str(len(DATA)),
        headers={"Tus-Resumable": VERSION, "Upload-Offset": "0", **checksum("sha1")},
        CONTENT_TYPE=BODY_TYPE,
    )
    refused(response, 400)
    assert tus.offset(url) == 0


@pytest.mark.parametrize(
    "given",
    [
        "",
        "sha1",
        "sha1 ",
        " sha1",
        "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha3 AAAA",
        "unknown !!!",
        "sha1 !!!",
        "sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0= x",
        "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=,sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "crc32 AAAAAAA",
        "sha1 ééé",
    ],
)
def test_a_malformed_checksum_is_refused(tus: Tus, given: str) -> None:
    url = tus.created(len(DATA))
    response = send(
        tus.client,
        "PATCH",
        url,
        DATA,
        CONTENT_TYPE=BODY_TYPE,
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_OFFSET="0",
        HTTP_UPLOAD_CHECKSUM=given.encode().decode("latin-1"),
    )
    refused(response, 400, "Error in request headers")
    assert tus.offset(url) == 0


@pytest.mark.parametrize("value", ["AAAA", "A" * 28, "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed"])
def test_a_checksum_of_another_length_is_of_other_bytes(tus: Tus, value: str) -> None:
    url = tus.created(len(DATA))
    refused(tus.patch(url, DATA, 0, {"Upload-Checksum": f"sha1 {value}"}), 460)
    assert tus.offset(url) == 0


def test_a_checksum_of_no_bytes(tus: Tus) -> None:
    url = tus.created(len(DATA))
    assert tus.patch(url, b"", 0, checksum("sha1", b"")).status_code == 204
    refused(tus.patch(url, b"", 0, checksum("sha1")), 460)


def test_a_creation_with_bytes_may_have_one(app: Flask, tus: Tus) -> None:
    refused(tus.create(len(DATA), checksum("sha1", b"other"), data=DATA), 460)
    refused(tus.create(len(DATA), {"Upload-Checksum": "unknown AAAA"}, data=DATA), 400)
    assert nothing_left(app)
    assert tus.create(len(DATA), checksum("sha1"), data=DATA).status_code == 201


def test_it_is_held_to_the_last_bytes_when_they_are_repeated(tus: Tus) -> None:
    url = tus.upload(DATA)
    assert tus.patch(url, DATA[5:], 5, checksum("sha1", DATA[5:])).status_code == 204
    refused(tus.patch(url, DATA[5:], 5, checksum("sha1")), 460)


# As a trailer


def trailing(
    tus: Tus, url: str, sent: dict[str, str] | None, announced: str = "Upload-Checksum"
) -> TestResponse:
    """Append DATA by a chunked body with trailers; None for a server that drops them."""
    environ: dict[str, Any] = {} if sent is None else {TRAILERS_KEY: sent.items}
    return send(
        tus.client,
        "PATCH",
        url,
        DATA,
        chunked=True,
        SERVER_SOFTWARE="gunicorn/27",
        CONTENT_TYPE=BODY_TYPE,
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_OFFSET="0",
        HTTP_TRAILER=announced,
        **environ,
    )


def test_trailers_are_offered_only_where_they_arrive(tus: Tus) -> None:
    def offered(**environ: Any) -> bool:
        response = send(tus.client, "OPTIONS", tus.url, **environ)
        return "checksum-trailer" in response.headers["Tus-Extension"].split(",")

    assert offered(**KEPT)
    assert not offered()


def test_trailers_can_be_switched_off(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, tus_checksum_trailer=False)
    create_tables(app)
    tus = Tus(app.test_client())
    response = send(tus.client, "OPTIONS", tus.url, **KEPT)
    assert "checksum-trailer" not in response.headers["Tus-Extension"]
    refused(trailing(tus, tus.created(len(DATA)), checksum("sha1")), 400)


@pytest.mark.parametrize("announced", ["Upload-Checksum", "X-Other, upload-checksum"])
@pytest.mark.parametrize("name", NAMES)
def test_a_checksum_may_follow_the_bytes(tus: Tus, name: str, announced: str) -> None:
    url = tus.created(len(DATA))
    refused(trailing(tus, url, checksum(name, b"other"), announced), 460)
    assert tus.offset(url) == 0
    assert trailing(tus, url, checksum(name), announced).status_code == 204
    assert tus.client.get(url, buffered=True).data == DATA


@pytest.mark.parametrize(
    "sent", [None, {}, {"Upload-Checksum": "unknown AAAA"}, {"Upload-Checksum": "sha1 !!!"}]
)
def test_an_announced_checksum_must_come(tus: Tus, sent: dict[str, str] | None) -> None:
    url = tus.created(len(DATA))
    refused(trailing(tus, url, sent), 400)
    assert tus.offset(url) == 0
