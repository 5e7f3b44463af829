"""The service on a storage without leases, locks or paths: what those give, the records give."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Request
from sqlalchemy import update

from chunked_upload import ChunkedUpload, UploadedFile
from chunked_upload.engine.errors import OffsetMismatch
from chunked_upload.engine.plan import Placement, WritePlan
from chunked_upload.records import lease
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.support.memory_storage import MemoryStorage
from tests.support.protocol import Protocol, md5_of, records

DATA = b"hello world"


@pytest.fixture
def memory_app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(CHUNKED_UPLOAD_STORAGE="memory://")


@pytest.fixture
def uploads(memory_app: Flask) -> ChunkedUpload:
    uploads = ChunkedUpload(memory_app)
    create_tables(memory_app)
    return uploads


@pytest.fixture
def protocol(memory_app: Flask, uploads: ChunkedUpload) -> Protocol:
    return Protocol(memory_app.test_client())


def stored(app: Flask) -> MemoryStorage:
    storage = app.extensions["chunked_upload"]["chunked_upload"].engine.storage
    assert isinstance(storage, MemoryStorage)
    return storage


def complete(app: Flask, upload_id: str, data: bytes = DATA) -> Any:
    form = {"upload_id": upload_id, "md5": md5_of(data)}
    return app.test_client().post("/uploads/complete", data=form)


def test_an_upload_from_its_first_chunk_to_its_removal(
    memory_app: Flask, protocol: Protocol
) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    assert answer(protocol.chunk(b"world", 6, 11, upload_id=upload_id))["offset"] == 11
    assert answer(complete(memory_app, upload_id))["status"] == 2
    client = memory_app.test_client()
    with client.get(f"/uploads/{upload_id}/file") as whole:
        assert whole.data == DATA
        assert whole.headers["Accept-Ranges"] == "bytes"
    with client.get(f"/uploads/{upload_id}/file", headers={"Range": "bytes=6-8"}) as part:
        assert (part.status_code, part.data) == (206, b"wor")
    etag = whole.headers["ETag"]
    with client.get(f"/uploads/{upload_id}/file", headers={"If-None-Match": etag}) as same:
        assert same.status_code == 304
    with client.get(f"/uploads/{upload_id}/file", headers={"Range": "bytes=99-"}) as beyond:
        assert beyond.status_code == 416
    assert client.delete(f"/uploads/{upload_id}").status_code == 204
    assert stored(memory_app).blobs == stored(memory_app).files == {}


def test_state_is_committed_with_the_offset(memory_app: Flask, protocol: Protocol) -> None:
    answer(protocol.chunk(b"hello ", 0, 11))
    [record] = records(memory_app)
    assert list((record.storage_state or {}).values()) == [[0, 6]]
    assert record.write_leases is None


@pytest.mark.one_database
def test_a_refused_first_chunk_leaves_nothing(memory_app: Flask, protocol: Protocol) -> None:
    response = memory_app.test_client().post(
        "/uploads/?filename=f",
        data=b"hello",
        headers={"Content-Range": "bytes 0-6/11", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert refusal(response) == (400, "File size doesn't match headers")
    assert records(memory_app) == []
    assert not stored(memory_app).begun


def begin(app: Flask, upload_id: str, start: int, stop: int, placement: Placement) -> Any:
    engine = app.extensions["chunked_upload"]["chunked_upload"].engine
    record = engine.find_own(upload_id, upload_set="chunked_upload", owner=None)
    return engine.begin(record, WritePlan(start=start, stop=stop, placement=placement))


@pytest.mark.one_database
@pytest.mark.parametrize("placement", [Placement.SEQUENTIAL, Placement.ANYWHERE])
def test_a_newcomer_takes_over(memory_app: Flask, protocol: Protocol, placement: Placement) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    with memory_app.app_context():
        old = begin(memory_app, upload_id, 6, 11, placement)
        old.write(b"WORLD")
        old.finish_whole()
        with begin(memory_app, upload_id, 6, 11, placement) as new:
            new.write(b"wo")
            with old, pytest.raises(OffsetMismatch):
                old.commit()
            new.write(b"rld")
            new.finish_whole()
            new.commit()
    assert answer(complete(memory_app, upload_id))["status"] == 2


@pytest.mark.one_database
def test_ranges_beside_each_other_are_all_kept(memory_app: Flask, protocol: Protocol) -> None:
    upload_id = answer(protocol.chunk(b"h", 0, 11))["upload_id"]
    spans = [(6, 11), (1, 3), (3, 6)]
    with memory_app.app_context():
        chunks = [begin(memory_app, upload_id, *span, Placement.ANYWHERE) for span in spans]
        for chunk, (start, stop) in zip(chunks, spans, strict=True):
            chunk.write(DATA[start:stop])
        for chunk in reversed(chunks):
            with chunk:
                chunk.finish_whole()
                chunk.commit()
    [record] = records(memory_app)
    assert (record.offset, record.received, record.write_leases) == (11, [], None)
    assert answer(complete(memory_app, upload_id))["status"] == 2


@pytest.mark.one_database
def test_an_id_after_the_file_copies_what_came(memory_app: Flask, protocol: Protocol) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nworld\r\n'
        b'--b\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n'
        + upload_id.encode()
        + b"\r\n--b--\r\n"
    )
    response = memory_app.test_client().post(
        "/uploads/",
        data=body,
        headers={"Content-Range": "bytes 6-10/11"},
        content_type="multipart/form-data; boundary=b",
    )
    assert answer(response)["offset"] == 11
    assert answer(complete(memory_app, upload_id))["status"] == 2


# The completion lease


def test_the_hook_runs_once_however_many_complete(
    memory_app: Flask, uploads: ChunkedUpload, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY", 0.01)
    upload_id = answer(protocol.chunk(DATA, 0, 11))["upload_id"]
    runs: list[str] = []
    running, go_on = threading.Event(), threading.Event()

    @uploads.on_completion
    def remember(file: UploadedFile, request: Request) -> None:
        runs.append(file.upload.upload_id)
        running.set()
        assert go_on.wait(30)
        assert file.read() == DATA

    first = threading.Thread(target=lambda: answer(complete(memory_app, upload_id)))
    first.start()
    assert running.wait(30)
    assert answer(complete(memory_app, upload_id))["status"] == 2
    go_on.set()
    first.join()
    assert runs == [upload_id]
    [record] = records(memory_app)
    assert record.notified_on is not None
    assert record.lease_token is None


def test_a_dead_holders_lease_expires(
    memory_app: Flask, uploads: ChunkedUpload, protocol: Protocol
) -> None:
    upload_id = answer(protocol.chunk(DATA, 0, 11))["upload_id"]
    runs: list[bool] = []

    @uploads.on_completion
    def fail_first(file: UploadedFile, request: Request) -> None:
        runs.append(True)
        if len(runs) == 1:
            raise RuntimeError("the first time fails")

    answer(complete(memory_app, upload_id))
    with memory_app.app_context():
        leases = uploads.engine.records.leases
        assert leases._take(upload_id, "dead")
        answer(complete(memory_app, upload_id))
        assert len(runs) == 1, "the lease stands, whoever holds it"
        with uploads.db.engine.begin() as connection:
            connection.execute(
                update(uploads.model).values(lease_until=uploads.model.lease_until - 31)
            )
        answer(complete(memory_app, upload_id))
    assert len(runs) == 2
    [record] = records(memory_app)
    assert record.notified_on is not None


def test_a_lease_is_renewed_while_its_holder_works(
    memory_app: Flask, uploads: ChunkedUpload, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEWED_EVERY", 0.01)
    upload_id = answer(protocol.chunk(DATA, 0, 11))["upload_id"]
    with memory_app.app_context(), uploads.engine.records.leases.hold(upload_id) as mine:
        assert mine
        with uploads.db.engine.begin() as connection:
            connection.execute(update(uploads.model).values(lease_until=0))
        for _ in range(3000):
            if records(memory_app)[0].lease_until:
                break
            threading.Event().wait(0.01)
        with uploads.engine.records.leases.hold(upload_id) as other:
            assert not other
    assert records(memory_app)[0].lease_token is None
