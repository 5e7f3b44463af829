"""The servers that the tests of this directory run against."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine

from chunked_upload.server.app import create_app
from tests.server.balancing import two_nodes
from tests.support import postgres, preloaded
from tests.support.server import PROGRAM, Server, clean_environment, measured

PROJECT = Path(__file__).parents[2]

GUNICORN = [
    *(str(Path(sys.executable).parent / "gunicorn"), "-k", "gthread", "--threads", "32"),
    *("--workers", "2"),
    *("--pythonpath", str(PROJECT), "--no-control-socket", "-b", "127.0.0.1:{port}", "wsgi:app"),
]

GRANIAN = [
    *(str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--http", "1"),
    *("--no-ws", "--blocking-threads", "32", "--workers", "2", "--port", "{port}"),
    *("--respawn-failed-workers", "--factory", "chunked_upload.server.app:create_app"),
]

#: Other servers that the app runs on.
OTHERS = {"gunicorn": GUNICORN, "granian": GRANIAN}


@pytest.fixture(scope="module")
def nodes_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture(scope="module")
def nodes(nodes_place: Path) -> Iterator[tuple[Server, Server]]:
    """Two servers for a balancer to send requests to."""
    with two_nodes(nodes_place) as servers:
        yield servers


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers that are killed when the test ends; keywords are environment variables."""
    with ExitStack() as stack:

        def make(**environment: str) -> Server:
            return stack.enter_context(Server(tmp_path, environment))

        yield make


def other_server(directory: Path, name: str) -> Server:
    """Return one of :data:`OTHERS` with two workers, its database migrated; not started."""
    server = Server(directory, command=OTHERS[name])
    preloaded.run([PROGRAM, "migrate"], cwd=directory, env=server.environment).check_returncode()
    return server


@pytest.fixture(
    scope="module", params=["bundled", "bundled, 2 workers", "bundled, postgresql", *OTHERS]
)
def one_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Each way of running the service, for the tests of a module."""
    place = tmp_path_factory.mktemp("server")
    if request.param in OTHERS:
        server = other_server(place, request.param)
    else:
        environment = {"WORKERS": "1" if request.param == "bundled" else "2"}
        if "postgresql" in request.param:
            cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
            environment["CHUNKED_UPLOAD_DATABASE_URI"] = cluster.fresh_database()
        server = Server(place, environment)
    with server:
        yield server


@pytest.fixture
def any_server(one_server: Server) -> Server:
    """Each way of running the service; uploads of other tests may be there."""
    if not one_server.running:  # a test that killed it has failed
        one_server.start()
    return one_server


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program to its end; keywords are environment variables."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return preloaded.run(
            [PROGRAM, *arguments],
            cwd=tmp_path,
            env={**clean_environment(), **measured(), **environment},
        )

    return run


@pytest.fixture
def unmigrated(
    database_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The stand-alone app on an empty database, in its context."""
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URI", database_uri)
    monkeypatch.setenv("CHUNKED_UPLOAD_INSTANCE", str(tmp_path / "instance"))
    app = create_app("testing")
    with app.app_context():
        yield app
        engine(app).dispose()


def engine(app: Flask) -> Engine:
    found: Engine = app.extensions["sqlalchemy"].engine
    return found
