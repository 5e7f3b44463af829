"""How many connections to the database a process has."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool


class Pools:
    """The connections of some engines.

    Only SQLAlchemy's ``QueuePool``, which is its default, knows their number; others have none.
    """

    def __init__(self, engines: Iterable[Engine]) -> None:
        self._engines = set(engines)

    def connections(self) -> tuple[int, int]:
        """Return how many are open, and how many of them are in use."""
        pools = [one.pool for one in self._engines if isinstance(one.pool, QueuePool)]
        used = sum(pool.checkedout() for pool in pools)
        return used + sum(pool.checkedin() for pool in pools), used
