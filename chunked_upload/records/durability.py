"""Sets up database connections so that the guarantees hold.

A commit must survive a power cut. Otherwise an offset that a client was told would go back.
PostgreSQL does so by default (``fsync`` and ``synchronous_commit`` on). SQLite needs
``synchronous=FULL`` in WAL mode, and ``EXTRA`` in rollback mode, where removing a file is the
commit.

WAL mode is used only from SQLite 3.51.3 on. Earlier versions can corrupt the database when several
connections checkpoint at once, as server workers do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from . import timeouts
from .group_commit import commit_in_groups
from .prepared import connected

#: First SQLite without the WAL-reset bug.
WAL_SAFE = (3, 51, 3)

#: Milliseconds that a statement waits for another connection's write.
BUSY_TIMEOUT_MS = 10_000

_MARK = "chunked_upload_prepared"

#: Two requests may both be the first to need an engine, and SQLAlchemy's listeners cannot be added
#: while another thread connects.
_preparing = threading.Lock()

#: Bytes that an SQLite commit may need: a few pages, and their copies in the journal.
_ROOM = 64 * 1024

#: Bytes kept free for removals: enough for many commits.
_RESERVE = 128 * 1024
_HAS_RESERVE = "chunked_upload_has_reserve"


def prepare(engine: Engine, *, own: bool, durable: bool = True) -> Engine:
    """Set up every connection of an engine for durable commits and bounded waits, once per engine.

    :param own: the database belongs to this service alone, so its journal mode may be changed and
        its syncs may be turned off.
    :param durable: False leaves an app's database as it is.
    """
    if not getattr(engine, _MARK, False):
        with _preparing:
            if not getattr(engine, _MARK, False):
                _prepare(engine, own=own, durable=durable)
    return engine


def _prepare(engine: Engine, *, own: bool, durable: bool) -> None:
    listener: Callable[..., None] | None = None
    if engine.dialect.name == "postgresql" and own:
        listener = _limit_waiting
    elif _file(engine) is not None:  # an in-memory database is never durable
        listener = _sqlite_pragmas(engine, own=own, durable=durable)
        if durable:
            commit_in_groups(engine, connected)
    if listener is not None:
        event.listen(engine, "connect", listener)
        engine.dispose()  # connections opened earlier were not set up
    setattr(engine, _MARK, True)


def _sqlite_pragmas(engine: Engine, *, own: bool, durable: bool) -> Callable[[Any, Any], None]:
    journal = None
    if own:
        journal = "wal" if sqlite_version(engine) >= WAL_SAFE else "delete"

    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        [mode] = cursor.execute("PRAGMA journal_mode").fetchone()
        if journal is not None and mode != journal:
            [mode] = cursor.execute(f"PRAGMA journal_mode = {journal}").fetchone()
        if durable:
            cursor.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
        elif own:
            cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()

    return on_connect


def _limit_waiting(connection: Any, _record: Any) -> None:
    """Limit how long PostgreSQL waits for a row, since a stopped process may hold its lock.

    And how long requests wait for PostgreSQL.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS}")
    connection.commit()
    timeouts.limit_answers(connection)


def has_room(engine: Engine) -> bool:
    """Return whether a commit has room; True for databases other than an SQLite file."""
    file = _file(engine)
    return file is None or _room_beside(file) >= _ROOM


def add_reserve(engine: Engine) -> None:
    """From now on, keep a reserve file beside an SQLite file, to record removals on a full disk."""
    setattr(engine, _HAS_RESERVE, True)
    keep_reserve(engine)


def keep_reserve(engine: Engine) -> None:
    """Make the reserve file again, if the engine has one and the disk has room."""
    file = _file(engine)
    if file is None or not getattr(engine, _HAS_RESERVE, False):
        return
    if _reserve(file).exists() or _room_beside(file) < 10 * _RESERVE:
        return
    with suppress(OSError), open(_reserve(file), "xb", opener=_private) as reserve:
        os.posix_fallocate(reserve.fileno(), 0, _RESERVE)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def spend_reserve(engine: Engine) -> None:
    """Remove the reserve file, so that the next commits have room."""
    file = _file(engine)
    if file is not None:
        _reserve(file).unlink(missing_ok=True)


def _file(engine: Engine) -> Path | None:
    """Return the SQLite file; None for another database, or one in memory."""
    if engine.dialect.name != "sqlite" or engine.url.database in (None, "", ":memory:"):
        return None
    return Path(str(engine.url.database))


def _reserve(file: Path) -> Path:
    return file.with_name(f"{file.name}-reserve")


def _room_beside(file: Path) -> int:
    """Return the free bytes on a file's disk."""
    disk = os.statvfs(file.parent)
    return disk.f_bavail * disk.f_frsize


def sqlite_version(engine: Engine) -> tuple[int, ...]:
    """Return the version of the SQLite library behind an engine."""
    version: tuple[int, ...] = engine.dialect.dbapi.sqlite_version_info  # type: ignore[union-attr]
    return version


def newest_sqlite() -> Any:
    """Return pysqlite3 (an extra) when it has a newer SQLite than Python itself, else None."""
    import sqlite3

    try:
        from pysqlite3 import dbapi2
    except ImportError:
        return None
    newer: bool = dbapi2.sqlite_version_info > sqlite3.sqlite_version_info
    return dbapi2 if newer else None
