"""tus: POST creates an upload, its length known or not yet, with bytes or without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.http.forms import send
from tests.support.protocol import nothing_left, records
from tests.support.tus import BODY_TYPE, VERSION, Tus, encoded, id_of

pytestmark = pytest.mark.one_database


def test_post_creates_an_upload(app: Flask, tus: Tus) -> None:
    response = tus.create(100, filename="a.txt")
    assert response.status_code == 201
    assert response.data == b""
    location = response.headers["Location"]
    assert location == f"http://localhost/uploads/tus/{id_of(location)}"
    [record] = records(app)
    assert (record.upload_id, record.length, record.offset) == (id_of(location), 100, 0)
    assert record.filename == "a.txt"


def test_location_has_the_host_that_the_client_sees(make_app: Callable[..., Flask]) -> None:
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_host=1, x_proto=1, x_prefix=1)  # type: ignore[method-assign]
    forwarded = {
        "X-Forwarded-Host": "files.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/store",
    }
    location = Tus(app.test_client()).create(1, forwarded).headers["Location"]
    assert location.startswith("https://files.example/store/uploads/tus/")


def test_every_dialect_shows_it(tus: Tus) -> None:
    url = tus.created(10, filename="a.txt", album="x")
    state = tus.client.get(f"/uploads/{id_of(url)}").get_json()
    assert (state["filename"], state["length"], state["offset"]) == ("a.txt", 10, 0)
    assert state["metadata"] == {"filename": "a.txt", "album": "x"}


def test_an_empty_file_is_complete_at_once(tus: Tus) -> None:
    url = tus.created(0, filename="empty")
    head = tus.head(url)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("0", "0")
    assert tus.client.get(f"/uploads/{id_of(url)}").get_json()["status"] == 2
    assert tus.client.get(url, buffered=True).data == b""


WRONG: dict[str, dict[str, str | None]] = {
    "none": {},
    "both": {"Upload-Length": "1", "Upload-Defer-Length": "1"},
    "deferred by another value": {"Upload-Defer-Length": "2"},
    "deferred twice": {"Upload-Defer-Length": "1,1"},
    "deferred by nothing": {"Upload-Defer-Length": ""},
    "negative": {"Upload-Length": "-1"},
    "signed": {"Upload-Length": "+1"},
    "twice": {"Upload-Length": "1,1"},
    "twice with a space": {"Upload-Length": "1, 1"},
    "hex": {"Upload-Length": "0x1"},
    "a fraction": {"Upload-Length": "1.0"},
    "empty": {"Upload-Length": ""},
    "spaced": {"Upload-Length": "1 0"},
    "too large": {"Upload-Length": str(2**63)},
    "huge": {"Upload-Length": "9" * 1000},
    "other digits": {"Upload-Length": "١"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_length_must_be_said_once_and_plainly(app: Flask, tus: Tus, wrong: str) -> None:
    environ: dict[str, Any] = {
        f"HTTP_{name.upper().replace('-', '_')}": (value or "").encode().decode("latin-1")
        for name, value in WRONG[wrong].items()
    }
    response = send(tus.client, "POST", tus.url, HTTP_TUS_RESUMABLE=VERSION, **environ)
    refused(response, 400, "Error in request headers")
    assert nothing_left(app)


def test_the_largest_number_is_a_length(tus: Tus) -> None:
    url = tus.created(2**63 - 1)
    assert tus.head(url).headers["Upload-Length"] == str(2**63 - 1)


# With bytes


def test_bytes_may_come_with_the_creation(tus: Tus) -> None:
    response = tus.create(10, data=b"hello")
    assert response.status_code == 201
    assert response.headers["Upload-Offset"] == "5"
    url = response.headers["Location"]
    assert tus.patch(url, b"world", 5).headers["Upload-Offset"] == "10"
    assert tus.client.get(url, buffered=True).data == b"helloworld"


def test_a_whole_file_may_come_with_the_creation(tus: Tus) -> None:
    response = tus.create(5, data=b"hello", filename="a.txt")
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, "5")
    assert tus.client.get(response.headers["Location"], buffered=True).data == b"hello"


def test_a_body_whose_end_only_its_framing_tells(tus: Tus) -> None:
    response = send(
        tus.client,
        "POST",
        tus.url,
        b"hello",
        chunked=True,
        CONTENT_TYPE=BODY_TYPE,
        SERVER_SOFTWARE="gunicorn/27",
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_LENGTH="10",
    )
    assert (response.status_code, response.headers["Upload-Offset"]) == (201, "5")


@pytest.mark.parametrize("kind", ["text/plain", "", "application/octet-stream", f"{BODY_TYPE}x"])
def test_a_body_of_another_type_is_refused(app: Flask, tus: Tus, kind: str) -> None:
    refused(tus.create(5, {"Content-Type": kind}, data=b"hello"), 415)
    assert nothing_left(app)


def test_the_type_of_no_body_does_not_matter(tus: Tus) -> None:
    assert tus.create(5, {"Content-Type": "text/plain"}).status_code == 201


def test_more_bytes_than_the_length_are_refused(app: Flask, tus: Tus) -> None:
    refused(tus.create(4, data=b"hello"), 413)
    assert nothing_left(app)


@pytest.mark.parametrize("arrived", [b"hel", b""])
def test_a_creation_that_breaks_off_keeps_what_arrived(
    app: Flask, tus: Tus, arrived: bytes
) -> None:
    """Its client has not seen the URL, but finds it in the list of its uploads."""
    response = send(
        tus.client,
        "POST",
        tus.url,
        arrived,
        length="5",
        CONTENT_TYPE=BODY_TYPE,
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_LENGTH="5",
    )
    refused(response, 400)
    if not arrived:
        assert nothing_left(app)
        return
    [listed] = tus.client.get("/uploads/").get_json()["uploads"]
    url = f"{tus.url}{listed['upload_id']}"
    assert tus.patch(url, b"lo", 3).status_code == 204
    with tus.client.get(f"/uploads/{listed['upload_id']}/file") as file:
        assert file.data == b"hello"


# With its length deferred


def test_a_deferred_length_is_told_by_a_later_patch(tus: Tus) -> None:
    url = tus.created()
    head = tus.head(url)
    assert head.headers["Upload-Defer-Length"] == "1"
    assert "Upload-Length" not in head.headers
    assert tus.patch(url, b"hello", 0).headers["Upload-Offset"] == "5"
    assert tus.head(url).headers["Upload-Defer-Length"] == "1"
    assert tus.patch(url, b"world", 5, {"Upload-Length": "12"}).status_code == 204
    head = tus.head(url)
    assert head.headers["Upload-Length"] == "12"
    assert "Upload-Defer-Length" not in head.headers
    assert tus.patch(url, b"!!", 10).headers["Upload-Offset"] == "12"
    assert tus.client.get(url, buffered=True).data == b"helloworld!!"


def test_a_deferred_length_may_come_with_no_more_bytes(tus: Tus) -> None:
    url = tus.created()
    tus.patch(url, b"hello", 0)
    assert tus.patch(url, b"", 5, {"Upload-Length": "5"}).status_code == 204
    assert tus.client.get(url, buffered=True).data == b"hello"


def test_a_deferred_length_may_be_nothing(tus: Tus) -> None:
    url = tus.created()
    assert tus.patch(url, b"", 0, {"Upload-Length": "0"}).status_code == 204
    assert tus.client.get(url, buffered=True).data == b""


def test_a_length_does_not_change(tus: Tus) -> None:
    url = tus.created()
    assert tus.patch(url, b"hello", 0, {"Upload-Length": "10"}).status_code == 204
    refused(tus.patch(url, b"world", 5, {"Upload-Length": "11"}), 400, length=10)
    assert tus.offset(url) == 5
    assert tus.patch(url, b"world", 5, {"Upload-Length": "10"}).status_code == 204


@pytest.mark.parametrize("length", ["4", "7"])
def test_a_length_that_the_bytes_exceed_is_refused(tus: Tus, length: str) -> None:
    url = tus.created()
    tus.patch(url, b"hello", 0)
    refused(tus.patch(url, b"world", 5, {"Upload-Length": length}), 413)
    assert tus.offset(url) == 5
    assert tus.head(url).headers["Upload-Defer-Length"] == "1"


# Metadata


def test_metadata_is_echoed_as_it_was_sent(tus: Tus) -> None:
    raw = "filename d29ybGQucGRm, is_confidential,empty ,binary /w=="
    url = tus.created(1, headers={"Upload-Metadata": raw})
    assert tus.head(url).headers["Upload-Metadata"] == raw
    state = tus.client.get(f"/uploads/{id_of(url)}").get_json()
    assert state["filename"] == "world.pdf"
    assert state["metadata"] == {
        "filename": "world.pdf",
        "is_confidential": "",
        "empty": "",
        "binary": "\N{REPLACEMENT CHARACTER}",
    }


def test_an_empty_header_is_no_metadata(tus: Tus) -> None:
    """tuspy sends it."""
    url = tus.created(1, headers={"Upload-Metadata": ""})
    assert "Upload-Metadata" not in tus.head(url).headers


@pytest.mark.parametrize("name", ["日本語.txt", "a b.txt", "..", "x/../y", "C:\\a.txt"])
def test_a_name_is_the_file_s_never_a_path(app: Flask, tus: Tus, name: str) -> None:
    url = tus.upload(b"hello", filename=name)
    assert tus.client.get(url, buffered=True).data == b"hello"
    [record] = records(app)
    root = Path(app.instance_path) / "uploads"
    assert (root / record.path).resolve().is_relative_to(root.resolve())


def test_name_and_type_by_their_other_keys(make_app: Callable[..., Flask]) -> None:
    """Uppy sends ``name`` and ``type`` as well, others only these."""
    app = make_app()
    uploads = ChunkedUpload(app)
    create_tables(app)
    seen: list[Any] = []
    uploads.validate(lambda request, upload: seen.append(upload))
    Tus(app.test_client()).created(1, name="a.png", type="image/png")
    assert (seen[0].filename, seen[0].content_type, seen[0].length) == ("a.png", "image/png", 1)


@pytest.mark.parametrize(
    "raw",
    [
        "filename !!!",
        "filename a",
        "filename YQ",
        "filename YQ== YQ==",
        "filename\tYQ==",
        "filename YQ==,",
        ",filename YQ==",
        "filename YQ==,filename Yg==",
        "ключ YQ==",
        "a\x00b YQ==",
        "filename Y\xfc==",
    ],
)
def test_malformed_metadata_is_refused(app: Flask, tus: Tus, raw: str) -> None:
    response = send(
        tus.client,
        "POST",
        tus.url,
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_LENGTH="1",
        HTTP_UPLOAD_METADATA=raw.encode().decode("latin-1"),
    )
    refused(response, 400, "Error in request headers")
    assert nothing_left(app)


def test_metadata_has_limits(app: Flask, tus: Tus) -> None:
    assert tus.create(1, x="y" * 10_000).status_code == 201
    many = {f"key{n}": "x" for n in range(33)}
    refused(tus.create(1, {"Upload-Metadata": encoded(**many)}), 413)
    refused(tus.create(1, x="y" * 20_000), 413)
    assert len(records(app)) == 1
