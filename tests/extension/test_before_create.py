"""``CHUNKED_UPLOAD_BEFORE_CREATE_URL``: a program outside allows or refuses each new upload."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http import forms
from tests.support.protocol import Protocol, nothing_left, records
from tests.support.receiver import LOOPBACK, SECRET, Receiver, receiving

MakeApp = Callable[..., Flask]
Send = Callable[[FlaskClient], TestResponse]

TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def app(make_app: MakeApp, receiver: Receiver) -> Flask:
    app = make_app(
        CHUNKED_UPLOAD_BEFORE_CREATE_URL=receiver.url,
        CHUNKED_UPLOAD_BEFORE_CREATE_TIMEOUT=1,
        CHUNKED_UPLOAD_WEBHOOK_SECRETS=SECRET,
        CHUNKED_UPLOAD_WEBHOOK_NETWORKS=LOOPBACK,
    )
    app.extensions["tests"] = ChunkedUpload(app)
    create_tables(app)
    return app


def form(client: FlaskClient) -> TestResponse:
    return Protocol(client).chunk(b"abc", 0, 9, filename="a.txt", note="hello")


def raw(client: FlaskClient) -> TestResponse:
    return client.post("/uploads/?filename=a.txt", data=b"abc")


def put(client: FlaskClient) -> TestResponse:
    return client.put("/uploads/a.txt", data=b"abc")


def dropzone(client: FlaskClient) -> TestResponse:
    fields: dict[str, Any] = {
        "dzuuid": "1",
        "dzchunkindex": "0",
        "dztotalfilesize": "9",
        "dzchunksize": "3",
        "dztotalchunkcount": "3",
        "dzchunkbyteoffset": "0",
    }
    return Protocol(client).chunk(b"abc", filename="a.txt", **fields)


def tus(client: FlaskClient) -> TestResponse:
    name = "filename YS50eHQ="
    return client.post(
        "/uploads/tus/", headers={**TUS, "Upload-Length": "9", "Upload-Metadata": name}
    )


def resumable(client: FlaskClient) -> TestResponse:
    headers = {"Upload-Complete": "?0", "Upload-Draft-Interop-Version": "8", "Upload-Length": "9"}
    return client.post("/uploads/?filename=a.txt", headers=headers, data=b"abc")


DIALECTS = [form, raw, put, dropzone, tus, resumable]


@pytest.mark.one_database
@pytest.mark.parametrize("send", DIALECTS)
def test_a_refusal_reaches_the_client_of_each_dialect_and_leaves_nothing(
    client: FlaskClient, receiver: Receiver, app: Flask, send: Send
) -> None:
    receiver.status, receiver.body = 402, json.dumps({"detail": "Your plan has ended"}).encode()
    answer = send(client)
    assert (answer.status_code, "Your plan has ended" in answer.text) == (402, True)
    assert nothing_left(app)


@pytest.mark.parametrize("send", DIALECTS)
def test_what_is_allowed_is_created_and_asked_about_once(
    client: FlaskClient, receiver: Receiver, app: Flask, send: Send
) -> None:
    assert send(client).status_code < 300
    [record] = records(app)
    [asked] = receiver.received
    message = Webhook(SECRET).verify(asked.body, asked.headers)
    assert message["type"] == "upload.before_create"
    assert message["data"]["upload_id"] == record.upload_id
    assert message["data"]["filename"] == "a.txt"
    assert message["data"]["upload_set"] == "chunked_upload"


@pytest.mark.one_database
def test_it_is_told_what_is_known(client: FlaskClient, receiver: Receiver) -> None:
    form(client)
    data = json.loads(receiver.received[0].body)["data"]
    assert (data["length"], data["owner"], data["metadata"]) == (9, None, {"note": "hello"})


def test_later_chunks_are_not_asked_about(client: FlaskClient, receiver: Receiver) -> None:
    upload_id = (form(client).get_json() or {})["upload_id"]
    protocol = Protocol(client)
    protocol.put(upload_id, b"defghi", 3, 9)
    assert protocol.complete(upload_id, b"abcdefghi").status_code == 200
    assert len(receiver.received) == 1


def test_a_chunk_whose_id_comes_after_its_file_is_not_asked_about(
    client: FlaskClient, receiver: Receiver, app: Flask
) -> None:
    """Such a chunk has a record of its own until its id is known; that is no upload."""
    upload_id = (form(client).get_json() or {})["upload_id"]
    receiver.status = 402  # from now on nothing may be created
    late = forms.form(forms.file(b"def"), forms.field("upload_id", upload_id))
    headers = {"Content-Type": forms.FORM, "Content-Range": "bytes 3-5/9"}
    stored = client.post("/uploads/", data=late, headers=headers)
    assert (stored.status_code, (stored.get_json() or {}).get("offset")) == (200, 6)
    nobodys = forms.form(forms.file(b"ghi"))
    headers["Content-Range"] = "bytes 6-8/9"
    assert client.post("/uploads/", data=nobodys, headers=headers).status_code == 400
    assert len(receiver.received) == 1
    assert [record.upload_id for record in records(app)] == [upload_id]


def hang(receiver: Receiver) -> None:
    receiver.answer = lambda stream: time.sleep(1.5)


def redirect(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": receiver.url}


def fail(receiver: Receiver) -> None:
    receiver.status = 500


def babble(receiver: Receiver) -> None:
    receiver.answer = lambda stream: stream.write(b"yes, do\r\n\r\n")


@pytest.mark.one_database
@pytest.mark.parametrize("wrong", [hang, redirect, fail, babble])
@pytest.mark.parametrize("send", [form, tus])
def test_without_a_proper_answer_nothing_is_created(
    client: FlaskClient,
    receiver: Receiver,
    app: Flask,
    wrong: Callable[[Receiver], None],
    send: Send,
) -> None:
    wrong(receiver)
    answer = send(client)
    assert answer.status_code == 503
    assert "does not answer now" in answer.text
    assert answer.headers["Retry-After"]
    assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"<h1>Not here</h1>", "The upload was refused"),
        (b'{"detail": {"a": 1}}', "The upload was refused"),
        (b'{"detail": "two\\r\\nlines"}', "two  lines"),
        (json.dumps({"detail": "x" * 2000}).encode(), "x" * 500),
        (b"", "The upload was refused"),
    ],
)
def test_only_its_words_reach_the_client(
    client: FlaskClient, receiver: Receiver, said: bytes, shown: str
) -> None:
    receiver.status, receiver.body = 403, said
    assert (form(client).get_json() or {})["detail"] == shown


@pytest.mark.one_database
def test_a_private_address_that_is_not_allowed_is_not_asked(
    make_app: MakeApp, receiver: Receiver, caplog: Any
) -> None:
    app = make_app()
    ChunkedUpload(app, before_create_url=receiver.url, webhook_secrets=[SECRET])
    create_tables(app)
    assert form(app.test_client()).status_code == 503
    assert receiver.received == []
    assert "CHUNKED_UPLOAD_WEBHOOK_NETWORKS" in caplog.text
