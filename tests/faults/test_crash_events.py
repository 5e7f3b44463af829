"""SIGKILL of the whole server at random moments: no event is lost, and none is invented.

As in test_crash_kill.py, while a webhook is told of each event and does not always take it. In the
end every upload that was completed has been told of, after its creation; every one that has expired
too; and nothing is told that has not happened. A server that dies in a delivery has used one of the
event's tries. An event that was unlucky ten times is a dead letter, which is sent again.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from random import Random

from chunked_upload.records.events import EventStatus
from tests.faults.support_audit import audit, command, execute
from tests.faults.support_clients import Clients
from tests.support.receiver import LOOPBACK, SECRET, Receiver, receiving
from tests.support.scorecard import BOTH, Run, row
from tests.support.server import Server
from tests.support.site import wait_until

_STATUS = "SELECT status, count(*) FROM chunked_upload_event GROUP BY status"
#: Uploads with dead letters, which are told late, after the events that followed them.
_LATE = "SELECT DISTINCT upload_id FROM chunked_upload_event WHERE status = 3"
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
            late: set[str] = set()
            wait_until(
                lambda: _told_all(run, server, environment, late),
                seconds=120,
                what="all events are told",
            )
            _check(run, receiver, server, environment, late)


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


def _told_all(run: Run, server: Server, environment: dict[str, str], late: set[str]) -> bool:
    events = {EventStatus(status): count for status, count in execute(server, environment, _STATUS)}
    if dead := events.get(EventStatus.DEAD, 0):
        run.count("dead letters sent again", dead)
        late.update(upload_id for (upload_id,) in execute(server, environment, _LATE))
        said = command(server, environment, "events", "resend", "--dead")
        run.check(said.returncode == 0, f"dead letters were not sent again: {said.stderr[-500:]}")
    waiting = events.get(EventStatus.WAITING, 0)
    if waiting or dead:
        execute(server, environment, _DUE)
        time.sleep(0.5)
    return not (waiting or dead)


def _check(
    run: Run, receiver: Receiver, server: Server, environment: dict[str, str], late: set[str]
) -> None:
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
        if upload_id in late:
            order.sort(reverse=True)
        right = order == ["upload.created", "upload.completed"]
        run.check(right, f"of a completed upload was told {order}")
    for upload_id, types in told.items():
        if upload_id not in complete:
            # One whose server died in its first chunk has expired without a creation.
            right = list(dict.fromkeys(types))[-1] == "upload.expired" or upload_id in late
            run.check(right, f"of an upload that is gone was told {types}")
    run.count("events", len(taken))
    run.count("told again", taken.total() - len(taken))
    run.count("not taken at first", len(receiver.received) - len(receiver.taken))
