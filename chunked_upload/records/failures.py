"""Tells what a database's exceptions mean: it failed, its disk is full, or it was not prepared."""

from __future__ import annotations

import re

from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

#: Any error of SQLAlchemy, for callers that continue after it.
DatabaseProblem = SQLAlchemyError

_MISTAKES = (ProgrammingError, IntegrityError, DataError, NotSupportedError)
_FAILURES = (DatabaseError, InterfaceError, PoolTimeout)

#: How SQLite and PostgreSQL say that a table or a column is not there.
_MISSING = re.compile(
    r"no such (?P<what>table|column): (?P<name>[\w.]+)"
    r"|(?P<kind>relation|column) \"?(?P<named>[\w.]+)\"? (?:of relation \S+ )?does not exist"
    r"|table \S+ has no column named (?P<added>\w+)"
)


def missing(error: BaseException) -> str | None:
    """Return what the database lacks because it was not created or migrated: ``table 'x'``."""
    if not isinstance(error, DatabaseError):
        return None
    found = _MISSING.search(str(error.orig))
    if found is None:
        return None
    table = found["what"] == "table" or found["kind"] == "relation"
    return f"{'table' if table else 'column'} {found['name'] or found['named'] or found['added']!r}"


def is_failure(error: BaseException) -> bool:
    """Return whether the database failed; False for a mistake in our code or the app's."""
    return isinstance(error, _FAILURES) and not isinstance(error, _MISTAKES)


def is_full(error: BaseException) -> bool:
    """Return whether a failure means that there is no room for records."""
    said = str(getattr(error, "orig", "")).lower()
    return "is full" in said or "no space left" in said
