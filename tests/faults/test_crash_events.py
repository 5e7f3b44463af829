"""SIGKILL of the whole server at random moments: no event is lost, and none is invented.

As in test_crash_kill.py, while a webhook is told of each event and does not always take it. In the
end every upload that was completed has been told of, after its creation; every one that has expired
too; and nothing is told that has not happened.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from random import Random

from tests.faults.support_audit import audit, execute
from tests.faults.support_clients import Clients
from tests.support.receiver import LOOPBACK, SECRET, Receiver, receiving
from tests.support.scorecard import BOTH, Run, row
from tests.support.server import Server
from tests.support.site import wait_until

_WAITING = "SELECT count(*) FROM chunked_upload_event WHERE status = 1"
#: Leases of dead processes end at once, and what has failed is tried again.
_DUE = "UPDATE chunked_upload_event SET due_on = created_on WHERE status = 1"


@row("kill -9 at random moments, events", databases=BOTH)
def test_a_killed_server_loses_no_event(run: Run) -> None:
    with receiving() as receiver:
        environment = {
            **run.fresh_environment(),
            "CHUNKED_UPLOAD_WEBHOOKS": receiver.url,
            "CHUNKED_UPLOAD_WEBHOOK_SECRETS": SECRET,
            "CHUNKED_UPLOAD_WEBHOOK_NETWORKS": LOOPBACK,
        }
        receiver.failing = Random(run.seed)
        with Server(run.directory, {**environment, "WORKERS": "2"}) as server:
            _kill_under_clients(run, server)
            audit(run, server, environment)
            wait_until(
                lambda: _told_all(server, environment), seconds=120, what="all events are told"
            )
            _check(run, receiver, server, environment)


def _kill_under_clients(run: Run, server: Server) -> None:
    uploads = run.amount(reduced=1, full=30)
    clients = Clients(run, server, uploads, size=run.amount(reduced=40_000, full=100_000))
    for _ in range(run.amount(reduced=2, full=500)):
        # Or a busy machine would kill each server before its first answer.
        clients.wait_for_an_ack()
        time.sleep(run.random.uniform(0, 0.4))
        with clients.hold():
            server.kill()
            run.tried()
            server.start()
    clients.last_call()
    clients.join()
    clients.check()


def _told_all(server: Server, environment: dict[str, str]) -> bool:
    [[waiting]] = execute(server, environment, _WAITING)
    if waiting:
        execute(server, environment, _DUE)
        time.sleep(0.5)
    return not waiting


def _check(run: Run, receiver: Receiver, server: Server, environment: dict[str, str]) -> None:
    told: dict[str, list[str]] = {}
    taken = Counter[str]()
    for received in receiver.taken:
        message = json.loads(received.body)
        taken[received.headers["webhook-id"]] += 1
        told.setdefault(message["data"]["upload_id"], []).append(message["type"])
    rows = execute(server, environment, "SELECT upload_id FROM chunked_upload WHERE status = 2")
    complete = {upload_id for (upload_id,) in rows}
    for upload_id in complete:
        order = list(dict.fromkeys(told.get(upload_id, [])))
        right = order == ["upload.created", "upload.completed"]
        run.check(right, f"of a completed upload was told {order}")
    for upload_id, types in told.items():
        if upload_id not in complete:
            # One whose server died in its first chunk has expired without a creation.
            right = list(dict.fromkeys(types))[-1] == "upload.expired"
            run.check(right, f"of an upload that is gone was told {types}")
    run.count("events", len(taken))
    run.count("told again", taken.total() - len(taken))
    run.count("not taken at first", len(receiver.received) - len(receiver.taken))
