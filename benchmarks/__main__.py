"""The benchmarks: ``python -m benchmarks [--quick | --long] [--only ROW …]``.

Without --quick the rows are merged into benchmarks/results.json, from which docs/benchmarks.md and
docs/benchmarks-notes.md are generated again.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from . import machine, report
from .contest import Bench
from .results import Measured, Results
from .rows import ROWS
from .rows.base import Row
from .workshop import BUILD, REPOSITORY, Unavailable, tell

RESULTS = Path(__file__).parent / "results.json"
PAGE = REPOSITORY / "docs" / "benchmarks.md"
NOTES = REPOSITORY / "docs" / "benchmarks-notes.md"


def main() -> int:
    """Run the rows that were asked for."""
    options = _options()
    if options.pages:
        write_pages(Results.load(RESULTS))
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    _allow_open_files()
    options.data.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="data-", dir=options.data))
    bench = Bench(
        place,
        options.extent,
        options.contestants,
        scale=options.scale,
        repetitions=options.repetitions,
    )
    try:
        for row in _chosen(options):
            measured = measure(bench, row)
            show(row, measured)
            if not options.dry and row.extents != ("quick",):
                keep(measured, bench)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return 0


def show(row: Row, measured: Measured) -> None:
    """Print a row and what it says of the targets."""
    print(f"\n{row.title}: {measured.setup}")
    print(report.plain(report.row_table(measured, row.metrics, row.baseline)))
    for key, reason in measured.skipped.items():
        print(f"skipped: {key}: {reason}")
    # The quick look measures some of what the row "big" does.
    judged = replace(measured, row="big") if row.name == "quick" else measured
    table = report.target_table(Results(rows={judged.row: judged}), [judged.row])
    if len(table) > 1:
        print("\n" + report.plain(table))


def keep(measured: Measured, bench: Bench) -> None:
    """Merge a row into the results, and generate both pages again."""
    results = Results.load(RESULTS)
    results.machine = machine.describe(bench.place)
    results.add(measured)
    results.save(RESULTS)
    write_pages(results)


def write_pages(results: Results) -> None:
    """Generate docs/benchmarks.md and docs/benchmarks-notes.md."""
    PAGE.write_text(report.page(results))
    NOTES.write_text(report.notes(results))


def measure(bench: Bench, row: Row) -> Measured:
    """Measure one row."""
    measured = Measured(row.name)
    measured.ran = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    measured.commit = machine.commit()
    tell(row.title)
    try:
        row.measure(bench, measured)
    except Unavailable as error:
        measured.skip(row.name, str(error))
    return measured


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    extent = parser.add_mutually_exclusive_group()
    for name in ("quick", "long"):
        extent.add_argument(f"--{name}", dest="extent", action="store_const", const=name)
    parser.set_defaults(extent="normal")
    parser.add_argument("--only", nargs="+", default=[], metavar="ROW", help="rows to run")
    parser.add_argument("--contestants", nargs="+", default=[], metavar="KEY")
    parser.add_argument("--repetitions", type=int, default=0, help="turns of each contestant")
    parser.add_argument("--scale", type=float, default=1.0, help="factor for all sizes")
    parser.add_argument("--dry", action="store_true", help="print, and keep nothing")
    parser.add_argument("--pages", action="store_true", help="write the pages, measure nothing")
    parser.add_argument("--data", type=Path, default=BUILD, help="folder on the disk to measure")
    options = parser.parse_args()
    # What was made smaller, or of some only, is not what the page tells.
    options.dry |= options.scale != 1.0 or bool(options.contestants)
    return options


def _chosen(options: argparse.Namespace) -> list[Row]:
    if not options.only:
        return [row for row in ROWS if options.extent in row.extents]
    known = {row.name: row for row in ROWS}
    unknown = [name for name in options.only if name not in known]
    if unknown:
        sys.exit(f"no row {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in options.only]


def _allow_open_files() -> None:
    """Raise the soft limit on open files, which thousands of connections pass."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _interrupt(*_: object) -> None:
    """End with every server stopped and all data deleted."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
