"""Posting chunks: every form of body that the contract names, and what a chunk's answer says."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from urllib.parse import quote

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import content_of, refused, stored
from tests.http.expiry import expire
from tests.http.forms import content_range, field, file, form, part, post_form, send
from tests.support.protocol import Protocol, nothing_left, records

DATA = b"hello world"


# Forms


def test_the_first_chunk_creates_an_upload(protocol: Protocol) -> None:
    response = protocol.chunk(b"hello ", 0, 11)
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    content = response.get_json()
    assert set(content) == {"upload_id", "offset", "expires"}
    assert re.fullmatch(r"[0-9a-f]{32}", content["upload_id"])
    assert content["offset"] == 6


def test_ids_are_random(protocol: Protocol) -> None:
    ids = {protocol.upload(b"x") for _ in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize("order", list(permutations(("upload_id", "color", "file"))))
def test_the_order_of_a_forms_parts_does_not_matter(
    app: Flask, client: FlaskClient, protocol: Protocol, order: tuple[str, ...]
) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    parts = {
        "upload_id": field("upload_id", upload_id),
        "color": field("color", "blue"),
        "file": file(b"world"),
    }
    response = post_form(
        client, *(parts[name] for name in order), span=content_range(6, b"world", 11)
    )
    assert response.status_code == 200, response.text
    assert response.get_json()["upload_id"] == upload_id
    assert response.get_json()["offset"] == 11
    assert content_of(app, upload_id) == DATA
    assert len(records(app)) == 1
    assert len(stored(app)) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_wrong_offset_is_refused_wherever_the_id_stands(
    app: Flask, client: FlaskClient, protocol: Protocol, after: bool
) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    parts = [field("upload_id", upload_id), file(b"rld")]
    response = post_form(
        client, *(reversed(parts) if after else parts), span=content_range(8, b"rld", 11)
    )
    refused(response, 400, "Offsets do not match", offset=6)
    assert content_of(app, upload_id) == b"hello "
    assert len(stored(app)) == 1
    assert len(records(app)) == 1


def test_an_id_after_the_file_of_no_upload_leaves_nothing(app: Flask, client: FlaskClient) -> None:
    response = post_form(
        client, file(b"world"), field("upload_id", "0" * 32), span=content_range(6, b"world", 11)
    )
    refused(response, 404, "Upload not found")
    assert nothing_left(app)


def test_the_names_of_later_chunks_do_not_matter(make_app: Callable[..., Flask]) -> None:
    """``split`` names its pieces xaa, xab …: only the first chunk's name is the file's."""
    app = make_app()
    ChunkedUpload(app, allowed_extensions=("bin",), max_filename_length=10)
    create_tables(app)
    client = app.test_client()
    upload_id = Protocol(client).chunk(b"he", 0, 6).get_json()["upload_id"]
    before = post_form(
        client, field("upload_id", upload_id), file(b"ll", "xaa"), span=content_range(2, b"ll", 6)
    )
    after = post_form(
        client,
        file(b"o!", "x" * 100),
        field("upload_id", upload_id),
        span=content_range(4, b"o!", 6),
    )
    assert (before.status_code, after.status_code) == (200, 200)
    assert content_of(app, upload_id) == b"hello!"


def test_a_form_without_content_range_is_the_whole_file(app: Flask, protocol: Protocol) -> None:
    response = protocol.chunk(DATA)
    assert response.status_code == 200
    assert response.get_json()["offset"] == 11
    state = protocol.state(response.get_json()["upload_id"]).get_json()
    assert state["length"] == 11


def test_a_form_to_a_known_url(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    for method, start, data in (("POST", 6, b"wor"), ("PUT", 9, b"ld")):
        response = post_form(
            client,
            file(data),
            span=content_range(start, data, 11),
            path=f"/uploads/{upload_id}",
            method=method,
        )
        assert response.status_code == 200, response.text
    assert content_of(app, upload_id) == DATA


@pytest.mark.parametrize("field_name", ["file", "files[]"])
def test_default_field_names(protocol: Protocol, field_name: str) -> None:
    assert protocol.chunk(DATA, field=field_name).status_code == 200


def test_the_field_name_is_a_setting(make_app: Callable[..., Flask]) -> None:
    app = make_app(CHUNKED_UPLOAD_FIELD_NAME="attachment")
    ChunkedUpload(app)
    create_tables(app)
    protocol = Protocol(app.test_client())
    assert protocol.chunk(DATA, field="attachment").status_code == 200
    refused(protocol.chunk(DATA, field="file"), 400, "No chunk file was submitted")


def test_a_file_input_left_empty_is_ignored(client: FlaskClient) -> None:
    response = post_form(client, file(b"", "", field_name="other"), file(DATA))
    assert response.status_code == 200
    assert response.get_json()["offset"] == 11


def test_extra_fields_are_kept_as_metadata(
    app: Flask, client: FlaskClient, protocol: Protocol
) -> None:
    response = post_form(
        client, field("color", "blué"), file(DATA), field("size", "xl"), field("csrf_token", "t")
    )
    state = protocol.state(response.get_json()["upload_id"]).get_json()
    assert state["metadata"] == {"color": "blué", "size": "xl"}


def test_metadata_survives_completion(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA, color="blue")
    assert protocol.complete(upload_id, DATA).get_json()["metadata"] == {"color": "blue"}


# Raw bytes


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/plain"])
def test_raw_chunks_of_a_known_upload(
    app: Flask, client: FlaskClient, protocol: Protocol, method: str, content_type: str
) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    response = client.open(
        f"/uploads/{upload_id}",
        method=method,
        data=b"world",
        headers={"Content-Range": "bytes 6-10/11", "Content-Type": content_type},
    )
    assert response.status_code == 200, response.text
    assert response.get_json()["offset"] == 11
    assert content_of(app, upload_id) == DATA


def test_raw_bytes_create_an_upload(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    response = client.post(
        "/uploads/?filename=a%20b.txt", data=DATA, content_type="application/octet-stream"
    )
    assert response.status_code == 200
    state = protocol.state(response.get_json()["upload_id"]).get_json()
    assert (state["filename"], state["offset"], state["length"]) == ("a b.txt", 11, 11)


def test_a_raw_first_chunk_with_content_range(
    app: Flask, client: FlaskClient, protocol: Protocol
) -> None:
    response = client.post(
        "/uploads/",
        data=b"hello ",
        headers={"Content-Range": "bytes 0-5/11", "Content-Type": "application/octet-stream"},
    )
    upload_id = response.get_json()["upload_id"]
    assert protocol.put(upload_id, b"world", 6, 11).status_code == 200
    assert protocol.complete(upload_id, DATA).status_code == 200


def test_a_chunked_transfer_with_content_range(app: Flask, client: FlaskClient) -> None:
    response = send(
        client,
        "POST",
        "/uploads/",
        DATA,
        chunked=True,
        headers={"Content-Range": "bytes 0-10/11"},
    )
    assert response.status_code == 200, response.text
    assert content_of(app, response.get_json()["upload_id"]) == DATA


def test_a_chunked_transfer_of_a_form(app: Flask, client: FlaskClient) -> None:
    response = send(
        client,
        "POST",
        "/uploads/",
        form(file(DATA)),
        chunked=True,
        CONTENT_TYPE="multipart/form-data; boundary=b0undary",
    )
    assert response.status_code == 200, response.text
    assert content_of(app, response.get_json()["upload_id"]) == DATA


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="plain.txt"', "plain.txt"),
        ("attachment; filename=token.txt", "token.txt"),
        (f'attachment; filename="{quote("naïve file.txt")}"', "naïve file.txt"),
        (f"attachment; filename*=UTF-8''{quote('日本.txt')}", "日本.txt"),
        (f"attachment; filename=\"x.txt\"; filename*=UTF-8''{quote('€.txt')}", "€.txt"),
        ('attachment; filename="ünï.txt"', "ünï.txt"),
        ('attachment; filename="quo\\"te.txt"', 'quo"te.txt'),
        ('attachment; filename="100%.txt"', "100%.txt"),
    ],
)
def test_names_in_content_disposition(
    client: FlaskClient, protocol: Protocol, header: str, name: str
) -> None:
    response = send(
        client,
        "POST",
        "/uploads/",
        DATA,
        CONTENT_TYPE="application/octet-stream",
        # As a server hands over UTF-8 bytes.
        HTTP_CONTENT_DISPOSITION=header.encode().decode("latin-1"),
    )
    assert response.status_code == 200, response.text
    assert protocol.state(response.get_json()["upload_id"]).get_json()["filename"] == name


def test_a_blobs_name_is_taken_from_the_header(client: FlaskClient, protocol: Protocol) -> None:
    """jQuery-File-Upload sends slices as blobs and the file's name in Content-Disposition."""
    response = client.post(
        "/uploads/",
        data=form(file(DATA, "blob")),
        content_type="multipart/form-data; boundary=b0undary",
        headers={"Content-Disposition": 'attachment; filename="my%20film.mp4"'},
    )
    upload_id = response.get_json()["upload_id"]
    assert protocol.state(upload_id).get_json()["filename"] == "my film.mp4"


@pytest.mark.parametrize("name", ["quo%22te.txt", "semi;colon.txt", "naïve.txt", "日本.txt"])
def test_names_in_a_form(client: FlaskClient, protocol: Protocol, name: str) -> None:
    upload_id = post_form(client, file(DATA, name)).get_json()["upload_id"]
    expected = name.replace("%22", '"')
    assert protocol.state(upload_id).get_json()["filename"] == expected


# Empty files


def test_an_empty_file_in_a_form(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    response = post_form(client, file(b"", "empty.txt"))
    assert response.status_code == 200
    assert response.get_json()["offset"] == 0
    assert "Range" not in response.headers
    done = protocol.complete(response.get_json()["upload_id"], b"")
    assert done.status_code == 200
    assert (done.get_json()["length"], done.get_json()["offset"]) == (0, 0)
    assert list(stored(app).values()) == [b""]


def test_an_empty_raw_file(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    response = client.post(
        "/uploads/?filename=e", data=b"", content_type="application/octet-stream"
    )
    assert response.status_code == 200
    assert protocol.complete(response.get_json()["upload_id"], b"").status_code == 200
    assert list(stored(app).values()) == [b""]


# The answer


def test_headers_tell_where_the_upload_stands(protocol: Protocol) -> None:
    response = protocol.chunk(b"hello ", 0, 11)
    assert response.headers["Range"] == "bytes=0-5"
    assert response.headers["Upload-Offset"] == "6"
    assert response.headers["Upload-Length"] == "11"
    assert response.headers["Cache-Control"] == "no-store"
    last = protocol.put(response.get_json()["upload_id"], b"world", 6, 11)
    assert last.headers["Range"] == "bytes=0-10"
    assert last.headers["Upload-Offset"] == "11"


def test_expires_is_the_expiration_delta_from_now(make_app: Callable[..., Flask]) -> None:
    app = make_app(CHUNKED_UPLOAD_EXPIRATION_DELTA=timedelta(hours=3))
    ChunkedUpload(app)
    create_tables(app)
    second = timedelta(seconds=1)  # the clock is the database's, as far as one question tells it
    before = datetime.now(UTC) - second
    expires = Protocol(app.test_client()).chunk(b"x", 0, 2).get_json()["expires"]
    assert expires.endswith("Z")
    moment = datetime.fromisoformat(expires)
    assert before <= moment - timedelta(hours=3) <= datetime.now(UTC) + second


@pytest.mark.parametrize("counts_from", ["last_chunk", "creation"])
def test_a_setting_says_from_when_expiry_counts(
    make_app: Callable[..., Flask], counts_from: str
) -> None:
    """From the creation as in django-chunked-upload; ``expires`` tells, in each answer."""
    app = make_app(CHUNKED_UPLOAD_EXPIRATION_DELTA="1d", CHUNKED_UPLOAD_EXPIRATION_FROM=counts_from)
    ChunkedUpload(app)
    create_tables(app)
    protocol = Protocol(app.test_client())
    first = protocol.chunk(b"hello ", 0, 16).get_json()
    time.sleep(0.01)
    second = protocol.chunk(b"world", 6, 16, upload_id=first["upload_id"]).get_json()
    assert (second["expires"] > first["expires"]) is (counts_from == "last_chunk")
    state = protocol.state(first["upload_id"]).get_json()
    assert state["expires"] == second["expires"]
    if counts_from == "creation":
        created = datetime.fromisoformat(state["created_on"])
        lives = datetime.fromisoformat(state["expires"]) - created
        assert abs(lives - timedelta(days=1)) < timedelta(seconds=1)
    expire(app, first["upload_id"])
    refused(protocol.chunk(b"again", 11, 16, upload_id=first["upload_id"]), 410)


def test_each_chunk_puts_expiry_off(app: Flask, protocol: Protocol) -> None:
    first = protocol.chunk(b"hello ", 0, 11).get_json()
    second = protocol.put(first["upload_id"], b"world", 6, 11).get_json()
    assert second["expires"] >= first["expires"]


def test_a_lost_reply_retried_is_told_the_offset(app: Flask, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    again = protocol.chunk(b"hello ", 0, 11, upload_id=upload_id)
    refused(again, 400, "Offsets do not match", offset=6)
    assert content_of(app, upload_id) == b"hello "


def test_bytes_that_look_like_boundaries_pass(app: Flask, client: FlaskClient) -> None:
    data = b"\r\n--b0undar\r\n--b0undaRy--\r\r\n\r\n--\r\n-" * 50
    response = post_form(client, file(data))
    assert content_of(app, response.get_json()["upload_id"]) == data


def test_a_part_may_carry_its_own_headers(app: Flask, client: FlaskClient) -> None:
    one = part(
        'form-data; name="file"; filename="f"', DATA, b"X-Custom: 1\r\nContent-Type: a/b\r\n"
    )
    assert post_form(client, one).status_code == 200


@pytest.fixture
def parsed_before(make_app: Callable[..., Flask]) -> Flask:
    """An app with a CSRF check, say, that asks for ``request.form`` before every view."""
    app = make_app()
    app.before_request(lambda: request.form.get("csrf_token") and None)
    ChunkedUpload(app)
    create_tables(app)
    return app


def test_a_form_that_flask_has_parsed_already(parsed_before: Flask) -> None:
    """It costs a copy, not the upload."""
    protocol = Protocol(parsed_before.test_client())
    response = protocol.chunk(b"hello ", 0, 11, color="blue")
    upload_id = response.get_json()["upload_id"]
    assert protocol.chunk(b"world", 6, 11, upload_id=upload_id).status_code == 200
    assert content_of(parsed_before, upload_id) == DATA
    assert protocol.complete(upload_id, DATA).get_json()["metadata"] == {"color": "blue"}


def test_a_parsed_form_is_refused_as_one_that_is_not(parsed_before: Flask) -> None:
    client = parsed_before.test_client()
    refused(post_form(client, field("a", "b")), 400, "No chunk file was submitted")
    refused(post_form(client, file(DATA, field_name="x")), 400, "No chunk file was submitted")
    refused(post_form(client, file(DATA), file(DATA, field_name="files[]")), 400)
    mine, other = field("upload_id", "0" * 32), field("upload_id", "1" * 32)
    refused(post_form(client, mine, other, file(DATA)), 400)
    assert nothing_left(parsed_before)


def test_an_empty_part_may_share_its_blank_line_with_the_delimiter(app: Flask) -> None:
    """RFC 2046 5.1.1: the CRLF that ends the headers may be the delimiter's. Werkzeug sends it."""
    client = app.test_client()
    form = {"upload_id": "", "note": "", "file": (io.BytesIO(b""), "empty.txt")}
    response = client.post("/uploads/", data=form)
    assert response.status_code == 200, response.text
    done = Protocol(client).complete(response.get_json()["upload_id"], b"")
    assert done.status_code == 200
    assert done.get_json()["metadata"] == {"note": ""}
    assert done.get_json()["length"] == 0
