"""The fixture that makes a row of the scorecard a test: a run at reduced size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.missing import skip_without
from tests.support.scorecard import POSTGRESQL, Row, Run, Size


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    row: Row | None = getattr(metafunc.function, "row", None)
    if row is None or "run" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--database")
    names = [name for name in row.databases if _wanted(name, chosen)]
    metafunc.parametrize("run", [(row, name) for name in names], indirect=True, ids=names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out rows that need rights which this user lacks: rights cannot be installed."""
    without = [item for item in items if _lacks_rights(item)]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


def _lacks_rights(item: pytest.Item) -> bool:
    made: Row | None = getattr(getattr(item, "function", None), "row", None)
    return made is not None and made.lacks_rights()


def _wanted(name: str, chosen: str) -> bool:
    if chosen == "both":
        return True
    return (name == POSTGRESQL) == (chosen == POSTGRESQL)


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """One run of the test's row, at reduced size, on one of its databases."""
    row, database = request.param
    missing = row.missing(database)
    if missing is not None:
        skip_without(missing.what, install=missing.install)
    cluster = request.getfixturevalue("postgres_cluster") if database == POSTGRESQL else None
    return Run(tmp_path, database, size=Size.REDUCED, cluster=cluster)
