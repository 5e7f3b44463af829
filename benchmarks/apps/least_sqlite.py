"""A connection to SQLite for each thread of the least views: write-ahead log, no syncs, no pool."""

import sqlite3
import threading
from pathlib import Path

_local = threading.local()


def connection(file: Path, table: str) -> sqlite3.Connection:
    """Return this thread's connection.

    :param table: the statement that makes the table where there is none.
    """
    if not hasattr(_local, "connection"):
        made = sqlite3.connect(file, isolation_level=None)
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA synchronous=OFF")
        made.execute(table)
        _local.connection = made
    found: sqlite3.Connection = _local.connection
    return found
