"""The stand-alone app within the test's own process: what the real server cannot show as well."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

import config
from chunked_upload.errors import ConfigurationError
from chunked_upload.server.app import create_app


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the apps of a test keep their data."""
    path = tmp_path / "instance"
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(path))
    return path


@pytest.fixture
def standalone(instance: Path) -> Iterator[Flask]:
    """The app, its database migrated."""
    app = create_app("testing")
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


def test_the_connection_to_sqlite_that_was_used_last_is_used_next(standalone: Flask) -> None:
    """One that another has written since would read its pages again, for every chunk."""
    with standalone.app_context():
        engine = standalone.extensions["sqlalchemy"].engine
        first, second = engine.connect(), engine.connect()
        last = first.connection.dbapi_connection
        second.close()
        first.close()
        for _ in range(3):
            with engine.connect() as connection:
                assert connection.connection.dbapi_connection is last


def test_sqlite_in_memory_has_no_pool_of_connections(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URI", "sqlite://")
    app = create_app("testing")
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        engine.dispose()


def test_health_names_a_storage_that_fails(standalone: Flask, instance: Path) -> None:
    client = standalone.test_client()
    assert client.get("/healthz").json == {"status": "ok", "database": "ok", "storage": "ok"}
    (instance / "uploads").rename(instance / "moved")
    (instance / "uploads").touch()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "unavailable",
        "database": "ok",
        "storage": "failed: File exists",
    }


def test_health_names_a_database_that_fails(instance: Path) -> None:
    client = create_app("testing").test_client()  # not migrated: it has no table
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "unavailable",
        "database": "failed: OperationalError",
        "storage": "ok",
    }


def test_unfinished_uploads_live_for_a_week(
    standalone: Flask, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unlike in an app, where it is a day (test_ported_settings.py)."""
    client = standalone.test_client()
    chunk = client.post(
        "/uploads/?filename=a", data=b"hello", headers={"Content-Range": "bytes 0-4/10"}
    )
    left = datetime.fromisoformat(chunk.get_json()["expires"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    assert client.get("/uploads/account").get_json()["expires_after"] == 7 * 86400
    monkeypatch.setenv("CHUNKED_UPLOAD_EXPIRATION_DELTA", "2h")
    said = create_app("testing").test_client().get("/uploads/account").get_json()
    assert said["expires_after"] == 7200


def test_a_request_is_logged_as_json(standalone: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    client = standalone.test_client()
    told = client.post("/uploads/?filename=a", data=b"hello")
    logged: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert logged.pop("ms") >= 0
    assert logged.pop("time")
    assert logged.pop("agent").startswith("Werkzeug")
    assert logged == {
        "remote": "127.0.0.1",
        "method": "POST",
        "path": "/uploads/",
        "status": 200,
        "received": 5,
        "offset": "5",
        "upload_id": (told.json or {})["upload_id"],
        "request_id": told.headers["X-Request-ID"],
    }


def test_the_page_allows_no_other_site(standalone: Flask) -> None:
    with standalone.test_client().get("/") as page:
        assert page.status_code == 200
        policy = page.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    allowed = {source for directive in policy for source in directive.split()[1:]}
    # A blob is the page's own: of a video, a still is taken.
    assert allowed == {"'none'", "'self'", "'wasm-unsafe-eval'", "blob:"}


def test_forwarded_addresses_are_believed_for_as_many_proxies_as_there_are(
    instance: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHUNKED_UPLOAD_PROXY_HOPS", "2")
    client = create_app("testing").test_client()
    client.get("/nowhere", headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2, 3.3.3.3"})
    assert json.loads(capsys.readouterr().out)["remote"] == "2.2.2.2"


def test_production_refuses_to_start_without_a_secret_key(instance: Path) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY is not set"):
        create_app("production")
    assert not (instance / "secret_key").exists()


def test_the_environment_wins_over_the_configuration(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine(config.ProductionConfig):
        SECRET_KEY = "mine"
        CHUNKED_UPLOAD_MAX_BYTES = 10

    assert create_app(Mine).config["CHUNKED_UPLOAD_MAX_BYTES"] == 10
    monkeypatch.setenv("CHUNKED_UPLOAD_MAX_BYTES", "2K")
    monkeypatch.setenv("SECRET_KEY", "from the environment")
    app = create_app(Mine)
    assert app.config["CHUNKED_UPLOAD_MAX_BYTES"] == 2048
    assert app.config["SECRET_KEY"] == "from the environment"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_spoken_to_with_psycopg_3(
    instance: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("CHUNKED_UPLOAD_DATABASE_URI", f"{scheme}://user@127.0.0.1/name")
    uri = create_app("testing").config["SQLALCHEMY_DATABASE_URI"]
    assert uri == "postgresql+psycopg://user@127.0.0.1/name"


def test_processes_that_start_at_once_agree_on_the_secret_key(instance: Path) -> None:
    keys: list[str] = []
    start = threading.Barrier(8)

    def begin() -> None:
        start.wait()
        keys.append(create_app("development").config["SECRET_KEY"])

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert set(keys) == {(instance / "secret_key").read_text()}


def test_an_empty_secret_key_file_is_filled(instance: Path) -> None:
    """Left by a process that died between making the file and writing to it."""
    instance.mkdir()
    (instance / "secret_key").touch(mode=0o600)
    key = create_app("development").config["SECRET_KEY"]
    assert len(key) == 64
    assert create_app("development").config["SECRET_KEY"] == key
