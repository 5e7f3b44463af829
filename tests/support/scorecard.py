"""The scorecard of the fault tests: rows that count tries and violations, at three sizes.

A row is a test function with one argument, a :class:`Run`, decorated with :func:`row`::

    @row("20 identical chunks at once", databases=BOTH)
    def test_identical_chunks_commit_once(run: Run) -> None:
        for _ in range(run.amount(reduced=2, full=50)):
            run.tried()
            ...
            if commits != 1:
                run.violation(f"{commits} commits")
            run.sample("takeover", milliseconds, "ms")

Under pytest it is an ordinary test at the reduced size (seconds), once for each of its databases,
and fails on a violation. ``python -m tests.faults`` runs every row of this directory at full size
(minutes) and prints one table; ``--long`` repeats each row that draws random numbers with ten
seeds. A *control* row breaks a guarantee on purpose and must find violations: it shows that the
harness can.
"""

from __future__ import annotations

import functools
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from . import nginx, postgres, s3

#: Names of databases a row can run on; ``none`` is for rows that need none of their own.
SQLITE, SQLITE_ROLLBACK, POSTGRESQL, NONE = "sqlite", "sqlite-rollback", "postgresql", "none"
BOTH = (SQLITE, POSTGRESQL)
#: SQLite in its two journal modes: write-ahead log (a current SQLite) and rollback journal.
EVERY = (SQLITE, SQLITE_ROLLBACK, POSTGRESQL)


@dataclass(frozen=True)
class Need:
    """Something of the machine that a row cannot do without.

    :param granted: it is a matter of rights, which cannot be installed.
    """

    what: str
    install: str
    present: Callable[[], bool]
    granted: bool = False


def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@functools.cache
def _can_trace() -> bool:
    # Present, and allowed: containers may forbid ptrace.
    return _works("strace", "-o", "/dev/null", "true")


@functools.cache
def _can_mount() -> bool:
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        if not _works("mount", "-t", "tmpfs", "tmpfs", place):
            return False
        return _works("umount", place)


ROOT = Need("root", "run as root", lambda: os.geteuid() == 0, granted=True)
MOUNT = Need("root and the right to mount", "run as root", _can_mount, granted=True)
LOOP = Need(
    "root and loop devices",
    "run as root, with /dev/loop-control",
    lambda: _can_mount() and Path("/dev/loop-control").exists(),
    granted=True,
)
STRACE = Need("strace", "the package strace", _can_trace)
#: What the rows of several nodes need (tests/cluster).
CLUSTER = (
    Need("versitygw", "it as .ci/run does", s3.has_versitygw),
    Need("nginx", "the package nginx", lambda: nginx.find_program() is not None),
)
_POSTGRESQL = Need(
    "PostgreSQL", "the package postgresql", lambda: postgres.find_programs() is not None
)
_WAL = Need("a current SQLite", "pysqlite3", lambda: _has_pysqlite3())


class Size(Enum):
    """How much a row does."""

    REDUCED = "reduced"
    FULL = "full"


@dataclass
class Run:
    """One run of a row: what it works with, and what it found.

    :param directory: an empty directory of its own.
    :param database: one of the names above.
    :param cluster: a running PostgreSQL when the database is ``postgresql``.
    :param seed: where all random choices of the row come from.
    """

    directory: Path
    database: str = NONE
    seed: int = 1
    size: Size = Size.REDUCED
    cluster: postgres.Cluster | None = None
    tries: int = 0
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    samples: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def amount(self, *, reduced: int, full: int) -> int:
        """Return how many tries this run should make."""
        return reduced if self.size is Size.REDUCED else full

    def tried(self, times: int = 1) -> None:
        """Count tries."""
        self.tries += times

    def violation(self, what: str) -> None:
        """Note a broken promise; the run goes on."""
        self.violations.append(f"seed {self.seed}, try {self.tries}: {what}")

    def check(self, holds: object, what: str) -> bool:
        """Note a broken promise unless ``holds``; returns whether it does."""
        if not holds:
            self.violation(what)
        return bool(holds)

    def count(self, name: str, times: int = 1) -> None:
        """Add to a figure that is a sum (kills, uploads, requests)."""
        self.counts[name] += times

    def sample(self, name: str, value: float, unit: str = "ms") -> None:
        """Add a measurement to a figure that is shown as median and worst."""
        self.samples[name, unit].append(value)

    def fresh_environment(self) -> dict[str, str]:
        """Return the environment of a stand-alone server that uses this run's database.

        PostgreSQL is emptied; SQLite lies in the server's instance folder, which is empty when the
        server's directory is new.
        """
        if self.database == POSTGRESQL:
            assert self.cluster is not None
            return {"CHUNKED_UPLOAD_DATABASE_URI": self.cluster.fresh_database()}
        if self.database == SQLITE_ROLLBACK:
            shadow, given = _without_pysqlite3(self.directory), os.environ.get("PYTHONPATH")
            return {"PYTHONPATH": f"{shadow}:{given}" if given else str(shadow)}
        return {}

    def absorb(self, other: Run) -> None:
        """Add another run's findings to these."""
        self.tries += other.tries
        self.violations += other.violations
        self.counts += other.counts
        for key, values in other.samples.items():
            self.samples[key] += values

    def figures(self) -> str:
        """Return counts, and median and worst of each measurement, as one line."""
        parts = [f"{times} {name}" for name, times in self.counts.items()]
        for (name, unit), values in self.samples.items():
            middle, worst = statistics.median(values), max(values)
            parts.append(f"{name} median {middle:.3g} {unit}, worst {worst:.3g} {unit}")
        return "; ".join(parts)


@dataclass(frozen=True)
class Row:
    """A registered row."""

    name: str
    function: Callable[[Run], None]
    databases: Sequence[str]
    needs: Sequence[Need]
    exhaustive: bool
    control: bool

    def missing(self, database: str) -> Need | None:
        """Return what this machine lacks for the row on a database, or None."""
        needs = list(self.needs)
        if database == POSTGRESQL:
            needs.append(_POSTGRESQL)
        if database == SQLITE:
            needs.append(_WAL)
        return next((need for need in needs if not need.present()), None)

    def lacks_rights(self) -> bool:
        """Whether it needs rights that this user does not have."""
        return any(need.granted and not need.present() for need in self.needs)

    def complaints(self, run: Run) -> list[str]:
        """Return what is wrong with a finished run's result."""
        if run.tries == 0:
            return ["nothing was tried"]
        if self.control:
            return [] if run.violations else ["the harness did not notice the broken guarantee"]
        return run.violations


ROWS: list[Row] = []


def row(
    name: str,
    *,
    databases: Sequence[str] = (NONE,),
    needs: Sequence[Need] = (),
    exhaustive: bool = False,
    control: bool = False,
) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Make a test function a row of the scorecard.

    :param name: what the table calls it.
    :param databases: on which it runs, once each.
    :param needs: what it cannot do without, on top of the database.
    :param exhaustive: it tries everything there is; other seeds would try the same again.
    :param control: a guarantee is switched off in it, so it must find violations.
    """

    def decorate(function: Callable[[Run], None]) -> Callable[[Run], None]:
        made = Row(name, function, databases, needs, exhaustive, control)
        ROWS.append(made)

        @functools.wraps(function)
        def test(run: Run) -> None:
            function(run)
            complaints = made.complaints(run)
            assert not complaints, f"{len(complaints)} in all:\n" + "\n".join(complaints[:20])

        test.row = made  # type: ignore[attr-defined]
        return test

    return decorate


def _has_pysqlite3() -> bool:
    try:
        import pysqlite3  # noqa: F401
    except ImportError:
        return False
    return True


def _without_pysqlite3(directory: Path) -> Path:
    """Return a directory that, put on PYTHONPATH, leaves only Python's own SQLite."""
    shadow = directory / "without-pysqlite3"
    package = shadow / "pysqlite3"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("raise ImportError('hidden by the fault tests')\n")
    return shadow


def _how(need: Need) -> str:
    return need.install if need.granted else f"install {need.install}"


def table(results: Sequence[Result]) -> str:
    """Return the scorecard as text."""
    head = ("row", "database", "tries", "seeds", "violations", "seconds", "figures")
    lines: list[tuple[str, ...]] = [head, *(result.cells() for result in results)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head) - 1)]
    text = []
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        text.append("  ".join([*cells, line[-1]]).rstrip())
    text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(text)


@dataclass
class Result:
    """What the table says about one row on one database."""

    row: Row
    database: str
    run: Run | None = None
    seeds: int = 0
    seconds: float = 0.0
    skipped: str = ""
    complaints: list[str] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """Return the line of the table."""
        database = "-" if self.database == NONE else self.database
        if self.run is None:
            return (self.row.name, database, "-", "-", "-", "-", f"skipped: {self.skipped}")
        found = str(len(self.run.violations))
        if self.row.control:
            found = f"{found} (control: must not be 0)"
        return (
            self.row.name,
            database,
            str(self.run.tries),
            "all" if self.row.exhaustive else str(self.seeds),
            found,
            f"{self.seconds:.0f}",
            self.run.figures(),
        )


def run_row(
    made: Row,
    database: str,
    directory: Path,
    *,
    seeds: Sequence[int],
    cluster: Callable[[], postgres.Cluster],
) -> Result:
    """Run a row at full size once for each seed; a crash of the row itself is a complaint."""
    missing = made.missing(database)
    if missing is not None:
        return Result(made, database, skipped=f"needs {missing.what}: {_how(missing)}")
    used = seeds[:1] if made.exhaustive else seeds
    total = Run(directory, database, size=Size.FULL)
    began = time.monotonic()
    complaints: list[str] = []
    for seed in used:
        place = directory / f"{seed}"
        place.mkdir(parents=True)
        server: Any = cluster() if database == POSTGRESQL else None
        run = Run(place, database, seed, Size.FULL, server)
        try:
            made.function(run)
        except Exception:
            complaints.append(f"seed {seed}: the row crashed\n{traceback.format_exc()}")
        total.absorb(run)
        shutil.rmtree(place, ignore_errors=True)
    complaints += made.complaints(total)
    return Result(made, database, total, len(used), time.monotonic() - began, complaints=complaints)
