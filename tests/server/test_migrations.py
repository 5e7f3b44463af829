"""The migrations: up and down on both databases, as the models are, once however many start."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import MetaData, NullPool, Table, create_engine, inspect, select
from sqlalchemy.orm import Session

from chunked_upload.checksum.md5 import MD5
from chunked_upload.server.migration import known_migrations, migrate, newest_migration
from tests.server.client import call, create
from tests.server.conftest import PROJECT, engine
from tests.support import preloaded
from tests.support.digests import digest_offset, digest_state
from tests.support.preloaded import Command
from tests.support.protocol import md5_of
from tests.support.server import PROGRAM, Server, clean_environment

MIGRATED = {
    "alembic_version",
    "chunked_upload",
    "chunked_upload_day",
    "chunked_upload_event",
    "chunked_upload_journal",
    "chunked_upload_share",
    "chunked_upload_token",
}


def tables(app: Flask) -> set[str]:
    return set(inspect(engine(app)).get_table_names())


def test_upgrade_makes_the_tables_and_downgrade_removes_them(unmigrated: Flask) -> None:
    upgrade()
    assert tables(unmigrated) == MIGRATED
    downgrade(revision="base")
    assert tables(unmigrated) == {"alembic_version"}
    upgrade()
    assert tables(unmigrated) == MIGRATED


def test_the_migrated_database_is_the_one_that_the_models_describe(unmigrated: Flask) -> None:
    upgrade()
    with engine(unmigrated).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        metadata = unmigrated.extensions["sqlalchemy"].metadata
        assert compare_metadata(context, metadata) == []


def test_the_migrations_are_those_that_alembic_finds() -> None:
    scripts = ScriptDirectory(str(PROJECT / "migrations"))
    found = {script.revision: script.down_revision for script in scripts.walk_revisions()}
    assert known_migrations() == found
    assert newest_migration() == scripts.get_current_head()


@pytest.mark.one_database
def test_alembic_is_not_imported_where_there_is_nothing_to_migrate(
    unmigrated: Flask, tmp_path: Path
) -> None:
    """It takes a fifth of the time in which a server starts."""
    migrate()
    program = """
import sys
from chunked_upload.server.app import create_app
from chunked_upload.server.command import migrate
with create_app().app_context():
    migrate()
print([name for name in ("alembic", "apispec", "boto3", "flask_migrate") if name in sys.modules])
"""
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **clean_environment(),
            "CHUNKED_UPLOAD_INSTANCE": unmigrated.instance_path,
            "CHUNKED_UPLOAD_DATABASE_URI": unmigrated.config["SQLALCHEMY_DATABASE_URI"],
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "[]\n", said.stderr


@pytest.mark.one_database
def test_flask_migrates_commands_are_commands_of_the_program_and_of_its_app(
    unmigrated: Flask, tmp_path: Path
) -> None:
    environment = {**clean_environment(), "CHUNKED_UPLOAD_INSTANCE": unmigrated.instance_path}
    flask = str(Path(PROGRAM).with_name("flask"))
    app = ("--app", "chunked_upload.server.app")
    upgraded = preloaded.run([flask, *app, "db", "upgrade"], cwd=tmp_path, env=environment)
    assert upgraded.returncode == 0, upgraded.stderr
    current = preloaded.run([PROGRAM, "db", "current"], cwd=tmp_path, env=environment)
    assert newest_migration() in current.stdout, current.stderr


def test_the_comparison_would_notice_a_difference(unmigrated: Flask) -> None:
    upgrade()
    with engine(unmigrated).begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_chunked_upload_owner")
    with engine(unmigrated).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        metadata = unmigrated.extensions["sqlalchemy"].metadata
        [difference] = compare_metadata(context, metadata)
    assert difference[0] == "add_index"


def test_the_migrated_tables_serve(unmigrated: Flask) -> None:
    upgrade()
    client = unmigrated.test_client()
    answer = client.post("/uploads/?filename=a", data=b"hello")
    assert answer.status_code == 200
    assert client.get("/healthz").status_code == 200


def test_checksums_and_running_states_come_along(unmigrated: Flask) -> None:
    """0003: what completed uploads have stays, and what is unfinished need not be read again."""
    upgrade(revision="0002")
    running = MD5()
    running.update(b"hello ")
    insert(unmigrated, "a" * 32, status=2, md5=md5_of(b"done"), digest_state=None, digest_offset=4)
    insert(unmigrated, "b" * 32, status=1, md5=None, digest_state=running.freeze(), digest_offset=6)
    insert(unmigrated, "c" * 32, status=1, md5=None, digest_state=None, digest_offset=0)
    upgrade()
    model = unmigrated.extensions["chunked_upload"]["chunked_upload"].model
    with Session(engine(unmigrated)) as session:
        [done] = session.scalars(select(model).filter_by(md5=md5_of(b"done")))
        assert (done.upload_id, done.md5) == ("a" * 32, md5_of(b"done"))
        assert (done.checksums, done.checksum_states) == ({"md5": md5_of(b"done")}, {})
        half, fresh = session.scalars(select(model).where(model.md5.is_(None)).order_by(model.id))
        assert (half.checksums, digest_offset(half)) == ({}, 6)
        assert digest_state(half) == running.freeze()
        assert (fresh.upload_id, fresh.checksums, fresh.checksum_states) == ("c" * 32, {}, {})
    downgrade(revision="0002")
    columns = "upload_id, md5, digest_state, digest_offset"
    with engine(unmigrated).connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT {columns} FROM chunked_upload ORDER BY id").all()
    assert [(upload_id[0], md5) for upload_id, md5, *_ in rows] == [
        ("a", md5_of(b"done")),
        ("b", None),
        ("c", None),
    ]
    states = [(None if state is None else bytes(state), seen) for *_, state, seen in rows]
    assert states == [(None, 0), (running.freeze(), 6), (None, 0)]


def test_an_upload_that_was_under_way_is_completed_after_the_migration(unmigrated: Flask) -> None:
    upgrade()
    client = unmigrated.test_client()
    begun = client.post(
        "/uploads/?filename=a", data=b"hello ", headers={"Content-Range": "bytes 0-5/11"}
    ).get_json()
    downgrade(revision="0002")
    upgrade()
    [part] = Path(unmigrated.instance_path).rglob(f"{begun['upload_id']}.part")
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


#: The newest migration.
NEWEST = max(path.name[:4] for path in (PROJECT / "migrations" / "versions").glob("*.py"))


#: What a database may be at when nodes are started: nothing, and the version before the newest.
@pytest.mark.parametrize("begins_at", [None, "0007"])
def test_nodes_that_start_at_once_migrate_once(
    database_uri: str, tmp_path: Path, begins_at: str | None
) -> None:
    """As on eight hosts: the instance folders, and so the lock files in them, differ."""

    def run(*arguments: str, node: int = 0) -> Command:
        settings = {
            "SQLALCHEMY_DATABASE_URI": database_uri,
            "CHUNKED_UPLOAD_INSTANCE": f"instance{node}",
        }
        return Command([PROGRAM, *arguments], cwd=tmp_path, env={**clean_environment(), **settings})

    if begins_at:
        assert run("db", "upgrade", begins_at).result().returncode == 0
    ended = [command.result() for command in [run("migrate", node=node) for node in range(8)]]
    assert [said.returncode for said in ended] == [0] * 8, ended
    assert not any("Traceback" in said.stderr for said in ended)
    engine = create_engine(database_uri, poolclass=NullPool)
    with engine.connect() as connection:
        versions = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
    assert versions == [(NEWEST,)]


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
