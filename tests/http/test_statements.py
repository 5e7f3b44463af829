"""What a chunk asks of PostgreSQL: few statements, each a round trip and a transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import NullPool, create_engine, text

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.support.postgres import Cluster
from tests.support.protocol import Protocol
from tests.support.s3 import Store
from tests.support.s3_faults import counted
from tests.support.tus import Tus

pytestmark = pytest.mark.only_postgresql


class Log:
    """The statements that the database has been sent."""

    def __init__(self, cluster: Cluster) -> None:
        self._file = cluster.directory / "log"
        self._read = 0
        self.new()

    def new(self) -> list[str]:
        """Return the first words of the statements since the last call, BEGIN and COMMIT too."""
        whole = self._file.read_bytes()
        news, self._read = whole[self._read :].decode(), len(whole)
        return re.findall(r"LOG:  (?:statement|execute [^:]*): (\w+)", news)


@pytest.fixture
def log(postgres_cluster: Cluster) -> Iterator[Log]:
    engine = create_engine(postgres_cluster.uri, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ALTER DATABASE postgres SET log_statement = 'all'"))
        yield Log(postgres_cluster)
        connection.execute(text("ALTER DATABASE postgres RESET log_statement"))


@pytest.fixture(params=["disk", "store"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def nodes(
    request: pytest.FixtureRequest,
    kind: str,
    log: Log,
    make_app: Callable[..., Flask],
    tmp_path: Path,
) -> list[FlaskClient]:
    """Clients of two apps with one database and one storage, as two processes have them."""
    settings: dict[str, str] = {"CHUNKED_UPLOAD_ROOT": str(tmp_path / "shared")}
    if kind == "store":
        store: Store = request.getfixturevalue("versitygw")
        settings = store.settings(store.bucket())
    apps = [make_app(**settings) for _ in range(2)]
    for app in apps:
        ChunkedUpload(app)
        create_tables(app)
    return [app.test_client() for app in apps]


@pytest.fixture
def statements(kind: str) -> list[str]:
    """The look-up and the commit. A look-up also takes the lease, if that is in the record."""
    return ["SELECT", "UPDATE"] if kind == "disk" else ["UPDATE", "UPDATE"]


def test_a_chunk(nodes: list[FlaskClient], log: Log, statements: list[str]) -> None:
    protocol = Protocol(nodes[0])
    upload_id = (protocol.chunk(b"1", 0, 4).json or {})["upload_id"]
    for at in (1, 2, 3):
        log.new()
        assert protocol.put(upload_id, b"2", at, 4).status_code == 200
        assert log.new() == statements


def test_chunks_that_come_to_one_node_after_the_other(
    nodes: list[FlaskClient], log: Log, statements: list[str]
) -> None:
    upload_id = (Protocol(nodes[0]).chunk(b"1", 0, 40).json or {})["upload_id"]
    Protocol(nodes[1]).put(upload_id, b"2", 1, 40)  # which asks for the time
    for at, node in ((2, 0), (3, 1), (4, 1), (5, 0)):
        log.new()
        assert Protocol(nodes[node]).put(upload_id, b"2", at, 40).status_code == 200
        assert log.new() == statements


def test_chunks_that_grow(nodes: list[FlaskClient], log: Log, statements: list[str]) -> None:
    protocol = Protocol(nodes[0])
    upload_id = (protocol.chunk(b"1", 0, 40).json or {})["upload_id"]
    for start, stop in ((1, 3), (3, 8), (8, 40)):
        log.new()
        data = bytes(stop - start)
        assert protocol.put(upload_id, data, start, 40).status_code == 200
        assert log.new() == statements


def test_an_append(nodes: list[FlaskClient], log: Log, statements: list[str]) -> None:
    tus = Tus(nodes[0])
    url = tus.created(4)
    for at in (0, 1, 2):
        log.new()
        assert tus.patch(url, b"2", at).status_code == 204
        if at == 0 and statements[0] == "SELECT":  # nothing tells whether the upload has ended
            assert log.new() == ["SELECT", *statements]
        else:
            assert log.new() == statements


def test_a_question_for_the_offset(nodes: list[FlaskClient], log: Log) -> None:
    """It changes nothing and asks no store if no append is under way."""
    tus = Tus(nodes[0])
    url = tus.created(4)
    assert tus.patch(url, b"1", 0).status_code == 204
    log.new()
    with counted() as calls:
        assert tus.head(url).headers["Upload-Offset"] == "1"
    assert log.new() == ["SELECT", "SELECT"]
    assert calls.names == []
