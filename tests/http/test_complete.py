"""Completing: form or JSON, the MD5 checked, the file promoted, the application told once."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadCompleteView, ChunkedUploadError
from tests.conftest import create_tables
from tests.http.answers import offset_of, refused, stored
from tests.http.forms import FORM, field, form, send
from tests.support.protocol import Protocol, md5_of, records

DATA = b"hello world"


@pytest.fixture
def hooked(make_app: Callable[..., Flask]) -> tuple[Protocol, list[dict[str, Any]]]:
    """The protocol of an app, and what its completion hook was told."""
    app, told = make_app(), []
    uploads = ChunkedUpload(app)

    @uploads.on_completion
    def done(file: Any, request: Request) -> None:
        told.append({"name": file.filename, "data": file.stream.read(), "path": request.path})

    create_tables(app)
    return Protocol(app.test_client()), told


def test_completing_answers_with_the_upload(protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA, filename="a.txt")
    before = datetime.now(UTC)
    response = protocol.complete(upload_id, DATA)
    assert response.status_code == 200
    content = response.get_json()
    assert content["upload_id"] == upload_id
    assert content["filename"] == "a.txt"
    assert content["offset"] == content["length"] == 11
    assert content["md5"] == md5_of(DATA)
    assert content["status"] == 2
    assert content["url"] == f"/uploads/{upload_id}/file"
    created = datetime.fromisoformat(content["created_on"])
    completed = datetime.fromisoformat(content["completed_on"])
    # The clock is the database's, as far as one question tells it.
    assert created <= before + timedelta(seconds=1)
    assert created <= completed <= datetime.now(UTC) + timedelta(seconds=1)


def test_the_file_is_promoted_and_nothing_else_left(app: Flask, protocol: Protocol) -> None:
    protocol.completed(DATA, filename="a.txt")
    [(name, data)] = stored(app).items()
    assert name == datetime.now(UTC).strftime("chunked_uploads/%Y/%m/%d/a.txt")
    assert data == DATA


@pytest.mark.one_database
def test_the_place_is_a_setting(make_app: Callable[..., Flask]) -> None:
    app = make_app(CHUNKED_UPLOAD_PATH="done/%Y")
    ChunkedUpload(app)
    create_tables(app)
    Protocol(app.test_client()).completed(DATA)
    assert list(stored(app)) == [datetime.now(UTC).strftime("done/%Y/file.bin")]


@pytest.mark.one_database
def test_the_place_may_be_the_root_itself(make_app: Callable[..., Flask]) -> None:
    app = make_app(CHUNKED_UPLOAD_PATH="")
    ChunkedUpload(app)
    create_tables(app)
    Protocol(app.test_client()).completed(DATA)
    assert list(stored(app)) == ["file.bin"]


def test_equal_names_never_overwrite(app: Flask, protocol: Protocol) -> None:
    contents = [b"one", b"two", b"three"]
    for data in contents:
        protocol.completed(data, filename="same.txt")
    kept = stored(app)
    assert sorted(kept.values()) == sorted(contents)
    assert all(name.endswith(".txt") for name in kept)


@pytest.mark.one_database
@pytest.mark.parametrize("suffix", ["json", "merge-patch+json"])
def test_json_does_as_well_as_a_form(client: FlaskClient, protocol: Protocol, suffix: str) -> None:
    upload_id = protocol.upload(DATA)
    response = client.post(
        "/uploads/complete",
        data=json.dumps({"upload_id": upload_id, "md5": md5_of(DATA), "other": [1, {"a": None}]}),
        content_type=f"application/{suffix}; charset=utf-8",
    )
    assert response.status_code == 200, response.text


@pytest.mark.one_database
def test_a_multipart_form_does_as_well(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    response = client.post(
        "/uploads/complete",
        data={"upload_id": upload_id, "md5": md5_of(DATA)},
        content_type="multipart/form-data",
    )
    assert response.status_code == 200, response.text


@pytest.mark.one_database
def test_a_file_in_the_form_is_ignored(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    fields = {"upload_id": upload_id, "md5": md5_of(DATA), "f": (io.BytesIO(b"x"), "x.txt")}
    assert client.post("/uploads/complete", data=fields).status_code == 200


@pytest.mark.one_database
def test_a_chunked_transfer_does_as_well(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    response = send(
        client,
        "POST",
        "/uploads/complete",
        f"upload_id={upload_id}&md5={md5_of(DATA)}".encode(),
        chunked=True,
        CONTENT_TYPE="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200, response.text


def test_the_md5_may_be_upper_case(protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    assert protocol.complete(upload_id, f" {md5_of(DATA).upper()} ").status_code == 200


def test_repeating_answers_the_same_and_tells_once(
    hooked: tuple[Protocol, list[dict[str, Any]]],
) -> None:
    protocol, told = hooked
    upload_id = protocol.upload(DATA, filename="a.txt")
    first, second = (protocol.complete(upload_id, DATA) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.get_json() == second.get_json()
    assert told == [{"name": "a.txt", "data": DATA, "path": "/uploads/complete"}]


def test_repeating_with_another_md5_is_refused(
    hooked: tuple[Protocol, list[dict[str, Any]]],
) -> None:
    protocol, told = hooked
    upload_id = protocol.completed(DATA)
    refused(protocol.complete(upload_id, b"other"), 400, "md5 checksum does not match")
    assert len(told) == 1
    assert protocol.state(upload_id).get_json()["status"] == 2


@pytest.mark.one_database
def test_a_hook_that_raises_does_not_undo_the_completion(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    calls = []

    @uploads.on_completion
    def fails_once(file: Any, request: Request) -> None:
        calls.append(file.filename)
        if len(calls) == 1:
            raise RuntimeError("no")

    create_tables(app)
    protocol = Protocol(app.test_client())
    upload_id = protocol.upload(DATA)
    for _ in range(3):
        assert protocol.complete(upload_id, DATA).status_code == 200
    assert calls == ["file.bin", "file.bin"]  # failed, retried by the repeat, then no more


def test_no_hook_runs_for_a_wrong_md5(hooked: tuple[Protocol, list[dict[str, Any]]]) -> None:
    protocol, told = hooked
    upload_id = protocol.upload(DATA)
    refused(protocol.complete(upload_id, b"other"), 400, "md5 checksum does not match")
    assert told == []
    assert protocol.complete(upload_id, DATA).status_code == 200
    assert len(told) == 1


@pytest.mark.one_database
def test_a_view_may_do_without_the_md5(make_app: Callable[..., Flask]) -> None:
    class Trusting(ChunkedUploadCompleteView):
        do_md5_check = False

    app = make_app()
    ChunkedUpload(app, complete_view=Trusting)
    create_tables(app)
    client = app.test_client()
    upload_id = Protocol(client).upload(DATA)
    refused(client.post("/uploads/complete", data={}), 400, "'upload_id' is required")
    for _ in range(2):
        response = client.post("/uploads/complete", data={"upload_id": upload_id})
        assert response.status_code == 200
        assert response.get_json()["md5"] == md5_of(DATA)


def test_many_chunks_have_the_md5_of_the_whole(app: Flask, protocol: Protocol) -> None:
    data = bytes(range(256)) * 20
    cuts = [0, 1, 63, 64, 65, 1000, 4096, len(data)]
    upload_id = None
    for start, stop in itertools.pairwise(cuts):
        response = protocol.chunk(data[start:stop], start, len(data), upload_id=upload_id)
        upload_id = response.get_json()["upload_id"]
    assert upload_id is not None
    assert protocol.complete(upload_id, data).status_code == 200
    assert list(stored(app).values()) == [data]


# Refused


@pytest.mark.one_database
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"upload_id": "0" * 32},
        {"md5": "0" * 32},
        {"upload_id": "", "md5": ""},
        {"upload_id": "0" * 32, "md5": " "},
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_both_fields_are_required(
    client: FlaskClient, fields: dict[str, str], as_json: bool
) -> None:
    if as_json:
        response = client.post("/uploads/complete", json=fields)
    else:
        response = client.post("/uploads/complete", data=fields)
    refused(response, 400, "Both 'upload_id' and 'md5' are required")


@pytest.mark.one_database
@pytest.mark.parametrize(
    "fields",
    [
        {"upload_id": 5, "md5": "0" * 32},
        {"upload_id": ["0" * 32], "md5": "0" * 32},
        {"upload_id": "0" * 32, "md5": None},
        {"upload_id": None, "md5": None},
        {"upload_id": True, "md5": {}},
    ],
)
def test_fields_that_are_not_text_count_as_missing(
    client: FlaskClient, fields: dict[str, Any]
) -> None:
    response = client.post("/uploads/complete", json=fields)
    refused(response, 400, "Both 'upload_id' and 'md5' are required")


@pytest.mark.parametrize(
    "md5", ["0" * 32, "0", md5_of(DATA)[:-1], md5_of(DATA) + "0", "z" * 32, "é" * 32, "0" * 5000]
)
def test_an_md5_that_is_not_the_files(app: Flask, protocol: Protocol, md5: str) -> None:
    upload_id = protocol.upload(DATA)
    refused(protocol.complete(upload_id, md5), 400, "md5 checksum does not match")
    state = protocol.state(upload_id).get_json()
    assert (state["status"], state["offset"], state["url"]) == (1, 11, None)
    assert not any(name.startswith("chunked_uploads") for name in stored(app))
    assert protocol.complete(upload_id, DATA).status_code == 200


def test_bytes_are_missing(app: Flask, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    for md5 in (md5_of(b"hello "), md5_of(DATA)):
        refused(protocol.complete(upload_id, md5), 400, "Upload is not complete", offset=6)
    assert offset_of(app, upload_id) == 6
    assert protocol.put(upload_id, b"world", 6, 11).status_code == 200
    assert protocol.complete(upload_id, DATA).status_code == 200


@pytest.mark.one_database
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"5",
        b"null",
        b"NaN",
        b"[" * 60_000,
        b'{"upload_id":' * 4_000 + b"1",
        b'{"upload_id": "a", "md5": "\xff"}',
        b"\xff\xfe\x00",
        b'{"upload_id": "a"',
        b"9" * 5_000,
    ],
)
def test_json_that_is_not_an_object(client: FlaskClient, body: bytes) -> None:
    response = client.post("/uploads/complete", data=body, content_type="application/json")
    refused(response, 400)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"upload_id": "\\ud800", "md5": "\\udfff"}', 404),
        (b'{"upload_id": "\\u0000", "md5": "0"}', 404),
        (b'{"upload_id": "x", "md5": "y", "z": ' + b"[" * 400 + b"]" * 400 + b"}", 404),
    ],
)
def test_odd_json_objects(client: FlaskClient, body: bytes, status: int) -> None:
    response = client.post("/uploads/complete", data=body, content_type="application/json")
    refused(response, status)


@pytest.mark.one_database
@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_constants_that_only_python_takes(client: FlaskClient, constant: bytes) -> None:
    body = b'{"upload_id": ' + constant + b"}"
    response = client.post("/uploads/complete", data=body, content_type="application/json")
    refused(response, 400, "The body is not valid JSON")


def test_a_lone_surrogate_as_md5(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    body = f'{{"upload_id": "{upload_id}", "md5": "\\ud800"}}'
    response = client.post("/uploads/complete", data=body, content_type="application/json")
    refused(response, 400, "md5 checksum does not match")


@pytest.mark.one_database
@pytest.mark.parametrize("name", ["upload_id", "md5"])
def test_a_deciding_field_twice(client: FlaskClient, protocol: Protocol, name: str) -> None:
    upload_id = protocol.upload(DATA)
    body = f"upload_id={upload_id}&md5={md5_of(DATA)}&{name}=other"
    content_type = "application/x-www-form-urlencoded"
    refused(client.post("/uploads/complete", data=body, content_type=content_type), 400)
    text = f'{{"upload_id": "{upload_id}", "md5": "{md5_of(DATA)}", "{name}": "other"}}'
    refused(client.post("/uploads/complete", data=text, content_type="application/json"), 400)
    assert protocol.state(upload_id).get_json()["status"] == 1


@pytest.mark.one_database
@pytest.mark.parametrize(
    "content_type", ["text/xml", "application/octet-stream", "a", "multipart/mixed"]
)
def test_other_types_of_body(client: FlaskClient, content_type: str) -> None:
    response = client.post("/uploads/complete", data=b"<a/>", content_type=content_type)
    refused(response, 415)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large(client: FlaskClient, content_type: str, chunked: bool) -> None:
    body = b'{"a": "' + b"x" * 70_000 + b'"}'
    if content_type.startswith("multipart"):
        body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + body + b"\r\n--b--\r\n"
    response = send(
        client, "POST", "/uploads/complete", body, chunked=chunked, CONTENT_TYPE=content_type
    )
    refused(response, 413)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"],
)
def test_a_body_cut_short(client: FlaskClient, protocol: Protocol, content_type: str) -> None:
    upload_id = protocol.upload(DATA)
    body = f"upload_id={upload_id}&md5={md5_of(DATA)}".encode()
    response = send(
        client, "POST", "/uploads/complete", body, length="500", CONTENT_TYPE=content_type
    )
    refused(response, 400, "File size doesn't match headers")
    assert protocol.state(upload_id).get_json()["status"] == 1


@pytest.mark.one_database
def test_a_multipart_form_without_boundary(client: FlaskClient) -> None:
    response = client.post("/uploads/complete", data=b"--b\r\n", content_type="multipart/form-data")
    refused(response, 400)


@pytest.mark.one_database
def test_ten_thousand_fields(client: FlaskClient) -> None:
    body = "&".join(f"{n}=" for n in range(10_000))
    response = client.post(
        "/uploads/complete", data=body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code in (400, 413)
    refused(response, response.status_code)


@pytest.mark.one_database
def test_too_many_parts(client: FlaskClient) -> None:
    rows = [field(f"f{n}", "") for n in range(500)]
    refused(client.post("/uploads/complete", data=form(*rows), content_type=FORM), 413)


def test_validation_comes_after_the_look_up(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)

    @uploads.validate
    def no(request: Request) -> None:
        if request.path.endswith("complete"):
            raise ChunkedUploadError(status=409, detail=request.form["upload_id"])

    create_tables(app)
    protocol = Protocol(app.test_client())
    refused(protocol.complete("0" * 32, DATA), 404, "Upload not found")
    upload_id = protocol.upload(DATA)
    refused(protocol.complete(upload_id, DATA), 409, upload_id)
    assert records(app)[0].status == 1
