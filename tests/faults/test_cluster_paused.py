"""A node stands still in every phase of an upload (SIGSTOP), and continues later.

Another node must go on meanwhile, at once. What the first one does when it continues must not
count:
neither for the client that got its answer from the other node, nor in record or store.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.cluster import gates
from tests.cluster.cluster import Cluster
from tests.cluster.verification import hook_runs
from tests.faults.support_client import Answer, Http, Unreachable
from tests.support.protocol import md5_of
from tests.support.s3 import MIB, PART
from tests.support.scorecard import CLUSTER, POSTGRESQL, Run, row
from tests.support.site import Stored, wait_until

_TUS = {"Tus-Resumable": "1.0.0"}
_BODY = {"Content-Type": "application/offset+octet-stream"}

#: Seconds within which another node must go on. At reduced size the machine has other work to do,
#: and only a node that waits for the first one fails: PostgreSQL gives a lock up after 10 seconds.
_TAKEOVER, _HANGS = 2, 8

#: Small: objects. Large: parts of a multipart upload, too.
_SMALL, _LARGE = 60_000, 2 * (PART + MIB)

#: How uploads are made, as size and whether by tus. At reduced size the first two take turns, one
#: for each phase.
_WAYS = [(_SMALL, False), (_LARGE, True), (_SMALL, True), (_LARGE, False)]


@dataclass
class Expected:
    """What a client was promised, for the cluster's verification."""

    upload_id: str | None
    data: bytes
    acked: int = 0
    complete: bool = False


class Trial:
    """One upload, begun on the node that stands still and continued on another one.

    :param tus: by tus, else by the chunk protocol.
    """

    def __init__(self, run: Run, cluster: Cluster, *, size: int, tus: bool) -> None:
        self.run = run
        self.cluster = cluster
        self.stopped, self.other = cluster.nodes[0], cluster.nodes[1]
        self.tus = tus
        self.data = run.random.randbytes(size)
        self.half = size // 2
        self.http = Http(self.other.port, host=self.other.place.host)
        self.stored = Stored(cluster.directory, cluster.database_uri)
        self.expected = Expected(None, self.data)
        cluster.expect(self.expected)
        self._answers: list[Answer | None] = []

    # Requests

    def create(self) -> None:
        """Create the upload on the other node, with its first half."""
        first = self.data[: self.half]
        if self.tus:
            headers = {**_TUS, **_BODY, "Upload-Length": str(len(self.data))}
            created = self.http.request("POST", "/uploads/tus/", first, headers)
            assert created.headers is not None
            upload_id = created.headers["Location"].rpartition("/")[2]
        else:
            upload_id = self.http.create(first, len(self.data), "file.bin").json["upload_id"]
        self.expected.upload_id, self.expected.acked = upload_id, self.half

    @property
    def upload_id(self) -> str:
        assert self.expected.upload_id is not None
        return self.expected.upload_id

    def send_rest(self, http: Http, offset: int = -1) -> Answer:
        """Send the bytes from an offset on, by default the second half."""
        offset = self.half if offset < 0 else offset
        rest = self.data[offset:]
        if not self.tus:
            return http.put(self.upload_id, rest, offset, len(self.data))
        headers = {**_TUS, **_BODY, "Upload-Offset": str(offset)}
        return http.request("PATCH", f"/uploads/tus/{self.upload_id}", rest, headers)

    def complete(self, http: Http) -> Answer:
        return http.complete(self.upload_id, md5_of(self.data))

    def delete(self, http: Http) -> Answer:
        return http.delete(self.upload_id)

    # Standing still

    def stop_in(self, gate: str, request: Callable[[Http], Answer]) -> threading.Thread:
        """Send a request to a node that then stands still at a gate; return its thread."""
        self.stopped.gates.close(gate)
        thread = threading.Thread(target=self._ask_stopped, args=(request,))
        thread.start()
        wait_until(lambda: self.stopped.at_gate, what=f"a node that stands {gate}")
        self.stopped.pause()
        return thread

    def _ask_stopped(self, request: Callable[[Http], Answer]) -> None:
        http = Http(self.stopped.port, host=self.stopped.place.host, timeout=120)
        try:
            self._answers.append(request(http))
        except Unreachable:
            self._answers.append(None)
        finally:
            http.close()

    def go_on(self, thread: threading.Thread) -> Answer | None:
        """Let the node continue; what it does must change nothing. Return what it answered."""
        before = self.record()
        self.stopped.resume()
        thread.join()
        after = self.record()
        self.run.check(after == before, f"a node that continued changed {before} to {after}")
        return self._answers[-1]

    def record(self) -> dict[str, Any] | None:
        """Return the upload's record; not what a lease and the hook's end leave there."""
        ignored = {"lease_token", "lease_until", "notified_on"}
        for row_ in self.stored.rows():
            if row_["upload_id"] == self.upload_id:
                return {name: value for name, value in row_.items() if name not in ignored}
        return None

    # The other node

    def finish_on_other(self) -> None:
        """Upload what is missing through the other node, and complete; it must not wait."""
        began = time.monotonic()
        offset = self._offset()
        if offset is not None and offset < len(self.data):
            self.run.check(offset >= self.half, f"the offset went back to {offset}")
            sent = self.send_rest(self.http, offset)
            self.run.check(sent.status in (200, 204), f"the other node does not go on: {sent}")
            took = time.monotonic() - began
            self.run.sample("takeover", 1000 * took)
            limit = self.run.amount(reduced=_HANGS, full=_TAKEOVER)
            self.run.check(took < limit, f"takeover took {took:.1f} s")
        done = self.complete(self.http)
        self.run.check(done.status == 200, f"the other node does not complete: {done}")
        self.expected.acked, self.expected.complete = len(self.data), True

    def _offset(self) -> int | None:
        if self.tus:
            path = f"/uploads/tus/{self.upload_id}"
            told = self.http.request("HEAD", path, headers=_TUS).headers
            assert told is not None
            return int(told["Upload-Offset"])
        offset: int = self.http.state(self.upload_id).json["offset"]
        return offset

    def close(self) -> None:
        self.http.close()
        self.stopped.gates.open_all()


@row("a paused node, and another one that goes on", databases=(POSTGRESQL,), needs=CLUSTER)
def test_what_a_paused_node_does_when_it_continues_counts_for_nothing(run: Run) -> None:
    place = run.directory / "cluster"
    place.mkdir()
    trials = list(product(_WAYS, PHASES))
    if run.amount(reduced=1, full=0):
        trials = [(_WAYS[index % 2], phase) for index, phase in enumerate(PHASES)]
    with Cluster(place, nodes=2, database=run.cluster) as cluster:
        for _ in range(run.amount(reduced=1, full=5)):
            for (size, tus), phase in trials:
                trial = Trial(run, cluster, size=size, tus=tus)
                run.tried()
                phase(trial)
                trial.close()
        for complaint in cluster.verify():
            run.violation(complaint)
        _check_hooks(run, cluster)


def while_receiving(trial: Trial) -> None:
    trial.create()
    rest = trial.data[trial.half :]
    with socket.create_connection((trial.stopped.place.host, trial.stopped.port)) as stalled:
        stalled.sendall(_head(trial, len(rest)) + rest[: len(rest) // 2])
        time.sleep(0.1)
        trial.stopped.pause()
        trial.finish_on_other()
        before = trial.record()
        trial.stopped.resume()
        stalled.sendall(b"X" * (len(rest) - len(rest) // 2))  # bytes that must not count
        stalled.settimeout(60)
        status = stalled.recv(4096).partition(b"\r\n")[0]
        trial.run.check(b" 20" not in status, f"bytes that do not count were accepted: {status!r}")
        trial.run.check(trial.record() == before, "a node that continued changed the record")


def _head(trial: Trial, length: int) -> bytes:
    lines = ["Host: node", f"Content-Length: {length}"]
    if trial.tus:
        lines += ["Tus-Resumable: 1.0.0", "Content-Type: application/offset+octet-stream"]
        lines += [f"Upload-Offset: {trial.half}"]
        first = f"PATCH /uploads/tus/{trial.upload_id} HTTP/1.1"
    else:
        size = len(trial.data)
        lines += [f"Content-Range: bytes {trial.half}-{size - 1}/{size}"]
        first = f"PUT /uploads/{trial.upload_id} HTTP/1.1"
    return "\r\n".join([first, *lines, "", ""]).encode()


def while_storing(gate: str) -> Callable[[Trial], None]:
    def phase(trial: Trial) -> None:
        trial.create()
        thread = trial.stop_in(gate, trial.send_rest)
        trial.finish_on_other()
        trial.go_on(thread)

    return phase


def while_completing(gate: str) -> Callable[[Trial], None]:
    def phase(trial: Trial) -> None:
        trial.create()
        if trial.tus:  # the last bytes complete it
            thread = trial.stop_in(gate, trial.send_rest)
        else:
            trial.send_rest(trial.http)
            thread = trial.stop_in(gate, trial.complete)
        trial.finish_on_other()
        answer = trial.go_on(thread)
        right = answer is None or answer.status in (200, 204)
        trial.run.check(right, f"a completion of the same file was refused: {answer}")

    return phase


def while_removing(gate: str) -> Callable[[Trial], None]:
    def phase(trial: Trial) -> None:
        trial.create()
        thread = trial.stop_in(gate, trial.delete)
        other = trial.delete(trial.http)
        trial.run.check(other.status in (204, 404), f"the other node does not delete: {other}")
        gone = trial.http.state(trial.upload_id)
        trial.run.check(gone.status == 404, f"a removed upload is there: {gone}")
        trial.stopped.resume()
        thread.join()
        trial.cluster.promises.remove(trial.expected)

    return phase


def while_other_removes(gate: str) -> Callable[[Trial], None]:
    """Remove the upload on the other node, while the first one stores or completes it."""

    def phase(trial: Trial) -> None:
        trial.create()
        if gate in gates.STORING or trial.tus:
            thread = trial.stop_in(gate, trial.send_rest)
        else:
            trial.send_rest(trial.http)
            thread = trial.stop_in(gate, trial.complete)
        removed = trial.delete(trial.http)
        trial.run.check(removed.status == 204, f"the other node does not delete: {removed}")
        answer = trial.go_on(thread)
        stored_before = gate == "after the commit" and not trial.tus
        right = answer is None or stored_before or answer.status in (404, 410)
        trial.run.check(right, f"a removed upload was answered {answer}")
        gone = trial.http.state(trial.upload_id)
        trial.run.check(gone.status == 404, f"a removed upload is there: {gone}")
        trial.cluster.promises.remove(trial.expected)

    return phase


PHASES = [
    while_receiving,
    *map(while_storing, gates.STORING),
    *map(while_completing, (*gates.COMPLETING, gates.HOOK)),
    *map(while_removing, gates.REMOVING),
    *map(while_other_removes, (*gates.STORING, *gates.COMPLETING[:3])),
]


def _check_hooks(run: Run, cluster: Cluster) -> None:
    for upload_id, runs in hook_runs(cluster.trace).items():
        run.check(len(runs) == 1, f"the hook of {upload_id} ran {len(runs)} times")
