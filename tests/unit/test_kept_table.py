"""The table that tests on PostgreSQL hand on: empty, numbered from 1, and as it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.postgres import Cluster

USED = "INSERT INTO things DEFAULT VALUES"


@pytest.fixture
def hand_on(postgres_cluster: Cluster) -> Iterator[Callable[[], Connection]]:
    """Go on to the next test, which makes the same table; returns its connection."""
    metadata = MetaData()
    Table("things", metadata, Column("id", Integer, primary_key=True))
    engine = create_engine(postgres_cluster.uri, poolclass=NullPool)
    connections: list[Connection] = []

    def hand_on() -> Connection:
        for connection in connections:
            connection.close()
        postgres_cluster.fresh_database()
        postgres_cluster.create_table(metadata, lambda: metadata.create_all(engine))
        connections.append(engine.connect().execution_options(isolation_level="AUTOCOMMIT"))
        return connections[-1]

    yield hand_on
    for connection in connections:
        connection.close()


def table(connection: Connection) -> int:
    number: int = connection.execute(text("SELECT 'things'::regclass::oid")).scalar_one()
    return number


def test_the_next_test_gets_it_empty_and_numbered_from_the_start(
    hand_on: Callable[[], Connection],
) -> None:
    first = hand_on()
    first.execute(text(USED))
    made = table(first)
    second = hand_on()
    assert table(second) == made
    assert second.execute(text("SELECT count(*) FROM things")).scalar() == 0
    assert second.execute(text(f"{USED} RETURNING id")).scalar() == 1


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE things ADD COLUMN more integer",
        "CREATE INDEX more ON things (id)",
        "ALTER TABLE things ADD CONSTRAINT more CHECK (id > 0)",
        "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TABLE more (id integer)",
        "DROP TABLE things",
    ],
)
def test_one_that_a_test_has_changed_is_made_again(
    hand_on: Callable[[], Connection], change: str
) -> None:
    first = hand_on()
    made = table(first)
    first.execute(text(change))
    second = hand_on()
    assert table(second) != made
    second.execute(text(USED))


def test_whoever_makes_no_tables_has_none(
    postgres_cluster: Cluster, hand_on: Callable[[], Connection]
) -> None:
    connection = hand_on()
    postgres_cluster.fresh_database()
    assert connection.execute(text("SELECT to_regclass('things')")).scalar() is None
