"""Connections: set up before the first one is made, once, also when many threads are first."""

from __future__ import annotations

import threading
from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, create_engine

from chunked_upload import ChunkedUpload
from chunked_upload.records.durability import (
    add_reserve,
    has_room,
    keep_reserve,
    prepare,
    spend_reserve,
)


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_commits_of_an_own_database_survive_a_power_cut(tmp_path: Path) -> None:
    engine = prepare(create_engine(f"sqlite:///{tmp_path}/own.db"), own=True)
    mode = pragma(engine, "journal_mode")
    assert (mode, pragma(engine, "synchronous")) in [("wal", 2), ("delete", 3)]  # FULL, EXTRA
    assert pragma(engine, "busy_timeout") == 10_000


def test_without_durability_only_an_own_database_drops_its_syncs(tmp_path: Path) -> None:
    own = prepare(create_engine(f"sqlite:///{tmp_path}/own.db"), own=True, durable=False)
    assert pragma(own, "synchronous") == 0
    apps = prepare(create_engine(f"sqlite:///{tmp_path}/app.db"), own=False, durable=False)
    assert pragma(apps, "synchronous") == 2


def test_an_apps_database_keeps_its_journal_mode(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/app.db")
    assert pragma(engine, "journal_mode = WAL") == "wal"
    assert pragma(prepare(engine, own=False), "journal_mode") == "wal"


def test_many_threads_may_be_the_first(tmp_path: Path) -> None:
    for number in range(20):
        engine = create_engine(f"sqlite:///{tmp_path}/{number}.db")
        barrier = threading.Barrier(8)
        seen: list[object] = []

        def use(
            engine: Engine = engine, barrier: threading.Barrier = barrier, seen: list[object] = seen
        ) -> None:
            barrier.wait()
            seen.append(pragma(prepare(engine, own=True), "busy_timeout"))

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [10_000] * 8


def test_an_app_is_prepared_before_its_first_request(tmp_path: Path) -> None:
    """A listener must not be added while a request of the app itself connects."""
    app = Flask("tests", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/app.db"
    db = SQLAlchemy(app)
    ChunkedUpload(app, db=db)
    with app.app_context():
        assert pragma(db.engine, "busy_timeout") == 10_000
        db.engine.dispose()


def test_the_reserve_is_kept_spent_and_kept_again(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/own.db")
    reserve = tmp_path / "own.db-reserve"
    keep_reserve(engine)
    assert not reserve.exists()  # nobody asked for one
    add_reserve(engine)
    assert reserve.stat().st_blocks * 512 >= 128 * 1024
    spend_reserve(engine)
    spend_reserve(engine)
    assert not reserve.exists()
    keep_reserve(engine)
    assert reserve.exists()


def test_a_database_in_memory_needs_nothing() -> None:
    engine = prepare(create_engine("sqlite://"), own=True)
    add_reserve(engine)
    spend_reserve(engine)
    assert has_room(engine)
