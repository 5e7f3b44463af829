"""Power cuts at random moments: the file system under database and storage loses what was not
synced, then everything starts again.

After each cut: every acknowledged offset is there, with its bytes; uploads go on and complete; what
was promoted is there, whole. The control row, with syncs switched off, must lose something.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.support_audit import audit
from tests.faults.support_client import Upload
from tests.faults.support_clients import Clients
from tests.faults.support_disks import disk_in_memory
from tests.faults.support_tus import TusUpload
from tests.support.postgres import Cluster
from tests.support.powercut import Disk
from tests.support.scorecard import (
    LOOP,
    POSTGRESQL,
    SQLITE,
    SQLITE_ROLLBACK,
    Run,
    row,
)
from tests.support.server import Server


@row("power cut at random moments", databases=(SQLITE, SQLITE_ROLLBACK), needs=[LOOP])
def test_a_power_cut_loses_nothing_that_was_acknowledged(run: Run) -> None:
    cut_at_random(run, cuts=run.amount(reduced=1, full=30))


@row("power cut, large chunks", databases=(SQLITE,), needs=[LOOP])
def test_a_power_cut_loses_nothing_of_chunks_whose_way_to_the_disk_begins_early(run: Run) -> None:
    cut_at_random(run, cuts=run.amount(reduced=1, full=30), size=4_000_000)


@row("power cut, appends by tus", databases=(SQLITE,), needs=[LOOP])
def test_a_power_cut_loses_nothing_of_appends_that_was_told(run: Run) -> None:
    cuts = run.amount(reduced=1, full=30)
    cut_at_random(run, cuts=cuts, size=4_000_000, kind=TusUpload)


@row("power cut, database on the same disk", databases=(POSTGRESQL,), needs=[LOOP])
def test_a_power_cut_under_postgresql_loses_nothing_that_was_acknowledged(run: Run) -> None:
    cut_at_random(run, cuts=run.amount(reduced=1, full=30))


@row("power cut without syncs (control)", databases=(SQLITE,), needs=[LOOP], control=True)
def test_without_syncs_a_power_cut_does_lose_acknowledged_bytes(run: Run) -> None:
    cut_at_random(
        run, cuts=run.amount(reduced=2, full=10), environment={"CHUNKED_UPLOAD_DURABLE": "0"}
    )


def cut_at_random(
    run: Run,
    *,
    cuts: int,
    environment: dict[str, str] | None = None,
    size: int = 0,
    kind: type[Upload] = Upload,
) -> None:
    """Cut the power ``cuts`` times under eight clients, then let them finish, and audit.

    :param size: most bytes of a file, whose chunks are an eighth of it at most.
    :param kind: how the clients upload.
    """
    with disk_in_memory() as disk, _database(run, disk) as database:
        given = {**database.environment, **(environment or {})}
        home = disk.mount / "server"
        home.mkdir()
        server = Server(home, given)
        server.log = run.directory / "server.log"
        with server:
            size = size or run.amount(reduced=40_000, full=200_000)
            clients = Clients(run, server, uploads=1, size=size, kind=kind)
            for _ in range(cuts):
                clients.wait_for_an_ack()  # or there would be nothing to lose
                time.sleep(run.random.uniform(0.02, 0.5))
                with clients.unplug():
                    disk.cut()
                    server.kill()
                    database.kill()
                    run.tried()
                    disk.restart()
                    database.start()
                    server.start()
                    clients.check_stored()
            clients.last_call()
            clients.join()
            clients.check()
            audit(run, server, given)


class _SQLite:
    """The server's own file: nothing to kill, nothing to start."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def kill(self) -> None: ...

    def start(self) -> None: ...


class _PostgreSQL(_SQLite):
    """A cluster on the disk, which must be killed with it."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__({"CHUNKED_UPLOAD_DATABASE_URI": cluster.uri})
        self._cluster = cluster
        self._pid = 0

    def kill(self) -> None:
        # Not pg_ctl: it would write to the dead disk.
        for pid in [self._pid, *_children(self._pid)]:
            with suppress(ProcessLookupError):  # a worker of the server has ended meanwhile
                os.kill(pid, signal.SIGKILL)
        while any(Path(f"/proc/{pid}").exists() for pid in [self._pid]):
            time.sleep(0.01)

    def start(self) -> None:
        self._cluster.start()
        self._pid = int((self._cluster.directory / "data/postmaster.pid").read_text().split()[0])


@contextmanager
def _database(run: Run, disk: Disk) -> Iterator[_SQLite]:
    if run.database != POSTGRESQL:
        yield _SQLite(run.fresh_environment())
        return
    directory = disk.mount / "postgresql"
    directory.mkdir()
    cluster = Cluster(directory, fsync=True)
    database = _PostgreSQL(cluster)
    database.start()
    disk.sync()  # initdb was told not to
    try:
        yield database
    finally:
        cluster.stop()


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in tasks.read_text().split()]
