"""How many connections a process has."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import NullPool, create_engine

from chunked_upload.records.pool import Pools


def test_open_and_used_connections(tmp_path: Path) -> None:
    first, second = (create_engine(f"sqlite:///{tmp_path}/{name}") for name in "ab")
    pools = Pools([first, second, first])
    assert pools.connections() == (0, 0)
    with first.connect(), second.connect():
        with second.connect():
            assert pools.connections() == (3, 3)
        assert pools.connections() == (3, 2)
    assert pools.connections() == (3, 0)
    first.dispose()
    assert pools.connections() == (2, 0)
    second.dispose()


def test_a_pool_that_keeps_no_count(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/a", poolclass=NullPool)
    with engine.connect():
        assert Pools([engine]).connections() == (0, 0)
