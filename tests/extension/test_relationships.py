"""Relationships of an app's own model work wherever it gets a record."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadCompleteView,
    ChunkedUploadMixin,
    ChunkedUploadView,
    chunk_received,
    upload_aborted,
    upload_completed,
    upload_created,
    upload_expired,
)
from chunked_upload.maintenance.expiry import delete_expired
from tests.conftest import create_tables
from tests.support.protocol import md5_of

MakeApp = Callable[..., Flask]


@pytest.fixture
def names() -> dict[str, str]:
    """Whose upload each hook and signal said it was."""
    return {}


@pytest.fixture
def app(make_app: MakeApp, names: dict[str, str]) -> Flask:
    app = make_app()
    db = SQLAlchemy(app)

    class User(db.Model):  # type: ignore[name-defined,misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(20))
        uploads: Mapped[list[Any]] = relationship("Upload", back_populates="user")

    class Upload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
        user: Mapped[Any] = relationship("User", back_populates="uploads")
        note: Mapped[str | None] = mapped_column(String(20))

    class View(ChunkedUploadView):
        def is_valid_chunked_upload(self, chunked_upload: Any) -> None:
            names["is_valid"] = chunked_upload.user.name
            super().is_valid_chunked_upload(chunked_upload)

        def pre_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
            names["pre_save"] = chunked_upload.user.name

        def post_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
            names["post_save"] = chunked_upload.user.name

        def get_response_data(self, chunked_upload: Any, request: Any) -> dict[str, Any]:
            data = super().get_response_data(chunked_upload, request)
            return data | {"owner": chunked_upload.user.name}

    class CompleteView(ChunkedUploadCompleteView):
        def get_response_data(self, chunked_upload: Any, request: Any) -> dict[str, Any]:
            data = super().get_response_data(chunked_upload, request)
            return data | {"owner": chunked_upload.user.name}

    uploads = ChunkedUpload(app, model=Upload, upload_view=View, complete_view=CompleteView)
    uploads.user_loader(lambda request: db.session.get(User, 1))

    @uploads.validate
    def check(request: Any, upload: Any) -> None:
        if isinstance(upload, Upload):
            names["validate"] = upload.user.name

    @uploads.on_completion
    def done(file: Any, request: Any) -> None:
        names["on_completion"] = file.upload.user.name
        assert file.upload in file.upload.user.uploads  # not only many-to-one
        file.upload.note = "done"

    @app.get("/mine/<upload_id>")
    def mine(upload_id: str) -> str:
        name: str = uploads.find(upload_id).user.name  # type: ignore[attr-defined]
        return name

    create_tables(app)
    with app.app_context():
        db.session.add(User(id=1, name="ada"))
        db.session.commit()
    app.extensions["tests"] = (uploads, Upload)
    return app


@pytest.fixture(autouse=True)
def signals(app: Flask, names: dict[str, str]) -> Any:
    """Note each signal's upload."""
    listened = [chunk_received, upload_created, upload_completed, upload_aborted, upload_expired]

    def note(signal: Any) -> Callable[..., None]:
        def receive(sender: Any, upload: Any, upload_set: str) -> None:
            names[signal.name] = upload.user.name

        return receive

    receivers = [(signal, note(signal)) for signal in listened]
    for signal, receive in receivers:
        signal.connect(receive, sender=app)
    yield
    for signal, receive in receivers:
        signal.disconnect(receive)


def send(app: Flask, start: int = 0, upload_id: str = "") -> Any:
    form: dict[str, Any] = {"file": (io.BytesIO(b"hello"), "a.txt")}
    if upload_id:
        form["upload_id"] = upload_id
    headers = {"Content-Range": f"bytes {start}-{start + 4}/10"}
    return app.test_client().post("/uploads/", data=form, headers=headers).get_json()


def test_in_every_hook_and_signal(app: Flask, names: dict[str, str]) -> None:
    first = send(app)
    assert first["owner"] == "ada"
    send(app, 5, first["upload_id"])
    form = {"upload_id": first["upload_id"], "md5": md5_of(b"hellohello")}
    done = app.test_client().post("/uploads/complete", data=form).get_json()
    assert done["owner"] == "ada"
    hooks = {"is_valid", "pre_save", "post_save", "validate", "on_completion"}
    assert hooks | {"upload-created", "chunk-received", "upload-completed"} == names.keys()
    assert set(names.values()) == {"ada"}


def test_in_a_view_that_finds_an_upload(app: Flask) -> None:
    upload_id = send(app)["upload_id"]
    assert app.test_client().get(f"/mine/{upload_id}").text == "ada"


def test_of_uploads_that_are_gone(app: Flask, names: dict[str, str]) -> None:
    aborted, expired = send(app)["upload_id"], send(app)["upload_id"]
    app.test_client().delete(f"/uploads/{aborted}")
    uploads, model = app.extensions["tests"]
    with app.app_context():
        db = uploads.db
        db.session.query(model).filter_by(upload_id=expired).update(
            {"expires_on": model.created_on}
        )
        db.session.commit()
        delete_expired(uploads.upload_set)
    assert (names["upload-aborted"], names["upload-expired"]) == ("ada", "ada")


def test_what_on_completion_sets_is_saved(app: Flask) -> None:
    first = send(app)
    send(app, 5, first["upload_id"])
    form = {"upload_id": first["upload_id"], "md5": md5_of(b"hellohello")}
    app.test_client().post("/uploads/complete", data=form)
    uploads, model = app.extensions["tests"]
    with app.app_context():
        [record] = uploads.db.session.query(model).all()
        assert record.note == "done"
