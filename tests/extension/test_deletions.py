"""Uploads that are removed: by their client, by the cleaner, or by the app's own session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from chunked_upload import ChunkedUpload
from chunked_upload.maintenance.expiry import delete_expired
from tests.conftest import create_tables
from tests.support.protocol import Protocol, files

MakeApp = Callable[..., Flask]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app()
    app.extensions["tests"] = ChunkedUpload(app)
    create_tables(app)
    return app


@pytest.fixture
def told(uploads: ChunkedUpload) -> list[str]:
    """The ids for which ``on_delete`` was called."""
    ids: list[str] = []
    uploads.on_delete(lambda upload: ids.append(upload.upload_id))
    return ids


def stored(app: Flask) -> list[str]:
    return [name for name in files(app) if not name.endswith(".turn")]


def record_of(uploads: ChunkedUpload, upload_id: str) -> Any:
    return uploads.db.session.query(uploads.model).filter_by(upload_id=upload_id).one()


@pytest.mark.parametrize("complete", [False, True], ids=["unfinished", "complete"])
def test_deleting_a_record_through_the_session_removes_its_bytes(
    app: Flask, uploads: ChunkedUpload, told: list[str], complete: bool
) -> None:
    protocol = Protocol(app.test_client())
    upload_id = protocol.completed(b"data") if complete else protocol.upload(b"data")
    assert len(stored(app)) == 1
    with app.app_context():
        uploads.db.session.delete(record_of(uploads, upload_id))
        uploads.db.session.flush()
        assert len(stored(app)) == 1  # it may still be rolled back
        uploads.db.session.commit()
    assert (stored(app), told) == ([], [upload_id])
    assert protocol.state(upload_id).status_code == 404


def test_a_deletion_that_is_rolled_back_removes_nothing(
    app: Flask, uploads: ChunkedUpload, told: list[str]
) -> None:
    upload_id = Protocol(app.test_client()).completed(b"data")
    with app.app_context():
        uploads.db.session.delete(record_of(uploads, upload_id))
        uploads.db.session.flush()
        uploads.db.session.rollback()
        uploads.db.session.commit()
    assert (len(stored(app)), told) == (1, [])
    assert Protocol(app.test_client()).state(upload_id).status_code == 200


@pytest.mark.parametrize("kept", [False, True], ids=["committed", "rolled back"])
def test_a_deletion_in_a_savepoint_counts_when_all_is_committed(
    app: Flask, uploads: ChunkedUpload, told: list[str], kept: bool
) -> None:
    upload_id = Protocol(app.test_client()).completed(b"data")
    with app.app_context():
        session = uploads.db.session
        record = record_of(uploads, upload_id)
        session.execute(update(uploads.model).values(notified_on=None))  # begins, on SQLite too
        with session.begin_nested():
            session.delete(record)
        assert len(stored(app)) == 1
        session.rollback() if kept else session.commit()
        session.commit()
    assert (len(stored(app)), told) == ((1, []) if kept else (0, [upload_id]))


def test_a_savepoint_that_is_rolled_back_concerns_only_what_it_deleted(
    app: Flask, uploads: ChunkedUpload, told: list[str]
) -> None:
    protocol = Protocol(app.test_client())
    before, within = protocol.completed(b"data"), protocol.completed(b"data")
    with app.app_context():
        session = uploads.db.session
        session.delete(record_of(uploads, before))
        session.flush()
        savepoint = session.begin_nested()
        session.delete(record_of(uploads, within))
        session.flush()
        savepoint.rollback()
        session.commit()
    assert (len(stored(app)), told) == (1, [before])
    assert protocol.state(within).status_code == 200


def test_on_delete_is_called_whoever_removes_an_upload(
    app: Flask, uploads: ChunkedUpload, told: list[str]
) -> None:
    protocol = Protocol(app.test_client())
    by_client, by_cleaner = protocol.upload(b"data"), protocol.upload(b"data")
    app.test_client().delete(f"/uploads/{by_client}")
    with app.app_context():
        record = record_of(uploads, by_cleaner)
        record.expires_on = record.created_on
        uploads.db.session.commit()
        delete_expired(uploads.upload_set)
    assert told == [by_client, by_cleaner]


def test_an_error_in_on_delete_is_logged_and_the_upload_gone(
    app: Flask, uploads: ChunkedUpload, caplog: pytest.LogCaptureFixture
) -> None:
    @uploads.on_delete
    def fail(upload: Any) -> None:
        raise ValueError("no")

    upload_id = Protocol(app.test_client()).upload(b"data")
    assert app.test_client().delete(f"/uploads/{upload_id}").status_code == 204
    assert "on_delete failed" in caplog.text
    assert Protocol(app.test_client()).state(upload_id).status_code == 404
