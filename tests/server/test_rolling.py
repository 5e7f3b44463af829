"""Two versions on one database, as while nodes are restarted one after the other."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import inspect, text

from chunked_upload.server.migration import migrate
from tests.server import tus
from tests.server.client import call, complete, connect, create, put
from tests.server.conftest import PROJECT, engine
from tests.server.waiting import eventually
from tests.support.missing import skip_without
from tests.support.server import Server

#: The last commit before migration 0008, and the newest migration that it has.
OLDER, ITS_MIGRATION = "8268a340b6ef", "0007"

DATA = hashlib.shake_256(b"two versions").digest(300_000)
THIRD = 100_000


def test_a_migration_takes_nothing_away_that_the_version_before_needs(unmigrated: Flask) -> None:
    """What an older node reads is still there, and what it inserts is still accepted."""
    upgrade(revision=ITS_MIGRATION)
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


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """A server of an older commit, and one of this; they share a database and a directory."""
    place = tmp_path_factory.mktemp("versions")
    environment = {
        "SECRET_KEY": "the same",
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{place / 'shared.db'}",
        "CHUNKED_UPLOAD_ROOT": str(place / "root"),
    }
    program = "from chunked_upload.server.command import main; main()"
    paths = {"PYTHONPATH": str(older_code(place / "code"))}
    for name in ("older", "newer"):
        (place / name).mkdir()
    older = Server(place / "older", environment | paths, [sys.executable, "-c", program, "serve"])
    with older, Server(place / "newer", environment) as newer:
        yield older, newer


def older_code(folder: Path) -> Path:
    """Unpack the older commit from the project's history."""
    packed = subprocess.run(
        ["git", "archive", OLDER, "chunked_upload", "migrations", "static"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if packed.returncode != 0:
        skip_without("the project's history", install="git, and clone the project")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


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
