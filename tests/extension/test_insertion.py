"""New records are added without a session where nobody can tell, else through one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event, func, inspect
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from chunked_upload import ChunkedUpload, ChunkedUploadMixin, ChunkedUploadView
from tests.conftest import create_tables
from tests.support.protocol import Protocol, records

MakeApp = Callable[..., Flask]

_DATA = b"0123456789"


@contextmanager
def heard(target: Any, name: str) -> Iterator[list[Any]]:
    """Collect what a listener is told."""
    told: list[Any] = []

    def listen(*arguments: Any) -> None:
        told.append(arguments)

    event.listen(target, name, listen)
    try:
        yield told
    finally:
        event.remove(target, name, listen)


def begun(app: Flask) -> dict[str, Any]:
    """Upload the first half of a file; return its record's columns, but for names and times."""
    reply = Protocol(app.test_client()).chunk(_DATA[:5], 0, len(_DATA), filename="a.txt")
    assert reply.status_code == 200, reply.text
    record = records(app)[-1]
    own = ("id", "upload_id", "visitor", "created_on", "expires_on", "storage_state")
    columns = [attribute.key for attribute in inspect(type(record)).column_attrs]
    return {name: getattr(record, name) for name in columns if name not in own}


def test_both_ways_make_the_same_record(make_app: MakeApp) -> None:
    app = make_app()
    SQLAlchemy(app)
    ChunkedUpload(app)
    create_tables(app)
    alone = begun(app)
    with heard(Session, "before_flush") as told:
        assert begun(app) == alone
    assert len(told) == 1


@pytest.mark.parametrize("name", ["before_insert", "after_insert"])
def test_listeners_of_the_model_are_told(make_app: MakeApp, name: str) -> None:
    app = make_app()
    db = SQLAlchemy(app)
    uploads = ChunkedUpload(app, db=db)
    create_tables(app)
    with app.app_context():
        model = uploads.model
    with heard(model, name) as told:
        begun(app)
    assert [arguments[2].filename for arguments in told] == ["a.txt"]


@pytest.mark.parametrize("name", ["after_begin", "before_flush", "after_commit"])
def test_listeners_of_all_sessions_are_told(make_app: MakeApp, name: str) -> None:
    app = make_app()
    SQLAlchemy(app)
    ChunkedUpload(app)
    create_tables(app)
    with heard(Session, name) as told:
        begun(app)
    assert told


def test_columns_of_an_apps_model_get_their_defaults(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)

    class Upload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        stage: Mapped[str] = mapped_column(default="new")
        tags: Mapped[str | None]
        twice: Mapped[str] = mapped_column(
            default=lambda context: 2 * context.get_current_parameters()["filename"]
        )
        place: Mapped[str] = mapped_column(server_default="here")

    ChunkedUpload(app, db=db, model=Upload)
    create_tables(app)
    begun(app)
    (record,) = records(app)
    values = (record.stage, record.tags, record.twice, record.place)
    assert values == ("new", None, "a.txta.txt", "here")


def test_plain_columns_of_an_apps_model_need_no_session(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    db = SQLAlchemy(app)

    class Upload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        stage: Mapped[str] = mapped_column("label", default="new")
        tags: Mapped[str | None]

    ChunkedUpload(app, db=db, model=Upload)
    create_tables(app)
    with monkeypatch.context() as patch:
        patch.delattr(Session, "add")
        begun(app)
    (record,) = records(app)
    assert (record.stage, record.tags) == ("new", None)


def test_a_record_of_a_model_with_versions_has_its_first(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)

    class Upload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        version: Mapped[int]

        @declared_attr.directive
        @classmethod
        def __mapper_args__(cls) -> dict[str, Any]:
            return {"version_id_col": cls.__table__.c.version}

    ChunkedUpload(app, db=db, model=Upload)
    create_tables(app)
    assert begun(app)["version"] == 1


def test_the_database_may_compute_what_an_app_adds(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)

    class Upload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        stage: Mapped[str]

    class View(ChunkedUploadView):
        def get_extra_attrs(self, request: Any) -> dict[str, Any]:
            return {"stage": func.lower("NEW")}

    ChunkedUpload(app, db=db, model=Upload, upload_view=View)
    create_tables(app)
    assert begun(app)["stage"] == "new"
