"""Dropzone's chunks: any order, duplicates, whole at the last; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import content_of, refused, stored
from tests.http.expiry import expire
from tests.http.forms import FORM, field, file, form, send
from tests.support.dropzone import HEADERS, DropzoneFile, send_whole
from tests.support.protocol import Protocol, md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

DATA = b"hello dropzone"


@pytest.fixture
def sent(client: FlaskClient) -> DropzoneFile:
    """A file of three chunks: 5, 5 and 4 bytes."""
    return DropzoneFile(client, DATA)


def is_complete(app: Flask, answer: TestResponse, data: bytes = DATA, **fields: Any) -> None:
    """Check the answer that ends an upload, and the one file that is stored."""
    assert answer.status_code == 200, answer.text
    content = answer.get_json()
    [record] = records(app)
    expected = {
        "upload_id": record.upload_id,
        "filename": "file.bin",
        "offset": len(data),
        "length": len(data),
        "md5": md5_of(data),
        "status": 2,
        "expires": None,
        "metadata": {},
        "url": f"/uploads/{record.upload_id}/file",
        **fields,
    }
    assert {name: content[name] for name in expected} == expected
    assert content["completed_on"]
    assert list(stored(app).values()) == [data]


# Chunks


@pytest.mark.both_databases
def test_one_after_the_other(app: Flask, sent: DropzoneFile) -> None:
    first = sent.send(0)
    assert first.status_code == 200
    assert set(first.get_json()) == {"upload_id", "offset", "expires"}
    assert first.get_json()["offset"] == 5
    assert first.headers["Upload-Offset"] == "5"
    assert first.headers["Upload-Length"] == "14"
    assert sent.send(1).get_json()["offset"] == 10
    is_complete(app, sent.send(2))


@pytest.mark.both_databases
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order(app: Flask, sent: DropzoneFile, order: tuple[int, ...]) -> None:
    is_complete(app, sent.upload(order))


def test_the_offset_is_the_end_of_the_prefix(sent: DropzoneFile) -> None:
    assert sent.send(2).get_json()["offset"] == 0
    assert sent.send(0).get_json()["offset"] == 5
    assert sent.send(1).get_json()["offset"] == 14


@pytest.mark.parametrize("size", [1, 4, 5, 6, 10, 11])
def test_sizes_around_the_chunk_size(app: Flask, client: FlaskClient, size: int) -> None:
    """``forceChunking`` cuts also what is one chunk."""
    data = bytes(range(size))
    is_complete(app, DropzoneFile(client, data).upload(), data)


@pytest.mark.both_databases
def test_chunks_keep_the_fields_of_the_first(app: Flask, sent: DropzoneFile) -> None:
    sent.params = {"album": "summer", "csrf_token": "x"}
    is_complete(app, sent.upload(), metadata={"album": "summer"})


@pytest.mark.parametrize("where", ["query", "headers"])
def test_binary_body(app: Flask, sent: DropzoneFile, where: str) -> None:
    sent.params = {"md5": md5_of(DATA)}
    for index in (2, 0):
        assert sent.send_raw(index, where=where).status_code == 200
    is_complete(app, sent.send_raw(1, where=where))


def test_the_form_counts_not_its_query(app: Flask, sent: DropzoneFile) -> None:
    """A query is the page's own business where the fields are in the form."""
    body = form(file(DATA, "file.bin"))
    answer = send(sent.client, "POST", "/uploads/?dzuuid=x", body, CONTENT_TYPE=FORM)
    assert answer.status_code == 200
    assert records(app)[0].client_key is None


def test_an_upload_id_names_the_upload_as_well(app: Flask, sent: DropzoneFile) -> None:
    upload_id = sent.send(0).get_json()["upload_id"]
    sent.params, sent.uuid = {"upload_id": upload_id}, "another"
    assert sent.send(1).status_code == 200
    is_complete(app, sent.send(2))


# Duplicate chunks


@pytest.mark.parametrize("index", [0, 1, 2])
def test_the_same_again(app: Flask, sent: DropzoneFile, index: int) -> None:
    """``retryChunks`` sends a chunk again when its answer was lost."""
    for done in ([0], [0, 1], [2], [0, 1, 2]):
        for one in done:
            assert sent.send(one).status_code == 200
        before = [(record.offset, record.received) for record in records(app)]
        if index in done:
            assert sent.send(index).status_code == 200
            assert [(record.offset, record.received) for record in records(app)] == before
    is_complete(app, sent.send(index))


def test_a_duplicate_chunk_of_a_completed_upload_gets_the_same_answer(sent: DropzoneFile) -> None:
    last = sent.upload()
    for index in range(3):
        again = sent.send(index)
        assert again.status_code == 200
        assert again.get_json() == last.get_json()


@pytest.mark.parametrize("complete", [False, True])
def test_other_bytes_are_refused(app: Flask, sent: DropzoneFile, complete: bool) -> None:
    sent.upload([0, 1, 2] if complete else [0, 2])
    for index, data in ((0, b"jello"), (2, b"zonk"), (2, b"zon"), (2, b"zonee")):
        answer = sent.send(index, data)
        assert answer.status_code == 400
        refused(answer, 400)
    if complete:
        assert list(stored(app).values()) == [DATA]
    else:
        is_complete(app, sent.send(1))


@pytest.mark.both_databases
def test_a_duplicate_chunk_changes_nothing(app: Flask) -> None:
    from chunked_upload.hooks import chunk_received, upload_completed, upload_created

    sent, events = DropzoneFile(app.test_client(), DATA), []

    def note(name: str) -> Callable[..., None]:
        def receive(*_: Any, **__: Any) -> None:
            events.append(name)

        return receive

    signals = {"created": upload_created, "chunk": chunk_received, "done": upload_completed}
    receivers = {name: note(name) for name in signals}
    for name, receiver in receivers.items():
        signals[name].connect(receiver)
    try:
        sent.upload([1, 0, 2])
        for index in range(3):
            sent.send(index)
    finally:
        for name, receiver in receivers.items():
            signals[name].disconnect(receiver)
    assert events == ["created", "chunk", "chunk", "chunk", "done"]


# A broken chunk


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("framed", [True, False])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_broken_chunk_is_dropped(
    app: Flask, sent: DropzoneFile, index: int, framed: bool, first: bool
) -> None:
    """The connection ends in mid-chunk: before Content-Length bytes, or before the boundary."""
    others = [one for one in range(3) if one != index]
    if not first:
        sent.upload(others)
    fields = [field(name, value) for name, value in sent.fields(index).items()]
    whole = form(*fields, file(sent.part(index)))
    broken = whole[: whole.rindex(sent.part(index)) + 2]
    answer = send(
        sent.client,
        "POST",
        "/uploads/",
        broken,
        length=str(len(whole)) if framed else str(len(broken)),
        CONTENT_TYPE=FORM,
    )
    refused(answer, 400, "File size doesn't match headers")
    if first:
        assert nothing_left(app)
        sent.upload(others)
    is_complete(app, sent.send(index))


@pytest.mark.parametrize(("index", "size"), [(0, 4), (0, 6), (1, 0), (1, 4), (2, 6), (2, 0)])
def test_a_chunk_of_the_wrong_size(app: Flask, sent: DropzoneFile, index: int, size: int) -> None:
    refused(sent.send(index, b"x" * size), 400, "File size doesn't match headers")
    assert nothing_left(app)


# transformFile


@pytest.mark.parametrize("announced", [0, 1, 9, 11, 12, 13, 15, 16, 1000])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0)])
def test_a_transformed_file(
    app: Flask, sent: DropzoneFile, announced: int, order: tuple[int, ...]
) -> None:
    """``dztotalfilesize`` is the picked file's size, whatever ``transformFile`` made of it."""
    sent.announced = announced
    is_complete(app, sent.upload(order))


def test_the_announced_size_is_the_length_while_it_can_be(sent: DropzoneFile) -> None:
    sent.announced = 13
    upload_id = sent.send(0).get_json()["upload_id"]
    assert Protocol(sent.client).state(upload_id).get_json()["length"] == 13
    sent.send(2)
    assert Protocol(sent.client).state(upload_id).get_json()["length"] == 14


def test_the_length_is_unknown_when_the_announced_size_cannot_be_it(sent: DropzoneFile) -> None:
    sent.announced = 1000
    upload_id = sent.send(0).get_json()["upload_id"]
    assert Protocol(sent.client).state(upload_id).get_json()["length"] is None
    sent.send(2)
    assert Protocol(sent.client).state(upload_id).get_json()["length"] == 14


# Fields


@pytest.mark.parametrize("kept", ["dzchunkindex", "dztotalfilesize", "dzchunkbyteoffset", "dzuuid"])
def test_fields_that_are_missing(app: Flask, sent: DropzoneFile, kept: str) -> None:
    fields = sent.fields(0)
    for name in fields:
        if name == kept:
            continue
        content = refused(sent.send(0, None, **{name: None}), 400)
        assert name in content["error"]
    if kept != "dzuuid":
        alone = {name: None for name in fields if name != kept}
        refused(sent.send(0, **alone), 400)
    assert nothing_left(app)


@pytest.mark.parametrize(
    "fields",
    [
        {"dzchunkindex": "-1"},
        {"dzchunkindex": 3, "dzchunkbyteoffset": 15},
        {"dzchunkbyteoffset": 1},
        {"dztotalfilesize": "huge"},
        {"dzchunksize": 2**64},
        {"dztotalchunkcount": 0},
        {"dzuuid": ""},
    ],
)
def test_fields_that_make_no_sense(app: Flask, sent: DropzoneFile, fields: dict[str, Any]) -> None:
    """The others are in tests/unit/test_dropzone_fields.py."""
    refused(sent.send(0, **fields), 400)
    assert nothing_left(app)


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"dztotalfilesize": 13}, "Total size does not match"),
        ({"dztotalfilesize": 15}, "Total size does not match"),
        (
            {"dztotalchunkcount": 4},
            "'dztotalchunkcount' is 4, the first chunk of this upload said 3",
        ),
        ({"dzchunksize": 6, "dzchunkbyteoffset": 6}, None),
    ],
)
@pytest.mark.parametrize("complete", [False, True])
def test_chunks_that_do_not_agree(
    app: Flask, sent: DropzoneFile, complete: bool, fields: dict[str, Any], detail: str | None
) -> None:
    sent.upload([0, 1, 2] if complete else [0])
    content = refused(sent.send(1, **fields), 400, detail)
    if detail == "Total size does not match":
        assert content["length"] == 14
    sent.upload([1, 2])
    is_complete(app, sent.send(1))


def test_a_field_twice(app: Flask, sent: DropzoneFile) -> None:
    fields = [field(name, value) for name, value in sent.fields(0).items()]
    twice = [field("dzchunkindex", "0"), field("dzchunkindex", "1")]
    for more, status in ((twice, 400), (twice[:1], 200)):
        body = form(*more, *fields, file(sent.part(0)))
        answer = send(sent.client, "POST", "/uploads/", body, CONTENT_TYPE=FORM)
        assert answer.status_code == status
        assert nothing_left(app) == (status == 400)


def test_fields_after_the_file(app: Flask, sent: DropzoneFile) -> None:
    fields = [field(name, value) for name, value in sent.fields(0).items()]
    body = form(file(sent.part(0)), *fields)
    refused(send(sent.client, "POST", "/uploads/", body, CONTENT_TYPE=FORM), 400)
    assert nothing_left(app)


def test_binary_body_of_unknown_length(app: Flask, sent: DropzoneFile) -> None:
    """Nothing would tell the end of a chunk from a cut connection."""
    query = "&".join(f"{name}={value}" for name, value in sent.fields(2).items())
    path = f"/uploads/?{query}"
    refused(send(sent.client, "POST", path, DATA[10:], chunked=True, CONTENT_TYPE="a/b"), 411)
    assert nothing_left(app)


# Limits and hooks


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"max_bytes": 13}, 400),
        ({"max_chunk_bytes": 4}, 413),
        ({"allowed_extensions": ("jpg",)}, 415),
        ({"denied_extensions": ("bin",)}, 415),
        ({"max_filename_length": 3}, 413),
        ({"max_open_bytes": 13}, 413),
    ],
)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_limits(
    make_app: Callable[..., Flask], limits: dict[str, Any], status: int, index: int
) -> None:
    app = make_app()
    ChunkedUpload(app, **limits)
    create_tables(app)
    refused(DropzoneFile(app.test_client(), DATA).send(index), status)
    assert nothing_left(app)


def test_a_transformed_file_may_be_within_the_limit(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_bytes=14)
    create_tables(app)
    client = app.test_client()
    is_complete(app, DropzoneFile(client, DATA, announced=1000).upload())
    answers = [DropzoneFile(client, DATA + b"!", announced=9, uuid="x").send(n) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 400]
    refused(answers[2], 400, "Size of file exceeds the limit (14 bytes)")


@pytest.mark.both_databases
def test_one_upload_may_take_the_last_place(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_open_uploads=1)
    create_tables(app)
    client = app.test_client()
    sent = DropzoneFile(client, DATA)
    sent.upload([0, 1])
    refused(DropzoneFile(client, DATA).send(0), 413)
    is_complete(app, sent.send(2))


@pytest.mark.both_databases
def test_expired(app: Flask, sent: DropzoneFile) -> None:
    upload_id = sent.send(0).get_json()["upload_id"]
    expire(app, upload_id)
    for index in range(3):
        refused(sent.send(index), 410, "Upload has expired")


# Complete


def test_the_md5_is_checked(app: Flask, sent: DropzoneFile) -> None:
    sent.params = {"md5": md5_of(DATA).upper()}
    is_complete(app, sent.upload([2, 0, 1]))


@pytest.mark.parametrize("of", [0, 1, 2])
def test_the_md5_may_come_with_one_chunk(app: Flask, sent: DropzoneFile, of: int) -> None:
    """A page that hashes while it sends knows it only at the end."""
    answers = []
    for index in range(3):
        sent.params = {"md5": md5_of(b"other")} if index == of else {}
        answers.append(sent.send(index))
    assert [answer.status_code for answer in answers] == [200, 200, 400]
    refused(answers[2], 400, "md5 checksum does not match")


def test_a_wrong_md5_keeps_the_bytes(app: Flask, sent: DropzoneFile) -> None:
    """As in the chunked dialect: the upload can still be completed, or deleted."""
    sent.params = {"md5": md5_of(b"other")}
    sent.upload([0, 1])
    for _ in range(3):  # retryChunks
        content = refused(sent.send(2), 400, "md5 checksum does not match")
    upload_id = content["upload_id"]
    assert content_of(app, upload_id) == DATA
    state = Protocol(sent.client).state(upload_id).get_json()
    assert (state["status"], state["offset"]) == (1, 14)
    sent.params = {"md5": md5_of(DATA)}
    is_complete(app, sent.send(2))


def test_a_wrong_md5_of_a_completed_upload(app: Flask, sent: DropzoneFile) -> None:
    sent.upload()
    refused(sent.send(2, md5=md5_of(b"other")), 400, "md5 checksum does not match")
    is_complete(app, sent.send(2, md5=md5_of(DATA)))


def test_completing_again_in_the_other_dialect(sent: DropzoneFile) -> None:
    upload_id = sent.upload().get_json()["upload_id"]
    assert Protocol(sent.client).complete(upload_id, DATA).status_code == 200


def test_started_here_continued_there(app: Flask, sent: DropzoneFile) -> None:
    upload_id = sent.send(0).get_json()["upload_id"]
    other = Protocol(sent.client)
    assert other.put(upload_id, DATA[5:], 5, 14).status_code == 200
    is_complete(app, other.complete(upload_id, DATA))
    is_complete(app, sent.send(1))


def test_started_there_continued_here(app: Flask, sent: DropzoneFile) -> None:
    upload_id = Protocol(sent.client).chunk(DATA[:7], 0, 14).get_json()["upload_id"]
    sent.params = {"upload_id": upload_id}
    refused(sent.send(1, dztotalfilesize=15), 400, "Total size does not match", length=14)
    is_complete(app, sent.upload([2, 1, 0]))


# Whole files


@pytest.mark.parametrize("size", [0, 1, 14])
@pytest.mark.parametrize("named", [False, True])
def test_a_file_below_one_chunk(app: Flask, client: FlaskClient, size: int, named: bool) -> None:
    """Dropzone sends no fields with it; a page may add the ``dzuuid``."""
    fields = {"dzuuid": "one"} if named else {}
    is_complete(app, send_whole(client, ("file", DATA[:size], "file.bin"), **fields), DATA[:size])


def test_a_named_file_again(app: Flask, client: FlaskClient) -> None:
    whole = ("file", DATA, "file.bin")
    first = send_whole(client, whole, dzuuid="one")
    assert send_whole(client, whole, dzuuid="one").get_json() == first.get_json()
    refused(send_whole(client, ("file", DATA[:5], "file.bin"), dzuuid="one"), 400)
    refused(send_whole(client, ("file", DATA + b"!", "file.bin"), dzuuid="one"), 400)
    refused(DropzoneFile(client, DATA, uuid="one").send(0), 400)
    is_complete(app, first)


@pytest.mark.parametrize("raw", [True, False])
def test_a_whole_file_with_an_md5(app: Flask, client: FlaskClient, raw: bool) -> None:
    def post(md5: str) -> TestResponse:
        if not raw:
            return send_whole(client, ("file", DATA, "file.bin"), md5=md5)
        path = f"/uploads/?filename=file.bin&md5={md5}"
        return client.post(path, data=DATA, headers=HEADERS, content_type="a/b")

    refused(post(md5_of(b"other")), 400, "md5 checksum does not match")
    assert nothing_left(app)  # nobody has been told an id
    is_complete(app, post(md5_of(DATA)))


def test_other_clients_complete_by_themselves(app: Flask, client: FlaskClient) -> None:
    for name in HEADERS:
        headers = {one: value for one, value in HEADERS.items() if one != name}
        body = form(file(DATA))
        answer = client.post("/uploads/", data=body, content_type=FORM, headers=headers)
        assert set(answer.get_json()) == {"upload_id", "offset", "expires"}
    assert {record.status for record in records(app)} == {1}
