"""The fault harness: ``python -m tests.faults [--long] [--only WORD] [--seed N]``.

Runs every row of the scorecard at full size, prints one table, and ends with 1 on any violation.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import click

from tests.support import guard, postgres, scorecard
from tests.support.scorecard import ROWS, Result


def main() -> int:
    """Run the rows that were asked for."""
    options = _options()
    guard.die_with_make()
    guard.start()  # or a harness that is killed would leave its servers behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for module in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.faults.{module.stem}")
    seeds = [options.seed + i for i in range(10 if options.long else 1)]
    work = Path(tempfile.mkdtemp(prefix=f"faults-{os.environ[guard.TAG][:8]}-"))
    results = []
    try:
        with _Clusters() as clusters:
            for number, (made, database) in enumerate(_chosen(options)):
                click.echo(f"{made.name} ({database}) …", err=True)
                place = work / str(number)
                result = scorecard.run_row(made, database, place, seeds=seeds, cluster=clusters.get)
                _tell(result)
                results.append(result)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    click.echo(scorecard.table(results))
    return 1 if any(result.complaints for result in results) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="ten seeds instead of one")
    parser.add_argument("--only", default="", metavar="WORD", help="rows with this in their name")
    parser.add_argument("--database", default="", help="only on this database")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: 1)")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[tuple[scorecard.Row, str]]:
    return [
        (made, database)
        for made in ROWS
        if options.only.lower() in made.name.lower()
        for database in made.databases
        if options.database in ("", database)
    ]


def _tell(result: Result) -> None:
    click.echo("   " + "  ".join(result.cells()[2:]), err=True)
    for complaint in result.complaints:
        click.echo(f"   ! {complaint}", err=True)


class _Clusters:
    """One PostgreSQL for all rows, started when the first one needs it; it syncs its commits."""

    def __enter__(self) -> _Clusters:
        self._stack = contextlib.ExitStack()
        self._cluster: postgres.Cluster | None = None
        return self

    def get(self) -> postgres.Cluster:
        if self._cluster is None:
            self._cluster = self._stack.enter_context(postgres.cluster(fsync=True))
        return self._cluster

    def __exit__(self, *exception: object) -> None:
        self._stack.close()


if __name__ == "__main__":
    sys.exit(main())
