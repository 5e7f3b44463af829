"""Runs the statements of every chunk directly on the database driver.

These statements are few and always the same, and SQLAlchemy takes several times as long as the
database to run one. So SQLAlchemy compiles each statement once, converts the values, pools the
connections and translates the exceptions, and this module does the rest. Statements run the usual
way where an app could notice a difference: with drivers that the tests do not cover, and with
engines that have listeners, options or an echo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection, CursorResult, Engine, Select, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from chunked_upload.support.blocking import blocking

from .group_commit import group_of

#: Database dialects and drivers that the tests cover.
_KNOWN = {("sqlite", "pysqlite"), ("postgresql", "psycopg")}

#: Most sets of columns for which one UPDATE is kept compiled.
_MOST_KEPT = 32

Values = Mapping[str, Any]
AnyStatement: TypeAlias = (
    Select[*tuple[Any, ...]] | Update | ReturningUpdate[Any] | ReturningInsert[Any]
)


class Statement:
    """A SELECT of columns, or an UPDATE or INSERT of one table's rows, that runs many times.

    An UPDATE may return columns of the row, an INSERT does.

    :param statement: the statement, with a named parameter for each value that changes.
    """

    def __init__(self, statement: AnyStatement) -> None:
        self._statement = statement
        self._compiled: dict[tuple[Dialect, tuple[str, ...]], _Compiled] = {}

    def first(self, engine: Engine, values: Values) -> tuple[Any, ...] | None:
        """Return the first row."""
        compiled = self._for(engine, values)
        if compiled is None:
            with engine.connect() as connection:
                row = connection.execute(self._statement, dict(values)).first()
                return None if row is None else tuple(row)

        def fetch(cursor: Any) -> Any:
            return cursor.fetchone()

        found = compiled.run(engine, values, fetch)
        return None if found is None else compiled.converted(found)

    def change(self, engine: Engine, values: Values) -> int:
        """Update in a separate transaction, and return how many rows changed.

        :param values: the parameters, and the columns to set.
        """
        compiled = self._for(engine, values)
        if compiled is None:
            with engine.begin() as connection:
                result: CursorResult[Any] = connection.execute(self._statement, dict(values))
                return result.rowcount

        def count(cursor: Any) -> int:
            changed: int = cursor.rowcount
            return changed

        changed: int = compiled.commit(engine, values, count)
        return changed

    def change_with(
        self, engine: Engine, values: Values, also: Callable[[Connection], None]
    ) -> int:
        """Update in a transaction in which more is written if a row changes.

        :param also: writes it.
        """
        with blocking(), engine.begin() as connection:
            result: CursorResult[Any] = connection.execute(self._statement, dict(values))
            if result.rowcount:
                also(connection)
            return result.rowcount

    def change_and_read(self, engine: Engine, values: Values) -> tuple[Any, ...] | None:
        """Update or insert one row in a separate transaction; return what the statement returns.

        :return: None when no row is as expected.
        """
        compiled = self._for(engine, values)
        if compiled is None:
            with engine.begin() as connection:
                row = connection.execute(self._statement, dict(values)).first()
                return None if row is None else tuple(row)

        def fetch(cursor: Any) -> Any:
            rows = cursor.fetchall()  # SQLite does not commit before it has returned all
            return rows[0] if rows else None

        found = compiled.commit(engine, values, fetch)
        return None if found is None else compiled.converted(found)

    def _for(self, engine: Engine, values: Values) -> _Compiled | None:
        """Return the compiled statement; None when it must run the usual way."""
        if not _is_plain(engine):
            return None
        key = engine.dialect, tuple(values)
        compiled = self._compiled.get(key)
        if compiled is None:
            if len(self._compiled) >= _MOST_KEPT:
                self._compiled.clear()
            compiled = _Compiled(self._statement, engine.dialect, list(values))
            self._compiled[key] = compiled
        return None if compiled.has_defaults else compiled


class _Compiled:
    """A statement's SQL in one database dialect, with the conversions of its values."""

    def __init__(
        self,
        statement: AnyStatement,
        dialect: Dialect,
        names: list[str],
    ) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=names)
        self._sql: str = compiled.string
        self._order: list[str] | None = compiled.positiontup if compiled.positional else None
        #: Whether Python has to compute values first (a column's ``default`` or ``onupdate``).
        self.has_defaults = bool(
            getattr(compiled, "insert_prefetch", ()) or getattr(compiled, "update_prefetch", ())
        )
        self._writers = {
            name: write
            for name, bound in compiled.binds.items()
            if (write := bound.type.dialect_impl(dialect).bind_processor(dialect))
        }
        #: Parameters whose values are part of the statement, such as a status.
        self._fixed = {
            name: self._written(name, value)
            for name, value in compiled.params.items()
            if name not in names
        }
        self._readers = [
            (index, read)
            for index, column in enumerate(_columns(statement))
            if (read := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def run(self, engine: Engine, values: Values, take: Callable[[Any], Any]) -> Any:
        """Execute on a connection of the pool, and return what ``take(cursor)`` does.

        :raises DBAPIError: as SQLAlchemy would raise it.
        """
        if engine.dialect.name == "sqlite":
            return self._run(engine, values, take)
        with blocking():
            return self._run(engine, values, take)

    def commit(self, engine: Engine, values: Values, take: Callable[[Any], Any]) -> Any:
        """Do the same, and commit."""
        alone = partial(self._run, engine, values, take, commits=True)
        if group := group_of(engine):
            with blocking(brief=True):
                return group.run(partial(self._execute, values, take), alone)
        if engine.dialect.name == "sqlite":  # commits one at a time, and waits for no disk
            return alone()
        with blocking():
            return alone()

    def _run(
        self,
        engine: Engine,
        values: Values,
        take: Callable[[Any], Any],
        *,
        commits: bool = False,
    ) -> Any:
        connection = connected(engine)
        try:
            if engine.dialect.driver == "psycopg":
                with _alone(connection):
                    return self._execute(values, take, connection)
            result = self._execute(values, take, connection)
            if commits:
                connection.commit()
            return result
        except engine.dialect.loaded_dbapi.Error as error:
            raise self._translated(engine, connection, error, values) from error
        finally:
            connection.close()

    def _execute(self, values: Values, take: Callable[[Any], Any], connection: Any) -> Any:
        cursor = connection.cursor()
        try:
            cursor.execute(self._sql, self._parameters(values))
            return take(cursor)
        finally:
            cursor.close()

    def converted(self, row: Any) -> tuple[Any, ...]:
        cells = list(row)
        for index, read in self._readers:
            cells[index] = read(cells[index])
        return tuple(cells)

    def _parameters(self, values: Values) -> Any:
        named = {name: self._written(name, value) for name, value in values.items()}
        named |= self._fixed
        return named if self._order is None else tuple([named[name] for name in self._order])

    def _written(self, name: str, value: Any) -> Any:
        return self._writers[name](value) if name in self._writers else value

    def _translated(
        self, engine: Engine, connection: Any, error: Exception, values: Values
    ) -> BaseException:
        dialect: Any = engine.dialect
        gone: bool = dialect.is_disconnect(error, connection.dbapi_connection, None)
        if gone:
            connection.invalidate(error)
            engine.dispose()  # the pool's other connections are most likely dead too
        return DBAPIError.instance(
            self._sql,
            dict(values),
            error,
            dialect.loaded_dbapi.Error,
            connection_invalidated=gone,
            dialect=dialect,
        )


def _columns(statement: Any) -> list[Any]:
    """Return the columns that a statement selects, or returns of the rows that it changes."""
    return list(getattr(statement, "selected_columns", None) or statement.exported_columns)


def connected(engine: Engine) -> Any:
    """Take a connection of the pool; what making one raises is the driver's own."""
    dialect: Any = engine.dialect
    driver_error = dialect.loaded_dbapi.Error
    try:
        return engine.raw_connection()
    except driver_error as error:
        raise DBAPIError.instance(None, None, error, driver_error, dialect=dialect) from error


@contextmanager
def _alone(connection: Any) -> Iterator[None]:
    """Run a statement as its own transaction, which saves two round trips with psycopg."""
    driver = connection.dbapi_connection
    if driver.autocommit:
        yield
        return
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


def _is_plain(engine: Engine) -> bool:
    """Return whether an app cannot notice how a statement runs."""
    dialect: Any = engine.dialect
    return (
        (dialect.name, dialect.driver) in _KNOWN
        # SQLAlchemy uses this flag itself; the first statement listener sets it.
        and not (engine._has_events or dialect._has_events)
        and not (engine.echo or engine.get_execution_options())
    )
