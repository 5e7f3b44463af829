"""Tells which exceptions mean that the database failed, and which mean that its disk is full."""

from __future__ import annotations

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


def is_failure(error: BaseException) -> bool:
    """Return whether the database failed; False for a mistake in our code or the app's."""
    return isinstance(error, _FAILURES) and not isinstance(error, _MISTAKES)


def is_full(error: BaseException) -> bool:
    """Return whether a failure means that there is no room for records."""
    said = str(getattr(error, "orig", "")).lower()
    return "is full" in said or "no space left" in said
