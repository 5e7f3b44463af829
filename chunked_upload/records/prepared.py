"""The statements of every chunk, run on the database driver itself.

They are few and always the same, and SQLAlchemy's way from a statement to a row costs several times
what the database needs for it. So its compiler makes the SQL once, its types convert the values,
its pool gives the connection, its exceptions tell what went wrong; only the way in between is cut
short. Where that could matter to somebody (drivers other than those the tests run with, engines
with listeners, options or an echo) a statement goes the usual way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import CursorResult, Engine, Select, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from chunked_upload.support.blocking import blocking

#: Dialects and drivers that the tests run with.
_KNOWN = {("sqlite", "pysqlite"), ("postgresql", "psycopg")}

#: Sets of columns that one UPDATE is kept compiled for.
_MOST_KEPT = 32

Values = Mapping[str, Any]


class Statement:
    """A SELECT of columns, or an UPDATE of one table, that is run again and again.

    :param statement: with a named parameter for whatever changes.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]] | Update) -> None:
        self._statement = statement
        self._compiled: dict[tuple[Dialect, tuple[str, ...]], _Compiled] = {}

    def first(self, engine: Engine, values: Values) -> tuple[Any, ...] | None:
        """Return the first row."""
        compiled = self._for(engine, values)
        if compiled is None:
            with engine.connect() as connection:
                row = connection.execute(self._statement, dict(values)).first()
                return None if row is None else tuple(row)

        def fetch(connection: Any, cursor: Any) -> Any:
            return cursor.fetchone()

        found = compiled.run(engine, values, fetch)
        return None if found is None else compiled.converted(found)

    def change(self, engine: Engine, values: Values) -> int:
        """Update in a transaction of its own; return how many rows were changed.

        :param values: the parameters, and the columns to set.
        """
        compiled = self._for(engine, values)
        if compiled is None:
            with engine.begin() as connection:
                result: CursorResult[Any] = connection.execute(self._statement, dict(values))
                return result.rowcount

        def count(connection: Any, cursor: Any) -> int:
            changed: int = cursor.rowcount
            connection.commit()
            return changed

        changed: int = compiled.run(engine, values, count)
        return changed

    def _for(self, engine: Engine, values: Values) -> _Compiled | None:
        """Return the statement compiled; None when it must go the usual way."""
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
    """The SQL of a statement in one dialect, and how values go in and come out."""

    def __init__(self, statement: Select[Any] | Update, dialect: Dialect, names: list[str]) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=names)
        self._sql: str = compiled.string
        self._order: list[str] | None = compiled.positiontup if compiled.positional else None
        #: Whether Python has to compute values first (a column's ``onupdate``).
        self.has_defaults = bool(getattr(compiled, "update_prefetch", ()))
        self._writers = {
            name: write
            for name, bound in compiled.binds.items()
            if (write := bound.type.dialect_impl(dialect).bind_processor(dialect))
        }
        #: Parameters that are part of the statement, such as a status it asks for.
        self._fixed = {
            name: self._written(name, value)
            for name, value in compiled.params.items()
            if name not in names
        }
        self._readers = [
            (index, read)
            for index, column in enumerate(getattr(statement, "selected_columns", ()))
            if (read := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def run(self, engine: Engine, values: Values, take: Callable[[Any, Any], Any]) -> Any:
        """Execute on a connection of the pool; ``take`` gets it and the cursor.

        :raises DBAPIError: as SQLAlchemy would raise it.
        """
        if engine.dialect.name == "sqlite":  # lets one commit at a time anyway, and is done soon
            return self._run(engine, values, take)
        with blocking():
            return self._run(engine, values, take)

    def _run(self, engine: Engine, values: Values, take: Callable[[Any, Any], Any]) -> Any:
        connection = engine.raw_connection()
        try:
            if engine.dialect.driver == "psycopg":
                with _alone(connection):
                    return self._execute(connection, values, take)
            return self._execute(connection, values, take)
        except engine.dialect.loaded_dbapi.Error as error:
            raise self._translated(engine, connection, error, values) from error
        finally:
            connection.close()

    def _execute(self, connection: Any, values: Values, take: Callable[[Any, Any], Any]) -> Any:
        cursor = connection.cursor()
        try:
            cursor.execute(self._sql, self._parameters(values))
            return take(connection, cursor)
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
            # The pool's others are most likely as dead; SQLAlchemy empties it when it meets one.
            with suppress(SQLAlchemyError), engine.connect() as another:
                another.exec_driver_sql("SELECT 1")
        return DBAPIError.instance(
            self._sql,
            dict(values),
            error,
            dialect.loaded_dbapi.Error,
            connection_invalidated=gone,
            dialect=dialect,
        )


@contextmanager
def _alone(connection: Any) -> Iterator[None]:
    """Let a statement be its own transaction, without psycopg's two more round trips."""
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
    """Whether nobody can tell which way a statement goes."""
    dialect: Any = engine.dialect
    return (
        (dialect.name, dialect.driver) in _KNOWN
        # What SQLAlchemy itself goes by: set from the first listener to statements on.
        and not (engine._has_events or dialect._has_events)
        and not (engine.echo or engine.get_execution_options())
    )
