"""Every call of an object store fails in turn: nothing wrong is stored, and the upload goes on."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from chunked_upload.storage.s3 import ahead, failures
from chunked_upload.storage.s3.bucket import Bucket
from tests.conftest import create_tables
from tests.support.protocol import Protocol
from tests.support.s3 import MIB, PART, ClientStorage, Store
from tests.support.s3_faults import FAULTS, Calls, counted, lost_reply, reset, slow_down
from tests.support.tus import Tus, id_of

pytestmark = pytest.mark.one_database

#: A part and a bit, sent in two requests, neither of which ends where a part does.
DATA = hashlib.shake_256(b"faults").digest(PART + MIB // 8)
FIRST = 3 * MIB

#: More calls than an upload makes.
_ALL = 60


@pytest.fixture
def bucket(versitygw: Store) -> str:
    return versitygw.bucket()


@pytest.fixture
def storage(versitygw: Store, bucket: str) -> ClientStorage:
    return versitygw.storage(bucket)


@pytest.fixture
def make_client(
    make_app: Callable[..., Flask], versitygw: Store, bucket: str
) -> Callable[..., FlaskClient]:
    def make(**config: str) -> FlaskClient:
        app = make_app(**versitygw.settings(bucket), **config)
        ChunkedUpload(app)
        create_tables(app)
        return app.test_client()

    return make


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """Calls of boto3; what is sent while it arrives is tested in unit/test_s3_stream.py."""
    monkeypatch.setattr(ahead, "_QUICK", 10**15)
    with counted() as running:
        yield running


def stubborn(send: Callable[[], TestResponse]) -> TestResponse:
    """Send a request once more if the store failed; its answer must say so."""
    response = send()
    if response.status_code == 503:
        assert "Retry-After" in response.headers
        response = send()
    return response


def upload_by_chunks(client: FlaskClient) -> str:
    """Upload the data by the chunk protocol, repeating what fails."""
    protocol, size = Protocol(client), len(DATA)
    first = {"Content-Range": f"bytes 0-{FIRST - 1}/{size}"}
    created = stubborn(
        lambda: client.post("/uploads/?filename=f", data=DATA[:FIRST], headers=first)
    )
    upload_id: str = (created.json or {})["upload_id"]
    sent = stubborn(lambda: protocol.put(upload_id, DATA[FIRST:], FIRST, size))
    assert sent.status_code == 200, sent.text
    done = stubborn(lambda: protocol.complete(upload_id, DATA))
    assert done.status_code == 200, done.text
    return upload_id


def upload_by_tus(client: FlaskClient) -> str:
    """Upload the data by tus, whose last request completes the upload."""
    tus = Tus(client)
    url = tus.created(len(DATA))
    stubborn(lambda: tus.patch(url, DATA[:FIRST], 0))
    for _ in range(3):
        offset = int(stubborn(lambda: tus.head(url)).headers["Upload-Offset"])
        answer = stubborn(lambda at=offset: tus.patch(url, DATA[at:], at))  # type: ignore[misc]
        if answer.status_code == 204:
            break
    assert answer.status_code == 204, answer.text
    return id_of(url)


_NOT_DONE = [fault for fault in FAULTS if fault is not lost_reply]

#: The first call that fails, and the steps to the next ones. The answer of each is lost once, since
#: more can come of what was carried out; the other faults take turns.
CALLS = {fault: (place, len(_NOT_DONE)) for place, fault in enumerate(_NOT_DONE)}
CALLS[lost_reply] = (0, 1)


@pytest.mark.parametrize(
    ("upload", "fault"),
    [*((upload_by_chunks, fault) for fault in FAULTS), (upload_by_tus, lost_reply)],
    ids=lambda function: function.__name__,
)
def test_each_call_fails_once(
    client: FlaskClient,
    storage: ClientStorage,
    calls: Calls,
    upload: Callable[[FlaskClient], str],
    fault: Callable[..., object],
) -> None:
    upload(client)  # it asks what the store can do
    number, step = CALLS[fault]
    while True:
        calls.fail(fault, lambda count, at=number: count == at)  # type: ignore[misc]
        upload_id = upload(client)
        made, names = calls.count, calls.names
        calls.fail(fault, lambda _: False)
        with client.get(f"/uploads/{upload_id}/file") as whole:
            assert whole.data == DATA, f"call {number} of {names}"
        number += step
        if number >= made:
            break
    assert 8 < number < _ALL
    for upload_id, _ in list(storage.parts()):  # what the cleaner finds
        storage.discard_orphan(upload_id)
    assert storage.multiparts() == []
    assert not [key for key in storage.all_keys() if key.startswith(".incoming/")]


def test_the_store_is_away_for_a_while(client: FlaskClient, calls: Calls) -> None:
    protocol, size = Protocol(client), len(DATA)
    first = {"Content-Range": f"bytes 0-{FIRST - 1}/{size}"}
    created = client.post("/uploads/?filename=f", data=DATA[:FIRST], headers=first)
    upload_id: str = (created.json or {})["upload_id"]
    for fault in (reset, slow_down):
        calls.fail(fault, lambda _: True)
        for answer in (
            protocol.put(upload_id, DATA[FIRST:], FIRST, size),
            client.post("/uploads/?filename=g", data=b"new"),
        ):
            assert answer.status_code == 503
            assert "Retry-After" in answer.headers
        assert (protocol.state(upload_id).json or {})["offset"] == FIRST
    calls.fail(reset, lambda _: False)
    assert protocol.put(upload_id, DATA[FIRST:], FIRST, size).status_code == 200
    calls.fail(slow_down, lambda _: True)
    assert protocol.complete(upload_id, DATA).status_code == 503
    assert client.delete(f"/uploads/{upload_id}").status_code in (204, 503)
    calls.fail(reset, lambda _: False)
    assert client.delete(f"/uploads/{upload_id}").status_code in (204, 404)


def test_a_store_confirms_a_file_that_it_has_not_made_yet(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As versitygw does if another node's completion is still being carried out."""
    protocol, size = Protocol(client), len(DATA)
    whole = {"Content-Range": f"bytes 0-{size - 1}/{size}"}
    created = client.post("/uploads/?filename=f", data=DATA, headers=whole)
    upload_id: str = (created.json or {})["upload_id"]
    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "complete", lambda *_, **__: None)
        answer = protocol.complete(upload_id, DATA)
        assert answer.status_code == 503, answer.text
        assert "Retry-After" in answer.headers
    assert (protocol.state(upload_id).json or {})["status"] == 1
    assert protocol.complete(upload_id, DATA).status_code == 200
    with client.get(f"/uploads/{upload_id}/file") as file:
        assert file.data == DATA


@contextmanager
def hanging(store: Store) -> Iterator[None]:
    """Have the store take requests without an answer; afterwards it carries them out."""
    assert store.process is not None
    store.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        store.process.send_signal(signal.SIGCONT)


def test_the_store_hangs(
    make_client: Callable[..., FlaskClient],
    versitygw: Store,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failures, "_LONG", 1)
    client = make_client(CHUNKED_UPLOAD_S3_TIMEOUT="2", CHUNKED_UPLOAD_S3_ATTEMPTS="1")
    protocol, size = Protocol(client), len(DATA)
    first = {"Content-Range": f"bytes 0-{FIRST - 1}/{size}"}
    created = client.post("/uploads/?filename=f", data=DATA[:FIRST], headers=first)
    upload_id: str = (created.json or {})["upload_id"]
    sends: list[Callable[[], TestResponse]] = [
        lambda: protocol.put(upload_id, DATA[FIRST:], FIRST, size),
        lambda: client.post("/uploads/?filename=new", data=DATA),  # it cleans up as well
    ]
    with hanging(versitygw):
        for send in sends:
            began = time.monotonic()
            answer = send()
            assert time.monotonic() - began < 10  # not for each call of the request
            assert answer.status_code == 503, answer.text
            assert "Retry-After" in answer.headers
            threading.Event().wait(0.6)  # as a client does; the fixture has patched time.sleep
        assert (protocol.state(upload_id).json or {})["offset"] == FIRST
    sent = stubborn(lambda: protocol.put(upload_id, DATA[FIRST:], FIRST, size))
    assert sent.status_code == 200, sent.text
    assert protocol.complete(upload_id, DATA).status_code == 200
    with client.get(f"/uploads/{upload_id}/file") as whole:
        assert whole.data == DATA
