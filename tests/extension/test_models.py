"""Models: the built-in one, an app's own from the mixin, and whose uploads they keep."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, Integer, String, Uuid, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadCompleteView,
    ChunkedUploadMixin,
    ChunkedUploadView,
)
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.support.protocol import Protocol, files, records

MakeApp = Callable[..., Flask]


def test_the_built_in_model_is_one_of_the_apps_own_database(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)
    uploads = ChunkedUpload(app, db=db)
    with app.app_context():
        db.create_all()
        assert inspect(db.engine).has_table("chunked_upload")
        upload_id = Protocol(app.test_client()).upload(b"data", filename="a.txt")
        record = db.session.scalars(select(uploads.model)).one()
        assert (record.upload_id, record.filename, record.offset) == (upload_id, "a.txt", 4)
        assert repr(record) == f"<'a.txt' - upload_id: {upload_id} - bytes: 4 - status: 1>"
        assert not record.expired


# What Flask-Migrate's own env.py calls.
@pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")
def test_the_apps_migrations_include_the_built_in_model(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The env.py that init() writes would silence the loggers of the tests after this one.
    monkeypatch.setattr("logging.config.fileConfig", lambda name: None)
    app = make_app()
    db = SQLAlchemy(app)
    flask_migrate.Migrate(app, db, directory=str(tmp_path / "migrations"))
    ChunkedUpload(app, db=db)
    with app.app_context():
        flask_migrate.init()
        flask_migrate.migrate()
        flask_migrate.upgrade()
        assert Protocol(app.test_client()).completed(b"data")
        flask_migrate.migrate()
        versions = list((tmp_path / "migrations" / "versions").glob("*.py"))
        assert len(versions) == 1  # nothing was left to migrate
        flask_migrate.downgrade()
        assert not inspect(db.engine).has_table("chunked_upload")


def test_a_base_class_of_the_apps_own_is_kept(make_app: MakeApp) -> None:
    class Base(DeclarativeBase):
        pass

    app = make_app()
    SQLAlchemy(app, model_class=Base)
    ChunkedUpload(app)
    create_tables(app)
    assert Protocol(app.test_client()).completed(b"data")


def test_two_models_in_one_database_for_two_upload_sets(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)

    class Photo(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        place: Mapped[str | None] = mapped_column(String(50))

    ChunkedUpload(app)
    ChunkedUpload(app, name="photos", url_prefix="/photos", model=Photo)
    create_tables(app)
    client = app.test_client()

    upload_id = Protocol(client, "/photos").completed(b"photo")
    Protocol(client).completed(b"other")

    assert [type(record).__name__ for record in records(app, "photos")] == ["Photo"]
    assert len(records(app)) == 1
    assert refusal(Protocol(client).state(upload_id)) == (404, "Upload not found")


def test_a_model_may_be_given_by_the_view_as_in_django(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)

    class Photo(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        pass

    class PhotoView(ChunkedUploadView):
        model = Photo

    class PhotoCompleteView(ChunkedUploadCompleteView):
        model = Photo

    uploads = ChunkedUpload(app, upload_view=PhotoView, complete_view=PhotoCompleteView)
    create_tables(app)
    assert Protocol(app.test_client()).completed(b"photo")
    with app.app_context():
        assert uploads.model is Photo
        assert not inspect(db.engine).has_table("chunked_upload")


def test_a_model_may_live_in_a_database_of_its_own(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(SQLALCHEMY_BINDS={"files": f"sqlite:///{tmp_path / 'files.db'}"})
    db = SQLAlchemy(app)

    class Photo(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        __bind_key__ = "files"

    ChunkedUpload(app, model=Photo)
    create_tables(app)
    assert Protocol(app.test_client()).completed(b"photo")
    with app.app_context():
        assert inspect(db.engines["files"]).has_table("photo")
        assert not inspect(db.engine).has_table("photo")


# Whose uploads


COLUMN_TYPES: dict[type, Any] = {int: Integer(), uuid.UUID: Uuid()}


class Users:
    """An app whose uploads have an owner in a column or a relationship of the app's model."""

    def __init__(self, app: Flask, key: Any) -> None:
        self.app, self.key = app, key
        self.db = db = SQLAlchemy(app)

        class User(db.Model):  # type: ignore[name-defined,misc]
            id: Mapped[Any] = mapped_column(COLUMN_TYPES[key], primary_key=True)
            name: Mapped[str] = mapped_column(String(50), unique=True)

        self.User = User

    def serve(self, model: Any, load: Callable[[str], Any], **views: Any) -> Protocol:
        uploads = ChunkedUpload(self.app, model=model, **views)
        uploads.user_loader(lambda request: load(request.headers.get("X-User", "")))
        create_tables(self.app)
        with self.app.app_context():
            for number, name in enumerate(["alice", "bob"], 1):
                identity = uuid.UUID(int=number) if self.key is uuid.UUID else number
                self.db.session.add(self.User(id=identity, name=name))
            self.db.session.commit()
        return Protocol(self.app.test_client())

    def by_name(self, name: str) -> Any:
        return self.db.session.scalar(select(self.User).filter_by(name=name))

    def id_by_name(self, name: str) -> Any:
        found = self.by_name(name)
        return None if found is None else found.id


def upload_as_alice(protocol: Protocol) -> None:
    """Upload and complete as alice; bob and strangers are kept out."""
    alice, bob = {"X-User": "alice"}, {"X-User": "bob"}
    upload_id = answer(protocol.chunk(b"data", headers=alice))["upload_id"]
    client, url = protocol.client, f"/uploads/{upload_id}"
    assert answer(client.get(url, headers=alice))["offset"] == 4
    assert refusal(client.get(url, headers=bob)) == (404, "Upload not found")
    assert client.get(url).status_code == 403
    assert answer(client.get("/uploads/", headers=bob))["uploads"] == []
    assert len(answer(client.get("/uploads/", headers=alice))["uploads"]) == 1


@pytest.mark.parametrize("key", [int, uuid.UUID])
@pytest.mark.parametrize("loaded", ["user", "id"])
def test_a_user_relationship_is_filled_as_in_django(
    make_app: MakeApp, key: Any, loaded: str
) -> None:
    users = Users(make_app(), key)
    db, user_class = users.db, users.User

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        user_id: Mapped[Any] = mapped_column(ForeignKey("user.id"), nullable=True)
        user: Mapped[Any] = relationship(user_class)

    load = users.by_name if loaded == "user" else users.id_by_name
    upload_as_alice(users.serve(Document, load))
    with users.app.app_context():
        document = db.session.scalars(select(Document)).one()
        assert document.user.name == "alice"


@pytest.mark.parametrize("key", [int, uuid.UUID])
@pytest.mark.parametrize("loaded", ["user", "id"])
def test_a_user_id_column_is_filled_when_the_views_name_it(
    make_app: MakeApp, key: Any, loaded: str
) -> None:
    users = Users(make_app(), key)
    db = users.db

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        user_id: Mapped[Any] = mapped_column(ForeignKey("user.id"), nullable=True)

    class View(ChunkedUploadView):
        user_field_name = "user_id"

    load = users.by_name if loaded == "user" else users.id_by_name
    upload_as_alice(users.serve(Document, load, upload_view=View))
    with users.app.app_context():
        document = db.session.scalars(select(Document)).one()
        assert db.session.get_one(users.User, document.user_id).name == "alice"


def test_a_user_that_is_not_a_row_leaves_a_required_column_to_the_app(make_app: MakeApp) -> None:
    """get_extra_attrs has the last word."""
    users = Users(make_app(), int)
    db = users.db

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))

    class View(ChunkedUploadView):
        def get_extra_attrs(self, request: Any) -> dict[str, Any]:
            return {"user_id": users.id_by_name(request.headers["X-User"])}

    upload_as_alice(users.serve(Document, lambda name: name or None, upload_view=View))
    with users.app.app_context():
        assert db.session.scalars(select(Document.user_id)).one() == 1


def test_a_record_that_the_database_refuses_leaves_no_file(make_app: MakeApp) -> None:
    """A column that must not be null, and nobody has filled it: the app's mistake, a 500."""
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    db = SQLAlchemy(app)

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        title: Mapped[str] = mapped_column(String(50))

    ChunkedUpload(app, model=Document)
    create_tables(app)
    assert Protocol(app.test_client()).chunk(b"data").status_code == 500
    assert records(app) == []
    assert files(app) == []


def test_token_callers_leave_the_models_user_empty(make_app: MakeApp) -> None:
    """A token's name is not a user of the app."""
    from chunked_upload.http.access.callers import hash_token

    app = make_app(CHUNKED_UPLOAD_TOKENS={"robot": hash_token("secret")})
    users = Users(app, int)
    db, user_class = users.db, users.User

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
        user: Mapped[Any] = relationship(user_class)

    ChunkedUpload(app, model=Document)
    create_tables(app)
    response = Protocol(app.test_client()).chunk(
        b"data", headers={"Authorization": "Bearer secret"}
    )
    assert answer(response)["offset"] == 4
    [record] = records(app)
    assert (record.owner, record.user_id) == ("token:robot", None)
