"""Databases that are locked, or killed and started again, in the middle of an upload.

A chunk waits for a lock for a while, then is answered 503; nothing changes, and the upload goes on
when the database is back. No restart of the server is needed.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from chunked_upload.records.durability import newest_sqlite
from tests.faults.support_client import Unreachable
from tests.faults.support_victim import Victim
from tests.support.postgres import cluster
from tests.support.scorecard import POSTGRESQL, SQLITE, SQLITE_ROLLBACK, Run, Size, row
from tests.support.server import Server


@row("SQLite locked by another process", databases=(SQLITE, SQLITE_ROLLBACK))
def test_a_locked_database_is_waited_for_then_503(run: Run) -> None:
    with Server(run.directory, run.fresh_environment()) as server:
        victim = Victim(run, server, chunks=run.amount(reduced=3, full=4))
        victim.must_go_on()
        if run.size is not Size.REDUCED:  # the server waits ten seconds for a lock
            with locked(server):
                began = time.monotonic()
                victim.must_fail(503)
                run.sample("503 after", time.monotonic() - began, "s")
                if run.database == SQLITE:
                    victim.check_reads()
        while victim.left:
            with locked(server):
                waiting = threading.Thread(target=victim.must_go_on)
                waiting.start()
                time.sleep(0.2)  # it should be waiting by now; if not, it finds no lock
            waiting.join()
        victim.check_health(None)
        victim.finish()


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Hold SQLite's write lock from outside, as long as the block lasts."""
    driver: Any = newest_sqlite() or sqlite3
    path = server.instance / "chunked_upload.db"
    with closing(driver.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


@row("PostgreSQL killed and restarted", databases=(POSTGRESQL,))
def test_the_database_dies_in_mid_upload_and_the_upload_goes_on(run: Run) -> None:
    # A cluster of its own: others may be using the run's.
    with cluster() as own:
        environment = {"CHUNKED_UPLOAD_DATABASE_URI": own.uri}
        with Server(run.directory, environment) as server:
            victim = Victim(run, server, chunks=run.amount(reduced=3, full=20))
            victim.must_go_on()
            while victim.left:
                own.stop("immediate")
                victim.must_fail(503)
                victim.check_health("database")
                own.start()
                began = time.monotonic()
                until_it_goes_on(run, victim)
                run.sample("continues after", 1000 * (time.monotonic() - began))
                victim.check_reads()
            victim.check_health(None)
            victim.finish()


def until_it_goes_on(run: Run, victim: Victim) -> None:
    """Resend the chunk until it is stored; a few 503 are allowed, from stale connections."""
    left = victim.left
    for _ in range(10):
        try:
            answer = victim.send()
        except Unreachable as error:
            run.violation(f"no answer: {error!r}")
            return
        if victim.left < left:
            return
        run.check(answer.status == 503, f"answered {answer}")
        run.count("503 after the restart")
    run.violation("does not go on")
