"""The list of rows, and the contestants as the rows name them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..contest import Bench
from ..peers.ours import Ours
from ..results import Measured


@dataclass(frozen=True)
class Row:
    """One row.

    :param title: its heading in the report.
    :param about: what is done, in a sentence or two.
    :param extents: the runs that include it.
    :param metrics: those that the report shows.
    :param baseline: contestant to which the report compares the others.
    """

    name: str
    title: str
    about: str
    measure: Callable[[Bench, Measured], None]
    metrics: tuple[str, ...]
    baseline: str | None = "ours"
    extents: tuple[str, ...] = ("normal", "long")


#: All rows, in the order of the report.
ROWS: list[Row] = []


def ours(*, workers: int = 1) -> Ours:
    """Return this server as the peers are run: not durable."""
    return Ours("ours", "chunked-upload, not durable", durable=False, workers=workers)


def ours_durable(*, workers: int = 1) -> Ours:
    """Return this server as it is by default."""
    return Ours("ours-durable", "chunked-upload, durable (default)", workers=workers)
