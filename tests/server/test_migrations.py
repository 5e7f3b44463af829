"""The migrations: up and down on both databases, as the models are, once however many start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, MetaData, Table, inspect, select
from sqlalchemy.orm import Session

from chunked_upload.checksum.md5 import MD5
from chunked_upload.server.app import create_app
from tests.server.client import call, create
from tests.support.digests import digest_offset, digest_state
from tests.support.preloaded import Command
from tests.support.protocol import md5_of
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


def test_checksums_and_running_states_come_along(standalone: Flask) -> None:
    """0003: what completed uploads have stays, and what is unfinished need not be read again."""
    upgrade(revision="0002")
    running = MD5()
    running.update(b"hello ")
    insert(standalone, "a" * 32, status=2, md5=md5_of(b"done"), digest_state=None, digest_offset=4)
    insert(standalone, "b" * 32, status=1, md5=None, digest_state=running.freeze(), digest_offset=6)
    insert(standalone, "c" * 32, status=1, md5=None, digest_state=None, digest_offset=0)
    upgrade()
    model = standalone.extensions["chunked_upload"]["chunked_upload"].model
    with Session(engine(standalone)) as session:
        [done] = session.scalars(select(model).filter_by(md5=md5_of(b"done")))
        assert (done.upload_id, done.md5) == ("a" * 32, md5_of(b"done"))
        assert (done.checksums, done.checksum_states) == ({"md5": md5_of(b"done")}, {})
        half, fresh = session.scalars(select(model).where(model.md5.is_(None)).order_by(model.id))
        assert (half.checksums, digest_offset(half)) == ({}, 6)
        assert digest_state(half) == running.freeze()
        assert (fresh.upload_id, fresh.checksums, fresh.checksum_states) == ("c" * 32, {}, {})
    downgrade(revision="0002")
    columns = "upload_id, md5, digest_state, digest_offset"
    with engine(standalone).connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT {columns} FROM chunked_upload ORDER BY id").all()
    assert [(upload_id[0], md5) for upload_id, md5, *_ in rows] == [
        ("a", md5_of(b"done")),
        ("b", None),
        ("c", None),
    ]
    states = [(None if state is None else bytes(state), seen) for *_, state, seen in rows]
    assert states == [(None, 0), (running.freeze(), 6), (None, 0)]


def test_an_upload_that_was_under_way_is_completed_after_the_migration(standalone: Flask) -> None:
    upgrade()
    client = standalone.test_client()
    begun = client.post(
        "/uploads/?filename=a", data=b"hello ", headers={"Content-Range": "bytes 0-5/11"}
    ).get_json()
    downgrade(revision="0002")
    upgrade()
    [part] = Path(standalone.instance_path).rglob(f"{begun['upload_id']}.part")
    part.write_bytes(b"HELLO ")  # so that reading it again would give another MD5
    url = f"/uploads/{begun['upload_id']}"
    client.put(url, data=b"world", headers={"Content-Range": "bytes 6-10/11"})
    fields = {"upload_id": begun["upload_id"], "md5": md5_of(b"hello world")}
    assert client.post("/uploads/complete", data=fields).status_code == 200


def insert(app: Flask, upload_id: str, **values: Any) -> None:
    """Add a record as version 0002 had it."""
    now = datetime.now(UTC)
    row = {
        "upload_id": upload_id,
        "upload_set": "chunked_upload",
        "filename": "f",
        "extra_fields": {},
        "offset": 6,
        "received": [],
        "reserved": 0,
        "turn": 0,
        "created_on": now,
        "expires_on": now,
        **values,
    }
    table = Table("chunked_upload", MetaData(), autoload_with=engine(app))
    with engine(app).begin() as connection:
        connection.execute(table.insert().values(row))


def test_processes_that_migrate_at_once_take_turns(database_uri: str, tmp_path: Path) -> None:
    """On different hosts too: the instance folders, and so the lock files, differ."""
    different = "postgresql" in database_uri
    running = [
        Command(
            [PROGRAM, "migrate"],
            cwd=tmp_path,
            env={
                **clean_environment(),
                "SQLALCHEMY_DATABASE_URI": database_uri,
                "CHUNKED_UPLOAD_INSTANCE": f"instance{number if different else ''}",
            },
        )
        for number in range(6)
    ]
    ended = [command.result() for command in running]
    assert [said.returncode for said in ended] == [0] * 6, ended
    assert not any("Traceback" in said.stderr for said in ended)


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
