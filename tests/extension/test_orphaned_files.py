"""Completed files in a store whose record is gone: found, and removed only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.support.protocol import Protocol, md5_of
from tests.support.s3 import ClientStorage, Store

DATA = b"hello world"

pytestmark = pytest.mark.one_database


@pytest.fixture
def storage(versitygw: Store) -> ClientStorage:
    return versitygw.storage()


@pytest.fixture
def app(versitygw: Store, storage: ClientStorage, make_app: Callable[..., Flask]) -> Flask:
    """Two upload sets; the place of one is below that of the other."""
    app = make_app(**versitygw.settings(storage.bucket))
    ChunkedUpload(app)
    inner = f"s3://{storage.bucket}/inner"
    ChunkedUpload(app, name="inner", url_prefix="/inner", storage=inner)
    create_tables(app)
    return app


def complete(app: Flask, prefix: str = "/uploads") -> str:
    """Return the id of a completed upload."""
    protocol = Protocol(app.test_client(), prefix)
    upload_id = str(answer(protocol.chunk(DATA, 0, len(DATA)))["upload_id"])
    form = {"upload_id": upload_id, "md5": md5_of(DATA)}
    answer(app.test_client().post(f"{prefix}/complete", data=form))
    return upload_id


def lose_records(app: Flask, *upload_ids: str) -> None:
    """Lose records as with a database that an older backup replaced."""
    with app.app_context():
        session: Any = app.extensions["sqlalchemy"].session
        for upload_id in upload_ids:
            statement = text("DELETE FROM chunked_upload WHERE upload_id = :id")
            session.execute(statement, {"id": upload_id})
        session.commit()


def clean(app: Flask, *options: str) -> str:
    said = app.test_cli_runner().invoke(args=["chunked-upload", "delete-orphans", *options])
    assert said.exit_code == 0, said.output
    return said.output


def keys_of(storage: ClientStorage, upload_id: str) -> list[str]:
    return [key for key in storage.all_keys() if upload_id in key]


def test_a_file_without_a_record(app: Flask, storage: ClientStorage) -> None:
    lost, kept, inner = complete(app), complete(app), complete(app, "/inner")
    lose_records(app, lost)
    [key] = keys_of(storage, lost)
    assert f"file without a record: {key}" in clean(app, "--grace", "0s")
    assert "file without" not in clean(app, "--grace", "1h")
    clean(app, "--grace", "0s", "--delete")
    assert keys_of(storage, lost) == [key]
    assert "1 orphan was deleted" in clean(app, "--grace", "0s", "--delete", "--files")
    assert keys_of(storage, lost) == []
    for upload_id in (kept, inner):
        assert len(keys_of(storage, upload_id)) == 1


def test_what_others_keep_there_is_not_touched(app: Flask, storage: ClientStorage) -> None:
    """A name may look like one of the service's."""
    foreign = {"photo-0123456789abcdef0123456789abcdef.jpg", "readme.txt"}
    for key in foreign:
        storage.store().put_object(Bucket=storage.bucket, Key=key, Body=b"not of this service")
    clean(app, "--grace", "0s", "--delete", "--files", "--force")
    assert set(storage.all_keys()) == foreign


def test_a_wrong_database_removes_nothing(app: Flask, storage: ClientStorage) -> None:
    lost = [complete(app) for _ in range(12)]
    lose_records(app, *lost)
    arguments = ["chunked-upload", "delete-orphans", "--grace", "0s", "--delete", "--files"]
    said = app.test_cli_runner().invoke(args=arguments)
    assert said.exit_code != 0
    assert "12 of 12 look orphaned" in said.output
    assert len(storage.all_keys()) == 12
    assert "12 orphans were deleted" in clean(app, *arguments[2:], "--force")
