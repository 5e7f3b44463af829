"""What a chunk asks of PostgreSQL: few statements, each a round trip and a transaction."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import NullPool, create_engine, text

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.support.postgres import Cluster
from tests.support.protocol import Protocol
from tests.support.s3 import Store
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
def protocol(request: pytest.FixtureRequest, log: Log, make_app: Callable[..., Flask]) -> Protocol:
    settings = {}
    if request.param == "store":
        store: Store = request.getfixturevalue("versitygw")
        settings = store.settings(store.bucket())
    app = make_app(**settings)
    ChunkedUpload(app)
    create_tables(app)
    return Protocol(app.test_client())


#: The look-up and the commit. On disk, leases are beside the file; in the record, the commit before
#: has taken it along.
_STATEMENTS = ["SELECT", "UPDATE"]


def test_a_chunk(protocol: Protocol, log: Log) -> None:
    upload_id = (protocol.chunk(b"1", 0, 4).json or {})["upload_id"]
    for at in (1, 2, 3):
        log.new()
        assert protocol.put(upload_id, b"2", at, 4).status_code == 200
        assert log.new() == _STATEMENTS


def test_an_append(protocol: Protocol, log: Log) -> None:
    tus = Tus(protocol.client)
    url = tus.created(4)
    assert tus.patch(url, b"1", 0).status_code == 204
    for at in (1, 2):
        log.new()
        assert tus.patch(url, b"2", at).status_code == 204
        assert log.new() == _STATEMENTS
