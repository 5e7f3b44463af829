"""Statements on the driver itself: the same values, errors and listeners as by SQLAlchemy's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Engine,
    LargeBinary,
    String,
    bindparam,
    create_engine,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chunked_upload.records import prepared as driver
from chunked_upload.records.model import UTCDateTime
from chunked_upload.records.prepared import Statement

NOW = datetime(2026, 11, 20, 9, 30, 1, 234567, tzinfo=UTC)


class Base(DeclarativeBase):
    """Mapped classes of these tests."""


class Row(Base):
    """One column of each type that records have."""

    __tablename__ = "row"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column("label", String(40))
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    ranges: Mapped[list[list[int]]] = mapped_column(JSON, default=list)
    moment: Mapped[datetime | None] = mapped_column(UTCDateTime)
    size: Mapped[int] = mapped_column(BigInteger, default=0)


class Stamped(Base):
    """A column that SQLAlchemy sets at every update."""

    __tablename__ = "stamped"
    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(default=0)
    changes: Mapped[str] = mapped_column(default="new", onupdate=lambda: "changed")


SELECT = Statement(
    select(Row.name, Row.data, Row.ranges, Row.moment, Row.size).where(Row.id == bindparam("this"))
)
UPDATE = Statement(
    update(Row).where(Row.id == bindparam("this"), Row.size == bindparam("was_size"), Row.size < 9)
)
VALUES: dict[str, Any] = {
    "label": "näme",
    "data": b"\0\xff" * 40,
    "ranges": [[1, 2], [2**40, 2**41]],
    "moment": NOW,
    "size": 2**50,
}


@pytest.fixture
def engine(database_uri: str) -> Iterator[Engine]:
    uri = database_uri.replace("postgresql://", "postgresql+psycopg://")
    made = create_engine(uri)
    Base.metadata.create_all(made)
    with made.begin() as connection:
        connection.execute(insert(Row).values(id=1, ranges=[], size=0))
        connection.execute(insert(Stamped).values(id=1))
    yield made
    made.dispose()


@pytest.fixture(params=["driver", "usual way"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "driver":
        monkeypatch.setattr(driver, "_is_plain", lambda engine: False)


@pytest.mark.usefixtures("way")
def test_values_come_back_as_they_went_in(engine: Engine) -> None:
    assert UPDATE.change(engine, {**VALUES, "this": 1, "was_size": 0}) == 1
    assert SELECT.first(engine, {"this": 1}) == tuple(VALUES.values())


@pytest.mark.usefixtures("way")
def test_nothing_comes_back_as_nothing(engine: Engine) -> None:
    empty: dict[str, Any] = {"label": None, "data": None, "moment": None, "ranges": []}
    assert UPDATE.change(engine, {**empty, "this": 1, "was_size": 0}) == 1
    assert SELECT.first(engine, {"this": 1}) == (None, None, [], None, 0)
    assert SELECT.first(engine, {"this": 2}) is None


@pytest.mark.usefixtures("way")
def test_an_update_tells_that_nothing_was_as_expected(engine: Engine) -> None:
    assert UPDATE.change(engine, {"size": 3, "this": 1, "was_size": 1}) == 0
    assert UPDATE.change(engine, {"size": 3, "this": 1, "was_size": 0}) == 1
    assert UPDATE.change(engine, {"label": "x", "this": 1, "was_size": 3}) == 1
    assert SELECT.first(engine, {"this": 1}) == ("x", None, [], None, 3)


def test_what_sqlalchemy_has_to_compute_is_computed(engine: Engine) -> None:
    statement = Statement(update(Stamped).where(Stamped.id == bindparam("this")))
    assert statement.change(engine, {"size": 1, "this": 1}) == 1
    with engine.connect() as connection:
        assert connection.execute(select(Stamped.changes)).scalar() == "changed"


def test_listeners_hear_of_statements(engine: Engine) -> None:
    heard: list[str] = []

    def listen(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    SELECT.first(engine, {"this": 1})
    event.listen(engine, "before_cursor_execute", listen)
    SELECT.first(engine, {"this": 1})
    assert len(heard) == 1


def test_listeners_hear_of_commits(engine: Engine) -> None:
    heard: list[Any] = []
    event.listen(engine, "commit", heard.append)
    UPDATE.change(engine, {"size": 3, "this": 1, "was_size": 0})
    assert len(heard) == 1


@pytest.mark.usefixtures("way")
def test_errors_are_sqlalchemys(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("DROP TABLE row" if engine.name == "sqlite" else 'DROP TABLE "row"')
        )
    with pytest.raises(DBAPIError, match="row") as caught:
        SELECT.first(engine, {"this": 1})
    assert not caught.value.connection_invalidated
    with pytest.raises(DBAPIError, match="row"):
        UPDATE.change(engine, {"size": 1, "this": 1, "was_size": 0})
    with engine.connect() as connection:  # the pool is in order
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_errors_of_connecting_are_sqlalchemys(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'no folder' / 'tests.db'}")
    with pytest.raises(DBAPIError, match="unable to open"):
        SELECT.first(engine, {"this": 1})


@pytest.mark.usefixtures("way")
def test_connections_that_broke_are_replaced_all_at_once(engine: Engine) -> None:
    if engine.name != "postgresql":
        return
    held = [engine.connect() for _ in range(3)]
    for connection in held:
        connection.close()
    killer = create_engine(engine.url)
    with killer.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    killer.dispose()
    with pytest.raises(SQLAlchemyError) as caught:
        SELECT.first(engine, {"this": 1})
    assert isinstance(caught.value, DBAPIError)
    assert caught.value.connection_invalidated
    for _ in range(3):
        assert SELECT.first(engine, {"this": 1}) is not None


def test_connections_go_back_as_they_came(engine: Engine) -> None:
    SELECT.first(engine, {"this": 1})
    UPDATE.change(engine, {"size": 3, "this": 1, "was_size": 0})
    with engine.connect() as connection:
        connection.execute(update(Row).values(size=5))
        connection.rollback()
    found = SELECT.first(engine, {"this": 1})
    assert found is not None
    assert found[-1] == 3
