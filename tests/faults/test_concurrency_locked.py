"""A row that a stopped process holds makes others wait for a while, not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, text

from chunked_upload import ChunkedUpload
from chunked_upload.records import durability as database
from tests.conftest import create_tables
from tests.support.protocol import Protocol


def test_row_that_stays_locked_is_503_and_the_upload_goes_on_when_it_is_free(
    make_app: Callable[..., Flask], database_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 300)
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    protocol = Protocol(app.test_client())
    upload_id = protocol.chunk(b"a" * 10, 0, 20).json["upload_id"]  # type: ignore[index]
    holder = create_engine(database_uri, poolclass=NullPool)
    with holder.connect() as connection:
        connection.execute(text("UPDATE chunked_upload SET reserved = reserved"))
        began = time.monotonic()
        reply = protocol.put(upload_id, b"b" * 10, 10, 20)
        assert time.monotonic() - began < 20
        assert reply.status_code == 503
        assert reply.json is not None
        assert reply.json["detail"] == "Database is unavailable"
        connection.rollback()
    assert protocol.put(upload_id, b"b" * 10, 10, 20).status_code == 200
    assert protocol.complete(upload_id, b"a" * 10 + b"b" * 10).status_code == 200
