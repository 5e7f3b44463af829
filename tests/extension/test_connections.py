"""Nothing is held while bytes arrive, and hooks that use the database never starve the engine.

The pool has a single connection, so whoever keeps one while needing another waits in vain.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from chunked_upload import ChunkedUpload, ChunkedUploadCompleteView, ChunkedUploadView, UploadedFile
from chunked_upload.http.views import progress
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol, md5_of, records
from tests.support.tus import BODY_TYPE, VERSION, Tus

ONE_CONNECTION = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 2}
ALICE = {"X-User": "alice"}


class PausingBody:
    """A body that stops in the middle until it is told to go on."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.paused = threading.Event()
        self.go_on = threading.Event()

    def read(self, size: int = -1) -> bytes:
        half = len(self.data) // 2
        if self.position >= half and not self.go_on.is_set():
            self.paused.set()
            assert self.go_on.wait(30)
        stop = len(self.data) if self.position >= half else half
        if size >= 0:
            stop = min(stop, self.position + size)
        data = self.data[self.position : stop]
        self.position = stop
        return data


@pytest.fixture
def db() -> SQLAlchemy:
    return SQLAlchemy(engine_options=ONE_CONNECTION)


@pytest.fixture
def user_app(db: SQLAlchemy, make_app: Callable[..., Flask]) -> Flask:
    """An app whose callers are rows of a table, found through ``db.session``."""

    class User(db.Model):  # type: ignore[name-defined,misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(50))

    app = make_app()
    db.init_app(app)
    uploads = ChunkedUpload(
        app, db=db, upload_view=QueryingView, complete_view=QueryingCompleteView
    )

    @uploads.user_loader
    def load_user(request: Request) -> Any:
        query = db.select(User).filter_by(name=request.headers.get("X-User", ""))
        return db.session.scalar(query)

    create_tables(app)
    with app.app_context():
        db.session.add(User(name="alice"))
        db.session.commit()
    return app


def query(app_view: Any) -> None:
    app_view.upload_set.db.session.scalar(text("SELECT 1"))


class Querying:
    """Every hook asks the database, through the app's session, and leaves its transaction open."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)  # type: ignore[misc]
        query(self)

    def get_queryset(self, request: Request) -> Any:
        query(self)
        return super().get_queryset(request)  # type: ignore[misc]

    def validate(self, request: Request) -> None:
        query(self)

    def is_valid_chunked_upload(self, chunked_upload: Any) -> None:
        super().is_valid_chunked_upload(chunked_upload)  # type: ignore[misc]
        query(self)

    def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
        query(self)

    def save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
        query(self)
        super().save(chunked_upload, request, new=new)  # type: ignore[misc]

    def post_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
        query(self)

    def get_response_data(self, chunked_upload: Any, request: Request) -> Any:
        query(self)
        return super().get_response_data(chunked_upload, request)  # type: ignore[misc]


class QueryingView(Querying, ChunkedUploadView):
    def get_extra_attrs(self, request: Request) -> dict[str, Any]:
        query(self)
        return {}

    def create_chunked_upload(self, save: bool = False, **attrs: Any) -> Any:
        query(self)
        return super().create_chunked_upload(save=save, **attrs)

    def get_max_bytes(self, request: Request) -> int | None:
        query(self)
        return super().get_max_bytes(request)


class QueryingCompleteView(Querying, ChunkedUploadCompleteView):
    def on_completion(self, uploaded_file: UploadedFile, request: Request) -> None:
        query(self)

    def md5_check(self, chunked_upload: Any, md5: str) -> None:
        super().md5_check(chunked_upload, md5)
        query(self)


def test_hooks_that_query_the_database_do_not_starve_the_engine(user_app: Flask) -> None:
    client = user_app.test_client()
    protocol = Protocol(client)
    upload_id = answer(protocol.chunk(b"hello ", 0, 11, headers=ALICE))["upload_id"]
    second = protocol.chunk(b"world", 6, 11, upload_id=upload_id, headers=ALICE)
    assert answer(second)["offset"] == 11
    done = client.post(
        "/uploads/complete",
        data={"upload_id": upload_id, "md5": md5_of(b"hello world")},
        headers=ALICE,
    )
    assert answer(done)["status"] == 2
    [record] = records(user_app)
    assert record.notified_on is not None

    assert answer(client.get("/uploads/", headers=ALICE))["total"] == 1
    assert answer(client.get(f"/uploads/{upload_id}", headers=ALICE))["offset"] == 11
    with client.get(f"/uploads/{upload_id}/file", headers=ALICE) as download:
        assert download.data == b"hello world"
    assert client.delete(f"/uploads/{upload_id}", headers=ALICE).status_code == 204


def test_an_id_after_the_file_does_not_starve_the_engine(user_app: Flask) -> None:
    client = user_app.test_client()
    protocol = Protocol(client)
    upload_id = answer(protocol.chunk(b"hello ", 0, 11, headers=ALICE))["upload_id"]
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nworld\r\n'
        b'--b\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n'
        + upload_id.encode()
        + b"\r\n--b--\r\n"
    )
    response = client.post(
        "/uploads/",
        data=body,
        headers={**ALICE, "Content-Range": "bytes 6-10/11"},
        content_type="multipart/form-data; boundary=b",
    )
    assert answer(response)["offset"] == 11


def paused_while_another_uploads(
    app: Flask,
    method: str,
    url: str,
    body: PausingBody,
    content_type: str,
    headers: dict[str, str] | None = None,
) -> int:
    """Return the status of a request that stops in its body until another has got its answer."""
    statuses = []

    def upload() -> None:
        response = app.test_client().open(
            url,
            method=method,
            headers={**ALICE, **(headers or {})},
            environ_overrides={
                "wsgi.input": body,
                "CONTENT_LENGTH": str(len(body.data)),
                "CONTENT_TYPE": content_type,
            },
        )
        statuses.append(response.status_code)

    slow = threading.Thread(target=upload)
    slow.start()
    try:
        assert body.paused.wait(30)
        fast = Protocol(app.test_client()).chunk(b"fast", headers=ALICE)
        assert answer(fast)["offset"] == 4
    finally:
        body.go_on.set()
        slow.join()
    [status] = statuses
    return status


@pytest.mark.parametrize("pause_in", ["the file", "the form before the file"])
def test_no_connection_is_held_while_the_body_arrives(user_app: Flask, pause_in: str) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%s\r\n'
    padding = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n%s\r\n'
    end = b"--b--\r\n"
    if pause_in == "the file":
        body = PausingBody(part % (b"x" * 10_000) + end)
    else:
        body = PausingBody(padding % (b"y" * 10_000) + part % b"x" + end)
    content_type = "multipart/form-data; boundary=b"
    assert paused_while_another_uploads(user_app, "POST", "/uploads/", body, content_type) == 200


def test_hooks_of_appends_do_not_starve_the_engine(user_app: Flask) -> None:
    tus = Tus(user_app.test_client())
    url = tus.created(11, headers=ALICE)
    assert tus.patch(url, b"hello ", 0, ALICE).status_code == 204
    assert tus.head(url, **ALICE).headers["Upload-Offset"] == "6"
    assert tus.patch(url, b"world", 6, ALICE).status_code == 204
    [record] = records(user_app)
    assert record.notified_on is not None


@pytest.mark.parametrize("kept", ["not yet recorded", "recorded"])
def test_no_connection_is_held_while_an_append_arrives(
    user_app: Flask, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    if kept == "recorded":
        monkeypatch.setattr(progress, "_BYTES", 1)
    data = b"x" * 200_000
    url = Tus(user_app.test_client()).created(len(data), headers=ALICE)
    headers = {"Tus-Resumable": VERSION, "Upload-Offset": "0"}
    status = paused_while_another_uploads(
        user_app, "PATCH", url, PausingBody(data), BODY_TYPE, headers
    )
    assert status == 204
