"""The databases that rows about this server alone use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.support import postgres

from ..results import Measured


def sqlite_uri(place: Path) -> str:
    """Return SQLAlchemy's URI of the database that a server made below ``place``."""
    return f"sqlite:///{place / 'instance' / 'chunked_upload.db'}"


@contextlib.contextmanager
def postgresql(measured: Measured, count: int) -> Iterator[list[str | None]]:
    """Run a PostgreSQL that syncs its commits; yields the URIs of empty databases.

    Where there is none that is noted, and the URIs are None.
    """
    if postgres.find_programs() is None:
        measured.skip("postgresql", "needs PostgreSQL: install the package postgresql")
        yield [None] * count
        return
    with postgres.cluster(fsync=True) as cluster:
        yield [cluster.another_database(f"bench{number}") for number in range(count)]
