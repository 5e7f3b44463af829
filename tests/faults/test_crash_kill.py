"""SIGKILL of the whole server at random moments, under clients that keep trying.

Eight clients upload at once while the server is killed and started again, a fraction of a second
apart. However often: no acknowledged byte is lost, no upload gets stuck, every file is promoted
once, with the bytes that were sent.
"""

from __future__ import annotations

import time

from tests.faults.support_audit import audit
from tests.faults.support_client import Upload
from tests.faults.support_clients import Clients
from tests.faults.support_tus import TusUpload
from tests.support.scorecard import BOTH, EVERY, Run, row
from tests.support.server import Server


@row("kill -9 at random moments", databases=EVERY)
def test_a_killed_server_loses_nothing_and_no_upload_gets_stuck(run: Run) -> None:
    kill_at_random(run, Upload)


@row("kill -9 at random moments, tus", databases=BOTH)
def test_a_killed_server_loses_nothing_of_appends_and_none_gets_stuck(run: Run) -> None:
    kill_at_random(run, TusUpload)


def kill_at_random(run: Run, kind: type[Upload]) -> None:
    """Kill the server under eight clients that upload in one way, then audit."""
    environment = run.fresh_environment()
    with Server(run.directory, environment) as server:
        uploads, size = run.amount(reduced=1, full=30), run.amount(reduced=40_000, full=400_000)
        clients = Clients(run, server, uploads, size=size, kind=kind)
        for _ in range(run.amount(reduced=2, full=100)):
            time.sleep(run.random.uniform(0, 0.4))
            with clients.hold():
                server.kill()
                run.tried()
                began = time.monotonic()
                server.start()
                run.sample("start", 1000 * (time.monotonic() - began))
                clients.check_stored()
        clients.last_call()
        clients.join()
        clients.check()
        audit(run, server, environment)
