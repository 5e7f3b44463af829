"""Disks that are full or read-only, under data, database or both, at every chunk of an upload.

507 (503 when read-only) with a detail, offset unchanged; reads and DELETE work; ``/healthz`` names
the part; the upload goes on when there is room again.
"""

from __future__ import annotations

from tests.faults.support_disks import SmallDisk
from tests.faults.support_tus import TusVictim
from tests.faults.support_victim import Victim
from tests.support.scorecard import BOTH, EVERY, MOUNT, SQLITE, SQLITE_ROLLBACK, Run, row
from tests.support.server import Server

_CHUNK = 30_000


@row("disk full at every chunk: data", databases=BOTH, needs=[MOUNT])
def test_a_full_disk_under_the_data_is_507_and_the_upload_goes_on_later(run: Run) -> None:
    fill_under_data(run, Victim)


@row("disk full at every append: data", databases=(SQLITE,), needs=[MOUNT])
def test_a_full_disk_under_appends_is_507_and_the_upload_goes_on_later(run: Run) -> None:
    fill_under_data(run, TusVictim)


def fill_under_data(run: Run, kind: type[Victim]) -> None:
    """Fill the disk that holds the data again and again."""
    environment = run.fresh_environment()
    with SmallDisk(run.directory / "disk", 2 * 2**20) as disk:
        environment["CHUNKED_UPLOAD_ROOT"] = str(disk.path / "uploads")
        with Server(run.directory, environment) as server:
            victim = kind(run, server, chunks=run.amount(reduced=4, full=20), size=_CHUNK)
            while victim.left:
                doomed = victim.new(b"x" * 10_000)
                with disk.full(leave=run.random.choice([0, 4096, 16384])):
                    victim.must_fail(507)
                    victim.check_reads()
                with disk.full():
                    victim.must_fail(507)
                    victim.check_health("storage")
                    victim.check_reads()
                    removed = victim.http.delete(doomed)
                    run.check(removed.status == 204, f"DELETE: {removed}")
                victim.check_health(None)
                victim.must_go_on()
            victim.finish()


@row("disk full at every chunk: temporary files", databases=(SQLITE,), needs=[MOUNT])
def test_a_full_disk_for_temporary_files_matters_to_nobody(run: Run) -> None:
    """Chunks of any size go straight to their place; nothing is spooled on the way."""
    environment = run.fresh_environment()
    with SmallDisk(run.directory / "disk", 2**20) as disk:
        environment["TMPDIR"] = str(disk.path)
        with Server(run.directory, environment) as server, disk.full():
            chunks = run.amount(reduced=3, full=20)
            victim = Victim(run, server, chunks=chunks, size=2 * 2**20)
            while victim.left:
                victim.must_go_on()
            victim.check_health(None)
            victim.finish()


@row("disk full at every chunk: database", databases=(SQLITE, SQLITE_ROLLBACK), needs=[MOUNT])
def test_a_full_disk_under_the_database_is_507_and_the_upload_goes_on_later(run: Run) -> None:
    environment = run.fresh_environment()
    environment["CHUNKED_UPLOAD_ROOT"] = str(run.directory / "uploads")
    fill_under_sqlite(run, environment)


@row("disk full at every chunk: both", databases=(SQLITE, SQLITE_ROLLBACK), needs=[MOUNT])
def test_a_full_disk_under_everything_is_507_and_the_upload_goes_on_later(run: Run) -> None:
    fill_under_sqlite(run, run.fresh_environment())


def fill_under_sqlite(run: Run, environment: dict[str, str]) -> None:
    """Fill the disk that holds the server's SQLite database again and again."""
    with SmallDisk(run.directory / "disk", 4 * 2**20) as disk:
        server = Server(disk.path, environment)
        server.log = run.directory / "server.log"
        with server:
            fill_under(run, disk, server)


def fill_under(run: Run, disk: SmallDisk, server: Server) -> None:
    """Send an upload's chunks, each of them once to a full disk."""
    victim = Victim(run, server, chunks=run.amount(reduced=4, full=20), size=_CHUNK)
    while victim.left:
        doomed = victim.new(b"x" * 100_000)
        with disk.full():
            answer = victim.send()
            # A write-ahead log that has room inside takes the commit.
            run.check(answer.status in (507, 200), f"chunk: {answer}")
            run.count(f"answers {answer.status}")
            victim.check_reads()
            health = victim.http.health()
            run.check(health.status == 503, f"/healthz: {health}")
            removed = victim.http.delete(doomed)
            run.check(removed.status == 204, f"DELETE: {removed}")
            run.count(f"DELETE {removed.status}")
        if victim.left:
            victim.must_go_on()
        victim.check_reads()
    victim.finish()


@row("read-only file system", databases=EVERY, needs=[MOUNT])
def test_a_read_only_disk_is_503_and_the_upload_goes_on_later(run: Run) -> None:
    environment = run.fresh_environment()
    with SmallDisk(run.directory / "disk", 4 * 2**20) as disk:
        environment["CHUNKED_UPLOAD_ROOT"] = str(disk.path / "uploads")
        with Server(run.directory, environment) as server:
            victim = Victim(run, server, chunks=run.amount(reduced=3, full=20), size=_CHUNK)
            while victim.left:
                doomed = victim.new(b"x" * 10_000)
                with disk.read_only():
                    victim.must_fail(503)
                    victim.check_reads()
                    victim.check_health("storage")
                    removed = victim.http.delete(doomed)
                    run.check(removed.status in (204, 503), f"DELETE: {removed}")
                victim.must_go_on()
                victim.check_health(None)
            victim.finish()
