"""The server's own files are its owner's alone, whatever the folder they lie in."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from chunked_upload.errors import ConfigurationError
from chunked_upload.server import database
from chunked_upload.server.app import create_app
from chunked_upload.server.private_files import locked, make_folder, make_private
from tests.server.client import create
from tests.support.server import Server


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def private_files(folder: Path) -> dict[str, int]:
    """The modes of what the server keeps for itself."""
    return {path.name: mode(path) for path in folder.iterdir() if path.is_file()}


def test_in_a_folder_that_everybody_can_read_the_files_are_private(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    instance.chmod(0o755)
    server = make_server()
    create(server, b"hello", 10)
    modes = private_files(instance)
    expected = {"chunked_upload.db", "chunked_upload.db-reserve", "migrate.lock", "secret_key"}
    assert expected <= set(modes)
    assert set(modes.values()) == {0o600}


def test_files_of_an_earlier_version_become_private(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.stop()
    for path in server.instance.iterdir():
        if path.is_file():
            path.chmod(0o644)
    server.start()
    assert set(private_files(server.instance).values()) == {0o600}


def test_a_folder_that_everybody_can_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigurationError, match=f"run `chmod 700 {tmp_path}`"):
        make_folder(tmp_path)
    tmp_path.chmod(0o1777)
    make_folder(tmp_path)


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "db"
    path.touch(0o644)

    def refused(self: Path, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refused)
    with pytest.raises(ConfigurationError, match=f"run `chmod 600 {path}` as its owner"):
        make_private(path)


def test_a_database_elsewhere_is_made_private_and_an_existing_one_left(tmp_path: Path) -> None:
    app = Flask("app", instance_path=str(tmp_path / "instance"))
    new, old = tmp_path / "new.db", tmp_path / "old.db"
    old.touch()
    old.chmod(0o640)
    for path in (new, old):
        app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{path}"
        database.keep_private(app)
    assert (mode(new), mode(old)) == (0o600, 0o640)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "postgresql://h/n", "nonsense"])
def test_other_databases_have_no_file(uri: str, tmp_path: Path) -> None:
    app = Flask("app", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = uri
    database.keep_private(app)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    began = time.monotonic()
    with (
        pytest.raises(ConfigurationError, match="another process has locked"),
        locked(path, seconds=0.3),
    ):
        raise AssertionError("it was locked")
    assert 0.3 <= time.monotonic() - began < 10
    os.close(descriptor)
    with locked(path, seconds=0.3) as file:
        file.write("mine")
    assert mode(path) == 0o600


def test_a_missing_driver_of_postgresql_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(tmp_path))
    monkeypatch.setenv("CHUNKED_UPLOAD_DATABASE_URI", "postgresql://user@host/name")
    for name in list(sys.modules):
        if name.partition(".")[0] == "psycopg":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'chunked-upload\[postgresql\]'"):
        create_app()
