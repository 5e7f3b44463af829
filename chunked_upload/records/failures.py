"""What a database says when it fails: which exceptions are its failures, and which mean no room."""

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

#: Whatever SQLAlchemy raises, for programs that go on after it.
DatabaseProblem = SQLAlchemyError

_MISTAKES = (ProgrammingError, IntegrityError, DataError, NotSupportedError)
_FAILURES = (DatabaseError, InterfaceError, PoolTimeout)


def is_failure(error: BaseException) -> bool:
    """Whether the database does not work now; not for a mistake of ours or of the app."""
    return isinstance(error, _FAILURES) and not isinstance(error, _MISTAKES)


def is_full(error: BaseException) -> bool:
    """Whether a failure means that there is no room for records."""
    said = str(getattr(error, "orig", "")).lower()
    return "is full" in said or "no space left" in said
