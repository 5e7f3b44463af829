"""Files that an app's own view received, stored as completed uploads."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort, request
from werkzeug.datastructures import FileStorage

from chunked_upload import ChunkedUpload, ChunkedUploadError
from chunked_upload.http.views.given_files import store
from tests.conftest import create_tables

pytestmark = pytest.mark.one_database

BODY = b"picture " * 1000


@pytest.fixture
def uploads() -> ChunkedUpload:
    return ChunkedUpload(max_bytes=20_000, denied_extensions=("exe",))


@pytest.fixture
def app(make_app: Callable[..., Flask], uploads: ChunkedUpload) -> Flask:
    app = make_app()
    uploads.init_app(app)
    create_tables(app)

    @app.post("/own")
    def own() -> Any:
        try:
            records = store(
                uploads.upload_set, request.files.getlist("f"), fields={"album": "summer"}
            )
        except ChunkedUploadError as error:
            return error.data, error.status_code or 500
        return [[record.upload_id, record.md5, record.extra_fields] for record in records]

    return app


def send(app: Flask, *files: tuple[bytes, str]) -> Any:
    parts = [(io.BytesIO(body), name) for body, name in files]
    return app.test_client().post("/own", data={"f": parts})


def test_a_stored_file_is_a_completed_upload(app: Flask, uploads: ChunkedUpload) -> None:
    seen = []
    uploads.on_completion(lambda file, request: seen.append((file.filename, file.stream.read())))
    [[upload_id, digest, fields]] = send(app, (BODY, "../a b.jpg")).json
    assert digest == md5(BODY).hexdigest()
    assert fields == {"album": "summer"}
    assert seen == [("a b.jpg", BODY)]
    state: Any = app.test_client().get(f"/uploads/{upload_id}").json
    assert (state["status"], state["length"]) == (2, len(BODY))


def test_several_files_are_several_uploads_in_their_order(app: Flask) -> None:
    answer = send(app, (b"one", "1.txt"), (b"two", "2.txt")).json
    assert [digest for _, digest, _ in answer] == [md5(b).hexdigest() for b in (b"one", b"two")]


@pytest.mark.parametrize(
    ("file", "status"), [((bytes(20_001), "large.jpg"), 400), ((b"MZ", "setup.exe"), 415)]
)
def test_a_refused_file_leaves_nothing_of_the_others(
    app: Flask, uploads: ChunkedUpload, file: tuple[bytes, str], status: int
) -> None:
    answer = send(app, (BODY, "good.jpg"), file)
    assert answer.status_code == status
    assert answer.json["detail"]
    assert_nothing_is_left(app, uploads)


def test_hooks_refuse_before_a_byte_is_stored(app: Flask, uploads: ChunkedUpload) -> None:
    @uploads.validate
    def only_png(request: Any, upload: Any) -> Any:
        assert (upload.filename, upload.length) == ("a.jpg", len(BODY))
        abort(403, "PNG only!")

    answer = send(app, (BODY, "a.jpg"))
    assert (answer.status_code, answer.json["detail"]) == (403, "PNG only!")
    assert_nothing_is_left(app, uploads)


def test_a_callers_quota_holds(make_app: Callable[..., Flask]) -> None:
    uploads = ChunkedUpload(max_open_bytes=100)
    app = make_app()
    uploads.init_app(app)
    create_tables(app)
    file = FileStorage(io.BytesIO(bytes(101)), filename="a")
    refused = pytest.raises(ChunkedUploadError, match="more than 100 bytes")
    with app.test_request_context(method="POST"), refused:
        store(uploads.upload_set, [file])
    assert_nothing_is_left(app, uploads)


def assert_nothing_is_left(app: Flask, uploads: ChunkedUpload) -> None:
    with app.app_context():
        records = uploads.engine.records
        assert records.count(records.query("chunked_upload")) == 0
    root = Path(app.instance_path) / "uploads"
    assert not [path for path in root.rglob("*") if path.suffix in {".jpg", ".exe", ".part"}]
