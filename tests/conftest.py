"""Fixtures that every test may use: a database, an app, a client of the protocol, a real server.

Tests that touch the database run on SQLite and on PostgreSQL (``--database`` chooses one).
"""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.support import browser as chromium
from tests.support import guard, postgres, s3, sqlite
from tests.support.missing import fail_if_skipped_in_ci, skip_without
from tests.support.protocol import Protocol
from tests.support.reports import sendable
from tests.support.scorecard import LOOP, MOUNT, ROOT
from tests.support.server import Server
from tests.support.shared_app import SharedApp
from tests.support.shared_model import shared_model
from tests.support.shared_routes import shared_routes

#: Room there must be in memory for the tests' files.
_ROOM = 2 * 2**30

#: Where an app has the cluster of its database, in its extensions.
_CLUSTER = "tests_postgres_cluster"


def pytest_configure(config: pytest.Config) -> None:
    """Have a guard end what a killed run leaves, and keep the tests' files in memory."""
    if not hasattr(config, "workerinput"):  # workers are the children of one that has a guard
        guard.die_with_make()
        guard.start()
    _keep_files_in_memory()
    # Until all tests are collected, which leaves next to no garbage: looking for it took half of
    # the time.
    gc.disable()


def _keep_files_in_memory() -> None:
    """Put the tests' files into memory, where that can be: most of their time went into syncs.

    Nothing is lost by it: tests of what a disk does bring a disk of their own.
    """
    memory = "/dev/shm"
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not os.access(memory, os.W_OK):
        return
    system = os.statvfs(memory)
    if not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize >= _ROOM:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = memory


def pytest_collection_finish() -> None:
    """Have Python not look for garbage in what every test needs: a tenth of the tests' time."""
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_report_header() -> list[str]:
    """Say which of the fault rows are left out on this machine."""
    lacking = [need for need in (ROOT, MOUNT, LOOP) if not need.present()]
    return [f"left out: rows that need {need.what} ({need.install})" for need in lacking]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a skip fail where nothing may be skipped."""
    report = yield
    fail_if_skipped_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Have pytest-xdist get what it can send: one lone surrogate in a log ends its worker."""
    return sendable((yield))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.addoption(
        "--only-postgresql-in",
        action="append",
        default=[],
        metavar="DIRECTORY",
        help="of this directory's tests, run only those on PostgreSQL; may be repeated",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``--only-postgresql-in`` and ``--database`` say."""
    places = [config.rootpath / name for name in config.getoption("--only-postgresql-in")]
    on_sqlite = config.getoption("--database") == "sqlite"
    without = [
        item
        for item in items
        if (any(item.path.is_relative_to(place) for place in places) and not _on_postgresql(item))
        or (on_sqlite and item.get_closest_marker("only_postgresql") is not None)
    ]
    if without:
        config.hook.pytest_deselected(items=without)
        left_out = set(without)
        items[:] = [item for item in items if item not in left_out]


def _on_postgresql(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and (
        hasattr(item, "callspec") and item.callspec.params.get("database") == "postgresql"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--database")
    marked = metafunc.definition.get_closest_marker
    one = marked("one_database") is not None and marked("both_databases") is None
    names = ["sqlite", "postgresql"] if chosen == "both" else [chosen]
    if marked("only_postgresql") is not None:
        names = ["postgresql"]
    metafunc.parametrize("database", names[:1] if one else names, indirect=True)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """One PostgreSQL for the tests of this process."""
    if postgres.find_programs() is None:
        skip_without("PostgreSQL", install="the package postgresql")
    with postgres.cluster() as running:
        yield running


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Store]:
    """One versitygw for the tests of this process: the S3 store that does all as Amazon's."""
    with s3.versitygw(tmp_path_factory.mktemp("versitygw")) as running:
        yield running


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Store]:
    """One ``rclone serve s3`` for the tests of this process: a store that lacks much."""
    with s3.rclone(tmp_path_factory.mktemp("rclone")) as running:
        yield running


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database, ``sqlite`` or ``postgresql``; only one with ``one_database``."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_uri(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> str:
    """An empty database, SQLAlchemy's URI of it."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path / 'tests.db'}"
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    return cluster.fresh_database()


@pytest.fixture
def make_app(
    request: pytest.FixtureRequest, database: str, tmp_path: Path, database_uri: str
) -> Iterator[Callable[..., Flask]]:
    """Make a Flask app with a secret key, an instance folder and the test's database.

    Keywords are its config. Call ``ChunkedUpload(app, …)`` on it, then ``create_tables``.
    """
    made: list[Flask] = []

    def make(**config: Any) -> Flask:
        app = Flask("tests", instance_path=str(tmp_path / f"instance{len(made) or ''}"))
        app.config.update(
            TESTING=True, SECRET_KEY="tests", SQLALCHEMY_DATABASE_URI=database_uri, **config
        )
        if database == "postgresql":
            app.extensions[_CLUSTER] = request.getfixturevalue("postgres_cluster")
        made.append(app)
        return app

    with shared_model(), shared_routes():
        yield make
    for app in made:
        if "sqlalchemy" in app.extensions:
            with app.app_context():
                db = app.extensions["sqlalchemy"]
                db.session.remove()
                for engine in db.engines.values():
                    engine.dispose()


@pytest.fixture
def shared() -> Iterator[None]:
    """Have apps that are made without :func:`make_app` share what its apps do."""
    with shared_model(), shared_routes():
        yield


def create_tables(app: Flask) -> None:
    """Create the tables of all of an app's models."""
    with app.app_context():
        db = app.extensions["sqlalchemy"]
        cluster: postgres.Cluster | None = app.extensions.get(_CLUSTER)
        one_table = len(db.metadatas) == 1 and len(db.metadata.tables) == 1
        if cluster is not None and one_table:
            cluster.create_table(db.metadata, db.create_all)
        else:
            sqlite.create_tables(db)


@pytest.fixture(scope="session")
def shared_apps() -> Iterator[dict[str, SharedApp]]:
    """The apps that :func:`app` has made, by the kind of their database."""
    made: dict[str, SharedApp] = {}
    yield made
    for shared in made.values():
        shared.close()


@pytest.fixture
def app(
    request: pytest.FixtureRequest,
    database: str,
    shared_apps: dict[str, SharedApp],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Flask]:
    """An app with the service at ``/uploads``, nothing configured and nothing stored.

    Other tests use it too: one that configures an app makes its own with :func:`make_app`.
    """
    if database not in shared_apps:
        directory = tmp_path_factory.mktemp(f"shared-{database}")
        uri = f"sqlite:///{directory / 'tests.db'}"
        if database == "postgresql":
            cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
            uri = cluster.another_database(f"shared_{uuid.uuid4().hex}")
        shared_apps[database] = SharedApp(directory / "instance", uri)
    shared = shared_apps[database]
    yield shared.empty()
    if not shared.unchanged():
        shared_apps.pop(database).close()
        pytest.fail("this test changes the app, which others use too: it needs make_app()")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Flask's test client of :func:`app`."""
    return app.test_client()


@pytest.fixture
def protocol(client: FlaskClient) -> Protocol:
    """The protocol's requests, sent to :func:`app`."""
    return Protocol(client)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running stand-alone server on SQLite, one worker."""
    with Server(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver, once for the tests of this process."""
    chromium.executable()
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser_process(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for the tests of this process."""
    with chromium.launch(playwright) as running:
        yield running


@pytest.fixture
def browser(browser_process: Browser) -> Iterator[Browser]:
    """Chromium without pages of other tests; what this test opens is closed after it."""
    yield browser_process
    for context in list(browser_process.contexts):
        # What a page asks for last is nobody's failure: its answer comes when the page has gone.
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")
        context.unroute_all(behavior="ignoreErrors")
        context.close()
