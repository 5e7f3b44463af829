"""Two versions on one database, as while nodes are restarted one after the other."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import NullPool, create_engine, inspect, text

from chunked_upload.server.migration import migrate
from tests.server import tus
from tests.server.client import call, complete, connect, create, put
from tests.server.conftest import PROJECT, engine
from tests.server.waiting import eventually
from tests.support.missing import HISTORY, skip_without
from tests.support.server import Server

#: Commits beside which this version must run: by each, the newest migration that it has.
OLDER = {
    "d38c6dec9c89": "0007",  # before object storage, tokens, events, limits of a day, tickets
    "61bc905ba292": "0014",  # the first with them
}

#: Those that run here, and on what; the tables of both are the same on either database.
PAIRS = [("d38c6dec9c89", "sqlite"), ("d38c6dec9c89", "postgresql"), ("61bc905ba292", "postgresql")]

#: States of the database from which a newer version may start, one after the other.
STATES = [f"{number:04}" for number in range(7, 14)]

VERSIONS = PROJECT / "migrations" / "versions"

DATA = hashlib.shake_256(b"two versions").digest(300_000)
THIRD = 100_000


@pytest.mark.parametrize("state", STATES)
def test_a_migration_takes_nothing_away_that_the_version_before_needs(
    unmigrated: Flask, state: str
) -> None:
    """What an older node reads is still there, and what it inserts is still accepted."""
    upgrade(revision=state)
    older = columns(unmigrated)
    migrate()
    newer = columns(unmigrated)
    for table, had in older.items():
        kept = {name: newer[table].get(name) for name in had}
        assert kept == had
        added = [column for name, column in newer[table].items() if name not in had]
        assert all(nullable or has_default for _, nullable, has_default in added), added


def columns(app: Flask) -> dict[str, dict[str, tuple[str, bool, bool]]]:
    """Return each table's columns: type, whether it may be empty, whether there is a default."""
    found = inspect(engine(app))
    return {
        table: {
            column["name"]: (
                str(column["type"]),
                bool(column["nullable"]),
                column["default"] is not None,
            )
            for column in found.get_columns(table)
        }
        for table in found.get_table_names()
    }


def test_a_node_of_an_older_version_may_be_started_again(
    unmigrated: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    migrate()
    with engine(unmigrated).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    migrate()
    assert "at version 9999, which a newer chunked-upload has made" in capsys.readouterr().err
    answer = unmigrated.test_client().post("/uploads/?filename=a", data=b"hello")
    assert answer.status_code == 200
    with engine(unmigrated).connect() as connection:
        left = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    assert left == [("9999",)]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: "-".join(pair))
def versions(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """A server of an older commit, and one of this; they share a database and a directory.

    The older one is there first, on tables of its own, which the newer one migrates under it.
    """
    commit, database = request.param
    place = tmp_path_factory.mktemp("versions")
    uri = f"sqlite:///{place / 'shared.db'}"
    if database == "postgresql":
        name = f"rolling_{uuid.uuid4().hex}"
        uri = request.getfixturevalue("postgres_cluster").another_database(name)
    environment = {
        "SECRET_KEY": "the same",
        "SQLALCHEMY_DATABASE_URI": uri,
        "CHUNKED_UPLOAD_ROOT": str(place / "root"),
    }
    paths = {"PYTHONPATH": str(older_code(commit, place / "code")), "COMMIT": commit}
    for name in ("older", "newer"):
        (place / name).mkdir()
    older = Server(place / "older", environment | paths, [sys.executable, "-c", OLDER_PROGRAM])
    with older:
        assert migration(uri) == OLDER[commit]
        with Server(place / "newer", environment) as newer:
            yield older, newer


#: Serves by the older code, and says whose it is.
OLDER_PROGRAM = """\
import sys, chunked_upload
from chunked_upload.server.command import main

print("code:", chunked_upload.__file__, flush=True)
sys.argv[1:] = ["serve"]
main()
"""


def migration(uri: str) -> str:
    """Return which migration a database has had last."""
    found = create_engine(uri, poolclass=NullPool)
    with found.connect() as connection:
        [version] = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
    return str(version)


def older_code(commit: str, folder: Path) -> Path:
    """Unpack an older commit from the project's history."""
    packed = subprocess.run(
        ["git", "archive", commit, "chunked_upload", "migrations", "static"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if packed.returncode != 0:
        skip_without(HISTORY, install=f"git, and clone the project with commit {commit}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.mark.long
def test_they_are_what_they_are_taken_for(versions: tuple[Server, Server]) -> None:
    older, newer = versions
    code = Path(older.environment["PYTHONPATH"], "chunked_upload", "__init__.py")
    assert f"code: {code}" in older.log.read_text()
    assert "code:" not in newer.log.read_text()
    uri = newer.environment["SQLALCHEMY_DATABASE_URI"]
    assert migration(uri) == max(path.name[:4] for path in VERSIONS.glob("0*.py"))
    has_description = OLDER[older.environment["COMMIT"]] > "0007"
    assert (call(older, "GET", "/openapi.json").status == 200) is has_description
    assert call(newer, "GET", "/openapi.json").status == 200


@pytest.mark.long
@pytest.mark.parametrize("first", ["older", "newer"])
def test_both_versions_take_each_other_s_uploads(
    versions: tuple[Server, Server], first: str
) -> None:
    one, two = versions if first == "older" else versions[::-1]
    upload_id = create(one, DATA[:THIRD], len(DATA))
    for server, start in ((two, THIRD), (one, 2 * THIRD)):
        answer = put(server, upload_id, DATA[start:][:THIRD], start, len(DATA))
        assert answer.status == 200, answer
    assert complete(two, upload_id, DATA).status == 200
    for server in versions:
        assert call(server, "GET", f"/uploads/{upload_id}/file").body == DATA
    assert call(one, "DELETE", f"/uploads/{upload_id}").status == 204


@pytest.mark.long
@pytest.mark.parametrize("first", ["older", "newer"])
def test_each_version_takes_over_from_the_other(
    versions: tuple[Server, Server], first: str
) -> None:
    one, two = versions if first == "older" else versions[::-1]
    upload_id = tus.create(one, len(DATA))
    with connect(one) as client:
        client.sendall(tus.patch_head(upload_id, 0, Content_Length=len(DATA)) + DATA[:THIRD])
        folder = Path(one.environment["CHUNKED_UPLOAD_ROOT"], ".incoming", upload_id[:2])
        part = folder / f"{upload_id}.part"
        eventually(lambda: part.exists() and part.stat().st_size >= THIRD)
        assert tus.offset(two, upload_id) == THIRD
        assert tus.patch(two, upload_id, DATA[THIRD:], THIRD).status == 204
        client.sendall(b"X" * (2 * THIRD))
        assert b" 204 " not in client.recv(1000).partition(b"\r\n")[0]
    assert call(one, "GET", f"/uploads/{upload_id}/file").body == DATA
