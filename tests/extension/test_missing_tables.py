"""An app that forgot to create its tables, or to migrate: the log says what to do."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused


def said(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records)


def test_a_missing_table_is_named(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    ChunkedUpload(app)
    response = app.test_client().post("/uploads/", data={"file": (io.BytesIO(b"hello"), "a")})
    refused(response, 503, "Database is unavailable")
    assert "table" not in response.text
    assert "the database has no table 'chunked_upload': call db.create_all()" in said(caplog)
    assert "flask db upgrade" in said(caplog)
    assert all(record.exc_info is None for record in caplog.records)


def test_a_missing_column_is_named(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    create_tables(app)
    with app.app_context(), uploads.db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE chunked_upload DROP COLUMN declared"))
    response = app.test_client().post("/uploads/", data={"file": (io.BytesIO(b"hello"), "a")})
    refused(response, 503, "Database is unavailable")
    assert "the database has no column" in said(caplog)
    assert "declared" in said(caplog)
