"""The migrations: up and down on both databases, as the models are, once however many start."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, inspect

from chunked_upload.server.app import create_app
from tests.server.client import call, create
from tests.support.server import PROGRAM, Server, clean_environment


@pytest.fixture
def standalone(
    database_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The stand-alone app on an empty database, in its context."""
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URI", database_uri)
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(tmp_path / "instance"))
    app = create_app("testing")
    with app.app_context():
        yield app
        engine(app).dispose()


def engine(app: Flask) -> Engine:
    found: Engine = app.extensions["sqlalchemy"].engine
    return found


def tables(app: Flask) -> set[str]:
    return set(inspect(engine(app)).get_table_names())


def test_upgrade_makes_the_tables_and_downgrade_removes_them(standalone: Flask) -> None:
    upgrade()
    assert tables(standalone) == {"alembic_version", "chunked_upload"}
    downgrade(revision="base")
    assert tables(standalone) == {"alembic_version"}
    upgrade()
    assert tables(standalone) == {"alembic_version", "chunked_upload"}


def test_the_migrated_database_is_the_one_that_the_models_describe(standalone: Flask) -> None:
    upgrade()
    with engine(standalone).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        metadata = standalone.extensions["sqlalchemy"].metadata
        assert compare_metadata(context, metadata) == []


def test_the_comparison_would_notice_a_difference(standalone: Flask) -> None:
    upgrade()
    with engine(standalone).begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_chunked_upload_owner")
    with engine(standalone).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        metadata = standalone.extensions["sqlalchemy"].metadata
        [difference] = compare_metadata(context, metadata)
    assert difference[0] == "add_index"


def test_the_migrated_tables_serve(standalone: Flask) -> None:
    upgrade()
    client = standalone.test_client()
    answer = client.post("/uploads/?filename=a", data=b"hello")
    assert answer.status_code == 200
    assert client.get("/healthz").status_code == 200


def test_processes_that_migrate_at_once_take_turns(database_uri: str, tmp_path: Path) -> None:
    """On different hosts too: the instance folders, and so the lock files, differ."""
    different = "postgresql" in database_uri
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(
                    [PROGRAM, "migrate"],
                    cwd=tmp_path,
                    env={
                        **clean_environment(),
                        "SQLALCHEMY_DATABASE_URI": database_uri,
                        "CHUNKED_UPLOAD_INSTANCE": f"instance{number if different else ''}",
                    },
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(6)
        ]
        said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0] * 6, said
    assert not any("Traceback" in text for text in said)


def test_two_servers_started_at_once_share_a_new_instance(tmp_path: Path) -> None:
    first, second = Server(tmp_path), Server(tmp_path)
    with ExitStack() as stack:
        for server in (first, second):
            stack.callback(server.kill)
            server.launch()
        for server in (first, second):
            server.wait_until_up()
        upload_id = create(first, b"hello", 10)
        assert call(second, "GET", f"/uploads/{upload_id}").json["offset"] == 5
