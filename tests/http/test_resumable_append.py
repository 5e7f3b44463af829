"""IETF resumable uploads: append (section 4.4 of the draft)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadError
from tests.conftest import create_tables
from tests.http.answers import content_of
from tests.http.draft import (
    DATA,
    INCONSISTENT,
    MISMATCH,
    append,
    begun,
    chunked,
    create,
    cut,
    expired,
    id_of,
    problem,
    told,
)
from tests.support.protocol import md5_of

pytestmark = pytest.mark.one_database


def test_a_file_in_three_parts(app: Flask, client: FlaskClient) -> None:
    url = begun(client, DATA[:3], length=11)
    assert told(append(client, url, DATA[3:7], offset=3)) == (204, "7", "?0", None)
    assert told(client.head(url)) == (200, "7", "?0", "11")
    last = append(client, url, DATA[7:], offset=7, complete="?1")
    assert told(last) == (200, "11", "?1", "11")
    assert last.get_json()["md5"] == md5_of(DATA)
    assert content_of(app, id_of(url)) == DATA


def test_all_bytes_are_no_complete_upload(client: FlaskClient) -> None:
    """It is complete when the client says so (section 4.1.3)."""
    url = begun(client, length=11)
    assert told(append(client, url, DATA)) == (204, "11", "?0", None)
    assert told(client.head(url)) == (200, "11", "?0", "11")
    assert told(append(client, url, offset=11, complete="?1")) == (200, "11", "?1", "11")


def test_an_empty_append_tells_the_length_of_what_is_there(client: FlaskClient) -> None:
    url = begun(client, DATA)
    assert told(append(client, url, offset=11, complete="?1")) == (200, "11", "?1", "11")


def test_an_empty_append_in_the_middle(client: FlaskClient) -> None:
    url = begun(client, DATA[:3])
    assert told(append(client, url, offset=3)) == (204, "3", "?0", None)


@pytest.mark.parametrize("offset", [0, 2, 4, 99])
@pytest.mark.parametrize("complete", ["?0", "?1"])
def test_another_offset(app: Flask, client: FlaskClient, offset: int, complete: str) -> None:
    url = begun(client, DATA[:3])
    response = append(client, url, b"xyz", offset=offset, complete=complete)
    problem(response, 409, MISMATCH, expected_offset=3, provided_offset=offset, offset=3)
    assert told(response)[1:3] == ("3", "?0")
    assert content_of(app, id_of(url)) == DATA[:3]
    assert told(append(client, url, DATA[3:], offset=3, complete="?1"))[0] == 200


@pytest.mark.parametrize("offset", [None, "", "abc", "-1", "+0", "0.0", "?0", "1" * 16, "0, 0"])
def test_an_offset_that_cannot_be_read(client: FlaskClient, offset: str | None) -> None:
    url = begun(client)
    problem(append(client, url, DATA, offset=offset), 400)
    assert told(client.head(url))[1] == "0"


@pytest.mark.parametrize("complete", [None, "", "true", "1", "?2", "?0, ?0", "?0,?1"])
def test_completeness_that_cannot_be_read(client: FlaskClient, complete: str | None) -> None:
    url = begun(client)
    problem(append(client, url, DATA, complete=complete), 400)
    assert told(client.head(url))[1] == "0"


@pytest.mark.parametrize("kind", [None, "text/plain", "application/offset+octet-stream"])
def test_another_type(client: FlaskClient, kind: str | None) -> None:
    url = begun(client)
    problem(append(client, url, DATA, kind=kind), 415)
    assert told(client.head(url))[1] == "0"


def test_a_type_with_parameters(client: FlaskClient) -> None:
    url = begun(client)
    kind = "Application/Partial-Upload; charset=binary"
    assert append(client, url, DATA, kind=kind).status_code == 204


def test_a_break_keeps_what_came(app: Flask, client: FlaskClient) -> None:
    url = begun(client, DATA[:3], length=11)
    options = cut(DATA[3:8], 8)
    response = append(client, url, options.pop("data"), offset=3, complete="?1", **options)
    assert told(response)[:3] == (400, "8", "?0")
    assert told(client.head(url)) == (200, "8", "?0", "11")
    assert content_of(app, id_of(url)) == DATA[:8]
    assert told(append(client, url, DATA[8:], offset=8, complete="?1"))[0] == 200


def test_bytes_of_unknown_length(app: Flask, client: FlaskClient) -> None:
    url = begun(client)
    assert append(client, url, **chunked(DATA[:5])).status_code == 204
    last = append(client, url, offset=5, complete="?1", **chunked(DATA[5:]))
    assert told(last) == (200, "11", "?1", "11")
    assert content_of(app, id_of(url)) == DATA


def test_the_end_where_a_break_would_look_like_it(client: FlaskClient) -> None:
    url = begun(client)
    response = append(client, url, complete="?1", **chunked(DATA, "Granian/2"))
    problem(response, 411)
    told_length = append(client, url, complete="?1", length=11, **chunked(DATA, "Granian/2"))
    assert told_length.status_code == 200


@pytest.mark.parametrize("complete", ["?0", "?1"])
@pytest.mark.parametrize("known", [True, False], ids=["Content-Length", "chunked"])
def test_beyond_the_length_an_upload_is_invalid(
    client: FlaskClient, complete: str, known: bool
) -> None:
    url = begun(client, DATA[:3], length=5)
    options: dict[str, Any] = {"data": DATA[3:]} if known else chunked(DATA[3:])
    response = append(client, url, offset=3, complete=complete, **options)
    problem(response, 400, INCONSISTENT)
    assert response.headers["Upload-Complete"] == "?0"
    assert client.head(url).status_code == 410
    problem(append(client, url, DATA[3:5], offset=3, complete="?1"), 410)
    assert client.get(url).status_code == 410


def test_one_byte_beyond_the_length(client: FlaskClient) -> None:
    url = begun(client, DATA, length=11)
    problem(append(client, url, b"!", offset=11), 400, INCONSISTENT)
    assert client.head(url).status_code == 410


@pytest.mark.parametrize(
    ("length", "complete", "data"),
    [(50, "?0", b"x"), (5, "?0", b"x"), (None, "?1", b"x"), (11, "?1", b"x"), (None, "?1", b"")],
)
def test_lengths_that_differ_from_the_one_before(
    client: FlaskClient, length: int | None, complete: str, data: bytes
) -> None:
    url = begun(client, DATA[:3], length=11)
    response = append(client, url, data, offset=3, length=length, complete=complete)
    problem(response, 400, INCONSISTENT)
    assert response.headers["Upload-Complete"] == "?0"
    assert told(client.head(url)) == (200, "3", "?0", "11")
    assert append(client, url, DATA[3:], offset=3, complete="?1").status_code == 200


def test_a_length_that_comes_later(client: FlaskClient) -> None:
    url = begun(client, DATA[:3])
    assert append(client, url, DATA[3:5], offset=3, length=11).status_code == 204
    assert told(client.head(url)) == (200, "5", "?0", "11")
    problem(append(client, url, DATA[5:], offset=5, length=12), 400, INCONSISTENT)


def test_a_repeated_last_append_gets_the_final_answer_again(
    make_app: Callable[..., Flask],
) -> None:
    app, ran = make_app(), []
    uploads = ChunkedUpload(app)
    create_tables(app)

    @uploads.on_completion
    def completed(file: Any, request: Any) -> None:
        ran.append(file)

    client = app.test_client()
    url = begun(client, DATA[:3], length=11)
    first = append(client, url, DATA[3:], offset=3, complete="?1")
    for again in (
        append(client, url, DATA[3:], offset=3, complete="?1"),
        append(client, url, offset=11, complete="?1"),
        append(client, url, offset=3, complete="?1", **chunked(DATA[3:])),
    ):
        assert told(again) == told(first) == (200, "11", "?1", "11")
        assert again.get_json() == first.get_json()
    assert len(ran) == 1


@pytest.mark.parametrize(
    ("offset", "data", "complete", "status"),
    [
        (11, b"", "?0", 400),
        (11, b"x", "?0", 400),
        (11, b"x", "?1", 409),
        (0, b"x", "?0", 409),
        (0, b"x", "?1", 409),
        (99, b"", "?1", 409),
    ],
)
def test_a_complete_upload_takes_nothing_more(
    app: Flask, client: FlaskClient, offset: int, data: bytes, complete: str, status: int
) -> None:
    url = create(client, DATA, complete="?1").headers["Location"]
    response = append(client, url, data, offset=offset, complete=complete)
    problem(response, status, MISMATCH if status == 409 else "about:blank")
    assert response.headers["Upload-Complete"] == "?0"
    assert told(client.head(url)) == (200, "11", "?1", "11")
    assert content_of(app, id_of(url)) == DATA


def test_an_upload_that_is_not_there(app: Flask, client: FlaskClient) -> None:
    problem(append(client, f"/uploads/{'0' * 32}", DATA), 404)
    problem(append(client, "/uploads/name.txt", DATA), 404)
    url = begun(client, DATA)
    assert client.delete(url).status_code == 204
    problem(append(client, url, b"x", offset=11), 404)
    problem(append(client, expired(app, begun(client)), DATA), 410)


def test_bytes_that_are_lost_end_the_upload(app: Flask, client: FlaskClient) -> None:
    """Section 4.1.1: the offset never goes back, so the upload cannot be used any more."""
    url = begun(client, DATA[:5])
    [part] = Path(app.instance_path).rglob(f"{id_of(url)}.part")
    part.unlink()
    problem(append(client, url, DATA[5:], offset=5, complete="?1"), 410)
    assert client.head(url).status_code == 410
    problem(append(client, url, DATA, offset=0, complete="?1"), 410)


def test_the_last_append_is_answered_as_the_whole_file_is(client: FlaskClient) -> None:
    """Section 4.4.2."""
    whole = create(client, DATA, complete="?1")
    url = begun(client, DATA[:5])
    last = append(client, url, DATA[5:], offset=5, complete="?1")
    of_one_upload = {"upload_id", "url", "created_on", "completed_on"}
    first, second = whole.get_json(), last.get_json()
    assert {name for name in first if first[name] != second[name]} <= of_one_upload
    assert told(last) == told(whole)


def test_who_may_no_longer_upload_completes_nothing(make_app: Callable[..., Flask]) -> None:
    """Section 13: what was allowed at the creation may not be any more."""
    app, allowed = make_app(), [True]
    uploads = ChunkedUpload(app)
    create_tables(app)

    @uploads.check_permissions
    def check(request: Any) -> None:
        if not allowed:
            raise ChunkedUploadError(403, detail="no longer")

    client = app.test_client()
    url = begun(client, DATA)
    allowed.clear()
    problem(append(client, url, offset=11, complete="?1"), 403)
    allowed.append(True)
    assert told(client.head(url)) == (200, "11", "?0", None)


def test_more_than_one_append_may_bring(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_chunk_bytes=5)
    create_tables(app)
    client = app.test_client()
    url = begun(client, length=11)
    response = append(client, url, DATA)
    problem(response, 413)
    assert "max-append-size=5" in response.headers["Upload-Limit"]
    assert append(client, url, DATA[:5]).status_code == 204


def test_more_than_a_file_may_have(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_bytes=5)
    create_tables(app)
    client = app.test_client()
    url = begun(client, DATA[:3])
    for options in ({"data": DATA[3:]}, chunked(DATA[3:]), {"length": 11}):
        response = append(client, url, offset=3, **options)
        problem(response, 413)
        assert response.headers["Upload-Limit"].startswith("max-size=5, ")
    assert told(client.head(url))[1] == "3"
