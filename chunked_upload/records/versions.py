"""Which migration a database is at."""

from __future__ import annotations

from sqlalchemy import Engine, column, inspect, select, table

_ALEMBIC_VERSION = table("alembic_version", column("version_num"))


def database_versions(engine: Engine) -> set[str]:
    """Return the migrations that a database is at: none while it is empty, else usually one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(_ALEMBIC_VERSION.name):
            return set()
        return set(connection.scalars(select(_ALEMBIC_VERSION.c.version_num)))
