"""Every dialect on S3: a selection that tells, on both stores; files of a few parts of 5 MiB.

The bytes are the same in all tests, so that making and hashing them costs once.
"""

from __future__ import annotations

import hashlib
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.checksum.background import BackgroundDigest
from chunked_upload.engine.errors import OffsetMismatch
from chunked_upload.engine.plan import WritePlan
from chunked_upload.storage.s3.bucket import Bucket
from tests.conftest import create_tables
from tests.http import draft
from tests.support.digests import digest_offset
from tests.support.dropzone import DropzoneFile
from tests.support.protocol import Protocol, records
from tests.support.s3 import MIB, PART, Store
from tests.support.tus import Tus, id_of

#: Two whole parts and a bit.
DATA = hashlib.shake_256(b"S3").digest(2 * PART + 4321)
MD5 = hashlib.md5(DATA).hexdigest()


pytestmark = pytest.mark.one_database


# make check asks the one that does all that Amazon's does.
@pytest.fixture(params=["versitygw", pytest.param("rclone", marks=pytest.mark.long)])
def store(request: pytest.FixtureRequest) -> Store:
    running: Store = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def bucket(store: Store) -> str:
    return store.bucket()


@pytest.fixture
def s3_app(make_app: Callable[..., Flask], store: Store, bucket: str) -> Flask:
    app = make_app(**store.settings(bucket, "service"))
    ChunkedUpload(app)
    create_tables(app)
    return app


@pytest.fixture
def client(s3_app: Flask) -> FlaskClient:
    return s3_app.test_client()


@pytest.fixture
def keys(store: Store, bucket: str) -> Callable[[], list[str]]:
    """Return the keys of the store's objects, and of its multipart uploads."""
    storage = store.storage(bucket)
    return lambda: storage.all_keys() + storage.multiparts()


def check_file(client: FlaskClient, upload_id: str, keys: Callable[[], list[str]]) -> None:
    """Check that an upload is complete, whole, and alone in the bucket; then remove it."""
    state = client.get(f"/uploads/{upload_id}").json or {}
    assert (state["status"], state["md5"], state["length"]) == (2, MD5, len(DATA))
    with client.get(f"/uploads/{upload_id}/file") as whole:
        assert hashlib.md5(whole.data).hexdigest() == MD5
    across = {"Range": f"bytes={PART - 2}-{PART + 1}"}
    with client.get(f"/uploads/{upload_id}/file", headers=across) as part:
        assert (part.status_code, part.data) == (206, DATA[PART - 2 : PART + 2])
    [key] = keys()
    assert upload_id in key
    assert client.delete(f"/uploads/{upload_id}").status_code == 204
    assert keys() == []


def form_of(data: bytes) -> dict[str, Any]:
    """Return a form with one file, as keywords of a request.

    Made here, since Flask's test client leaves the temporary files of large forms open.
    """
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n'
    body = head + data + b"\r\n--b--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=b"}


def test_chunks_in_order(client: FlaskClient, keys: Callable[[], list[str]]) -> None:
    protocol, size = Protocol(client), 3 * MIB + 7  # cut where no part is
    first = {"Content-Range": f"bytes 0-{size - 1}/{len(DATA)}"}
    created = client.post("/uploads/", headers=first, **form_of(DATA[:size]))
    upload_id = (created.json or {})["upload_id"]
    for start in range(size, len(DATA), size):
        sent = protocol.put(upload_id, DATA[start : start + size], start, len(DATA))
        assert sent.status_code == 200, sent.text
    assert protocol.complete(upload_id, DATA).status_code == 200
    check_file(client, upload_id, keys)


def test_an_id_after_the_file(client: FlaskClient, keys: Callable[[], list[str]]) -> None:
    """What came is a whole part, and is read again once it is known whose it is."""
    first = {"Content-Range": f"bytes 0-{MIB - 1}/{len(DATA)}"}
    created = client.post("/uploads/?filename=f", data=DATA[:MIB], headers=first)
    upload_id = (created.json or {})["upload_id"]
    form = form_of(DATA[MIB:])
    field = b'--b\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n' + upload_id.encode()
    form["data"] = form["data"].removesuffix(b"--b--\r\n") + field + b"\r\n--b--\r\n"
    rest = {"Content-Range": f"bytes {MIB}-{len(DATA) - 1}/{len(DATA)}"}
    sent = client.post("/uploads/", headers=rest, **form)
    assert (sent.status_code, (sent.json or {}).get("offset")) == (200, len(DATA)), sent.text
    assert Protocol(client).complete(upload_id, DATA).status_code == 200
    check_file(client, upload_id, keys)


def test_a_whole_file_of_unknown_length(client: FlaskClient, keys: Callable[[], list[str]]) -> None:
    created = client.post("/uploads/", **form_of(DATA))
    upload_id = (created.json or {})["upload_id"]
    assert Protocol(client).complete(upload_id, DATA).status_code == 200
    check_file(client, upload_id, keys)


def test_tus(client: FlaskClient, keys: Callable[[], list[str]]) -> None:
    tus = Tus(client)
    url = tus.created(len(DATA))
    cut = tus.cut(url, DATA[: 6 * MIB], 0, len(DATA))
    assert cut.status_code >= 400
    assert tus.offset(url) == 6 * MIB  # a part, and the rest as an object
    assert tus.patch(url, DATA[6 * MIB :], 6 * MIB).status_code == 204
    check_file(client, id_of(url), keys)


@pytest.mark.parametrize(
    ("size", "order"),
    [
        (2_000_000, (3, 1, 1, 0, 5, 4, 2)),
        (6 * MIB, (0, 0, 1)),  # larger than a part, which could not be read to compare
    ],
)
def test_dropzone_in_any_order(
    client: FlaskClient, keys: Callable[[], list[str]], size: int, order: tuple[int, ...]
) -> None:
    file = DropzoneFile(client, DATA, size)
    answers = [file.send_raw(index) for index in order]  # one comes twice
    assert [answer.status_code for answer in answers] == [200] * len(order)
    check_file(client, (answers[-1].json or {})["upload_id"], keys)


def test_the_ietfs_dialect(client: FlaskClient, keys: Callable[[], list[str]]) -> None:
    created = draft.create(client, length=len(DATA))
    url = created.headers["Location"]
    for start in range(0, len(DATA), 7 * MIB):
        piece = DATA[start : start + 7 * MIB]
        last = "?1" if start + len(piece) == len(DATA) else "?0"
        response = draft.append(client, url, piece, offset=start, complete=last)
        assert response.status_code in (200, 201, 204), response.text
    check_file(client, url.rpartition("/")[2], keys)


def test_partial_uploads_of_tus_are_joined(
    client: FlaskClient, keys: Callable[[], list[str]]
) -> None:
    tus = Tus(client)
    partials = []
    for data in (DATA[: 7 * MIB], DATA[7 * MIB :]):
        partials.append(tus.created(len(data), headers={"Upload-Concat": "partial"}))
        assert tus.patch(partials[-1], data, 0).status_code == 204
    joined = tus.request("POST", tus.url, {"Upload-Concat": f"final;{' '.join(partials)}"})
    assert joined.status_code == 201, joined.text
    check_file(client, id_of(joined.headers["Location"]), keys)


def test_tiny_chunks(client: FlaskClient, keys: Callable[[], list[str]]) -> None:
    protocol, data = Protocol(client), DATA[:40]
    upload_id = None
    for start in range(40):
        response = protocol.chunk(data[start : start + 1], start, 40, upload_id=upload_id)
        assert response.status_code == 200, response.text
        upload_id = (response.json or {})["upload_id"]
    assert protocol.complete(upload_id or "", data).status_code == 200
    with client.get(f"/uploads/{upload_id}/file") as whole:
        assert whole.data == data
    assert len(keys()) == 1


def test_a_download_can_be_sent_to_the_store(
    make_app: Callable[..., Flask], versitygw: Store
) -> None:
    settings = versitygw.settings(versitygw.bucket())
    app = make_app(**settings, CHUNKED_UPLOAD_REDIRECT_FILES="5m", CHUNKED_UPLOAD_SHARE=True)
    ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    sent = client.post("/uploads/?filename=caf%C3%A9.html", data=DATA[:100])
    upload_id = (sent.json or {})["upload_id"]
    assert Protocol(client).complete(upload_id, DATA[:100]).status_code == 200
    answer = client.get(f"/uploads/{upload_id}/file")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
    with urllib.request.urlopen(answer.location) as file:
        assert file.read() == DATA[:100]
        assert file.headers["Content-Type"] == "application/octet-stream"
        assert file.headers["Content-Disposition"].startswith("attachment;")
    shared = client.post(f"/uploads/{upload_id}/shares").json or {}
    with client.get(shared["url"]) as whole:  # the store's URL would tell the upload's id
        assert (whole.status_code, whole.data) == (200, DATA[:100])


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"CHUNKED_UPLOAD_STORAGE": "s3://"}, "names no bucket"),
        ({"CHUNKED_UPLOAD_STORAGE": "s3://b_"}, "names no bucket"),
        ({"CHUNKED_UPLOAD_STORAGE": "s3://bucket?x=1"}, "unknown option"),
        ({"CHUNKED_UPLOAD_S3_ENDPOINT": "s3.example.org"}, "must be a URL"),
        ({"CHUNKED_UPLOAD_S3_PART_SIZE": "1M"}, "must be from 5M to 5G"),
    ],
)
def test_a_place_that_cannot_be_is_refused_at_the_start(
    make_app: Callable[..., Flask], config: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        ChunkedUpload(make_app(**{"CHUNKED_UPLOAD_STORAGE": "s3://bucket", **config}))


def test_a_file_whose_object_is_gone_is_not_found(
    client: FlaskClient, store: Store, bucket: str, keys: Callable[[], list[str]]
) -> None:
    protocol = Protocol(client)
    upload_id = protocol.completed(b"hello")
    store.storage(bucket).store().delete_object(Bucket=bucket, Key=keys()[0])
    assert client.get(f"/uploads/{upload_id}/file").status_code == 404


def test_a_lease_does_not_undo_a_commit(
    s3_app: Flask, client: FlaskClient, keys: Callable[[], list[str]]
) -> None:
    """A request that read the record before the commit must not write back the state it knows."""
    first = {"Content-Range": f"bytes 0-{MIB - 1}/{len(DATA)}"}
    created = client.post("/uploads/?filename=f", data=DATA[:MIB], headers=first)
    upload_id = (created.json or {})["upload_id"]
    plan = WritePlan(start=MIB, stop=len(DATA), total=len(DATA))
    with s3_app.app_context():
        engine = s3_app.extensions["chunked_upload"]["chunked_upload"].engine
        find = partial(engine.find_own, upload_id, upload_set="chunked_upload", owner=None)
        with engine.begin(find(), plan) as chunk:
            late = find()
            chunk.write(DATA[MIB:])
            chunk.finish_whole()
            chunk.commit()
        with pytest.raises(OffsetMismatch):
            engine.begin(late, plan)
    assert Protocol(client).complete(upload_id, DATA).status_code == 200
    check_file(client, upload_id, keys)


def test_a_file_of_many_requests_consists_of_parts(
    s3_app: Flask, client: FlaskClient, store: Store
) -> None:
    """What is sent as an object the store has to copy at the end."""
    tus = Tus(client)
    url = tus.created(len(DATA))
    for at in range(6):
        assert tus.patch(url, DATA[at : at + 1], at).status_code == 204
    assert tus.patch(url, DATA[6 : 2 * PART], 6).status_code == 204
    [record] = records(s3_app)
    state = record.storage_state or {}
    sent = [value for key, value in state.items() if key[0] == "p"]
    assert len(sent) == (2 if store.name == "versitygw" else 0), state


def test_a_commit_waits_for_the_digest(
    s3_app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next chunk may come to another host, which cannot read what lies in parts."""

    def take_in_slowly(digest: BackgroundDigest, data: bytes) -> None:
        time.sleep(0.3)
        take_in(digest, data)

    take_in = BackgroundDigest._take_in
    monkeypatch.setattr(BackgroundDigest, "_take_in", take_in_slowly)
    first = {"Content-Range": f"bytes 0-{MIB - 1}/{len(DATA)}"}
    assert client.post("/uploads/?filename=f", data=DATA[:MIB], headers=first).status_code == 200
    [record] = records(s3_app)
    assert digest_offset(record) == MIB


def remove_first(monkeypatch: pytest.MonkeyPatch, client: FlaskClient, *calls: str) -> None:
    """Have another request remove the tests' only upload just before one of the store's calls."""

    def removing(send: Callable[..., Any]) -> Callable[..., Any]:
        def remove(*arguments: Any, **options: Any) -> Any:
            for record in records(client.application):
                assert client.delete(f"/uploads/{record.upload_id}").status_code == 204
            return send(*arguments, **options)

        return remove

    for call in calls:
        monkeypatch.setattr(Bucket, call, removing(getattr(Bucket, call)))


def test_a_request_whose_upload_is_removed_meanwhile_is_told_so(
    s3_app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tus = Tus(client)
    url = tus.created(len(DATA))
    assert tus.patch(url, DATA[:PART], 0).status_code == 204
    with monkeypatch.context() as patched:
        remove_first(patched, s3_app.test_client(), "put_part", "put")
        assert tus.patch(url, DATA[PART:], PART).status_code == 404


def test_a_completion_whose_upload_is_removed_meanwhile_is_told_so(
    s3_app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = Protocol(client)
    first = {"Content-Range": f"bytes 0-{len(DATA) - 1}/{len(DATA)}"}
    created = client.post("/uploads/?filename=f", data=DATA, headers=first)
    upload_id = (created.json or {})["upload_id"]
    with monkeypatch.context() as patched:
        remove_first(patched, s3_app.test_client(), "complete", "start")
        assert protocol.complete(upload_id, DATA).status_code == 404
