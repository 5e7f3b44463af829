"""A PostgreSQL server that is silent is given up in seconds; what the URI itself says is kept."""

from __future__ import annotations

import time
from socket import socket
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from chunked_upload import ChunkedUpload
from chunked_upload.records import timeouts
from tests.support.postgres import Cluster

URI = "postgresql+psycopg://nobody@127.0.0.1:1/none"


class Connecting(Exception):
    """An engine was about to connect."""


def arguments_of(engine: Engine) -> dict[str, Any]:
    """Return what the driver is given to connect, without connecting."""
    given: dict[str, Any] = {}

    def note(_dialect: Any, _record: Any, _args: Any, keywords: dict[str, Any]) -> None:
        given.update(keywords)
        raise Connecting

    event.listen(engine, "do_connect", note)
    with pytest.raises(Connecting):
        engine.connect()
    return given


def test_the_extensions_own_database_is_not_waited_for_long() -> None:
    app = Flask("tests")
    app.config["SQLALCHEMY_DATABASE_URI"] = URI
    ChunkedUpload(app)
    with app.app_context():
        given = arguments_of(app.extensions["sqlalchemy"].engine)
    assert given["connect_timeout"] == 5
    assert given["tcp_user_timeout"] == 10_000
    assert {"keepalives_idle", "keepalives_interval", "keepalives_count"} <= given.keys()


def test_an_app_may_choose_all_of_it_itself() -> None:
    app = Flask("tests")
    app.config["SQLALCHEMY_DATABASE_URI"] = URI
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"connect_timeout": 60}}
    ChunkedUpload(app)
    with app.app_context():
        given = arguments_of(app.extensions["sqlalchemy"].engine)
    assert given["connect_timeout"] == 60
    assert "tcp_user_timeout" not in given


@pytest.mark.parametrize(
    "uri", ["sqlite:///tests.db", "postgresql+asyncpg://host/name", "no URI at all"]
)
def test_other_databases_are_left_alone(uri: str) -> None:
    assert timeouts.engine_options(uri) == {}


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        uri = f"postgresql+psycopg://nobody@127.0.0.1:{port}/none?connect_timeout=2"
        engine = create_engine(uri, **timeouts.engine_options(uri))
        began = time.monotonic()
        with pytest.raises(OperationalError, match="timeout"):
            engine.connect()
        assert time.monotonic() - began < 5  # the URI's two seconds


def test_a_statement_without_an_answer_breaks_off(postgres_cluster: Cluster) -> None:
    engine = create_engine(postgres_cluster.uri)
    event.listen(engine, "connect", lambda connection, _: timeouts.limit_answers(connection, 0.2))
    with engine.connect() as connection:
        with pytest.raises(OperationalError, match=r"no answer in 0\.2 seconds") as caught:
            connection.execute(text("SELECT pg_sleep(60)"))
        assert caught.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_a_psycopg_that_cannot_limit_its_waiting_is_left_as_it_is() -> None:
    class Older:
        def wait(self, gen: object, interval: float = 0.1) -> str:
            return "answer"

    connection = Older()
    timeouts.limit_answers(connection)
    assert connection.wait(object()) == "answer"


def test_other_errors_of_the_server_stay_as_they_are(postgres_cluster: Cluster) -> None:
    engine = create_engine(postgres_cluster.uri)
    event.listen(engine, "connect", lambda connection, _: timeouts.limit_answers(connection, 60))
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 1"))
        with pytest.raises(OperationalError, match="statement timeout") as caught:
            connection.execute(text("SELECT pg_sleep(60)"))
        assert not caught.value.connection_invalidated
    engine.dispose()


def test_a_migration_may_take_longer(postgres_cluster: Cluster) -> None:
    engine = create_engine(postgres_cluster.uri)
    event.listen(engine, "connect", lambda connection, _: timeouts.limit_answers(connection, 0.1))
    with engine.connect() as connection:
        timeouts.wait_for_ever(connection.connection.dbapi_connection)
        connection.execute(text("SELECT pg_sleep(0.3)"))
    engine.dispose()
