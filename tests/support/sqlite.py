"""Tables in an SQLite database: made from the text that the first of them were made from.

SQLAlchemy compiles that text for each app, and asks for each table first whether it is there. That
takes longer than most tests of a request.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, MetaData

_SCHEMA = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"

#: How many tables there were, and what made them.
_made: WeakKeyDictionary[MetaData, tuple[int, list[str]]] = WeakKeyDictionary()


def create_tables(db: SQLAlchemy) -> None:
    """Create the tables of all models, in any database; call it in an app's context."""
    metadata = db.metadata
    own = len(db.metadatas) == 1 and all(map(_is_the_packages, metadata.tables))
    if not own or db.engine.dialect.name != "sqlite":
        db.create_all()
        return
    with db.engine.begin() as connection:
        if _schema(connection):  # the test has made something of its own
            metadata.create_all(connection)
            return
        count, made = _made.get(metadata, (0, []))
        if count == len(metadata.tables):
            for statement in made:
                connection.exec_driver_sql(statement)
            return
        metadata.create_all(connection)
        _made[metadata] = len(metadata.tables), _schema(connection)


def _is_the_packages(table: str) -> bool:
    return table.startswith("chunked_upload")


def _schema(connection: Connection) -> list[str]:
    return list(connection.exec_driver_sql(_SCHEMA).scalars())
