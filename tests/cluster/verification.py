"""What must be true of database and store once the faults are over.

Every acknowledged byte is there: an upload that is not complete is finished from the recorded
offset on, with its MD5, so that the bytes before are proven without trusting any node. Completed
files are read back from the store itself. Then everything unfinished expires, the cleaner runs, and
the bucket must have the completed files and nothing else.
"""

from __future__ import annotations

import time
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.faults.support_client import Answer, Http, Unreachable
from tests.support.concurrency import spread
from tests.support.protocol import md5_of
from tests.support.site import Stored

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster

_COMPLETE = 2

#: Seconds until a dead node's completion lease is over (records/lease.py), and some.
_LEASE = 45

#: Seconds for which nodes may still be removing, in the background, what they no longer need.
_REMOVING = 5


class Promise(Protocol):
    """What a client was promised; the clients of ``tests/faults`` have all of it.

    :ivar upload_id: None until an answer has told it.
    :ivar data: the whole file.
    :ivar acked: bytes from its start that were acknowledged.
    :ivar complete: whether its completion was acknowledged.
    """

    upload_id: str | None
    data: bytes
    acked: int
    complete: bool


@dataclass(frozen=True)
class HookRun:
    """One run of the hook, as the trace tells; ``ended`` is None if it never did."""

    boot: str
    began: float
    ended: float | None


class Verification:
    """One look at a cluster; it leaves all nodes running."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stored = Stored(cluster.directory, cluster.database_uri)
        self._storage = cluster.storage()
        self._found: list[str] = []

    def run(self) -> list[str]:
        """Return everything that is wrong."""
        self._revive()
        promises = [each for each in self._cluster.promises if each.upload_id is not None]
        spread(promises, self._finish)
        self._run_hooks()
        self._clean()
        rows = {row["upload_id"]: row for row in self._stored.rows()}
        spread(promises, lambda promise: self._check_promise(promise, rows))
        spread(rows.values(), self._check_row)
        self._check_hooks(rows)
        self._check_leftovers(rows)
        return self._found

    def _check(self, holds: object, what: str) -> bool:
        if not holds:
            self._found.append(what)
        return bool(holds)

    def _revive(self) -> None:
        for node in self._cluster.nodes:
            if node.running:
                node.resume()
            else:
                node.launch()
        for node in self._cluster.nodes:
            node.wait()

    # What clients were promised

    def _finish(self, promise: Promise) -> None:
        """Send what an unfinished upload lacks, and complete it."""
        http = Http(self._cluster.port)
        try:
            state = self._asked(http, "GET", f"/uploads/{promise.upload_id}")
            if not self._check(state.status == 200, f"{_name(promise)} is gone: {state.status}"):
                return
            if state.json["status"] == _COMPLETE:
                return
            self._check(not promise.complete, f"{_name(promise)} is no longer complete")
            offset = state.json["offset"]
            self._check(
                offset >= promise.acked,
                f"{_name(promise)}: {promise.acked} bytes were acknowledged, {offset} are recorded",
            )
            self._send_rest(http, promise, offset)
        finally:
            http.close()

    def _send_rest(self, http: Http, promise: Promise, offset: int) -> None:
        size = len(promise.data)
        while offset < size:
            piece = promise.data[offset : offset + 2**20]
            headers = {"Content-Range": f"bytes {offset}-{offset + len(piece) - 1}/{size}"}
            path = f"/uploads/{promise.upload_id}"
            sent = self._asked(http, "PUT", path, piece, headers)
            if not self._check(sent.status == 200, f"{_name(promise)} does not go on: {sent}"):
                return
            offset += len(piece)
        body = urllib.parse.urlencode({"upload_id": promise.upload_id, "md5": md5_of(promise.data)})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        done = self._asked(http, "POST", "/uploads/complete", body, form)
        self._check(done.status == 200, f"{_name(promise)} cannot be completed: {done}")

    def _asked(self, http: Http, *request: Any) -> Answer:
        """Send a request, again if nobody answers: the balancer may still avoid a node."""
        answer = Answer(0, b"no answer")
        for _ in range(50):
            try:
                answer = http.request(*request)
            except Unreachable:
                answer = Answer(0, b"no answer")
            if 0 < answer.status < 500:
                return answer
            time.sleep(0.1)
        return answer

    def _check_promise(self, promise: Promise, rows: dict[str, dict[str, Any]]) -> None:
        row = rows.get(promise.upload_id or "")
        if row is None or row["status"] != _COMPLETE:
            self._check(False, f"{_name(promise)} is not complete at the end")
        else:
            right = md5_of(self._content(row["path"])) == md5_of(promise.data)
            self._check(right, f"{_name(promise)}: the store has other bytes than were sent")

    def _check_row(self, row: dict[str, Any]) -> None:
        """Check a record that the cleaner has left: it must be complete, and its file there."""
        name = row["upload_id"]
        if not self._check(row["status"] == _COMPLETE, f"{name}: status {row['status']} remains"):
            return
        content = self._content(row["path"])
        self._check(len(content) == row["offset"], f"{name}: {len(content)} bytes are in the store")
        self._check(md5_of(content) in str(row["checksums"]), f"{name}: not the recorded MD5")

    def _content(self, path: str) -> bytes:
        try:
            with self._storage.open(path) as file:
                return file.read()
        except FileNotFoundError:
            return b"(no such object)"

    # Hooks

    def _run_hooks(self) -> None:
        """Retry hooks until each has run; a dead node's lease must be over first."""
        deadline = time.monotonic() + _LEASE
        while waiting := [row for row in self._stored.rows() if _awaits_hook(row)]:
            if time.monotonic() > deadline:
                break
            self._cluster.nodes[0].command("retry-completions")
            time.sleep(0.5)
        self._check(not waiting, f"the hook never ran for {[row['upload_id'] for row in waiting]}")

    def _check_hooks(self, rows: dict[str, dict[str, Any]]) -> None:
        """Each hook ran once; a further run may only follow the death of the node before."""
        runs = hook_runs(self._cluster.trace)
        for upload_id in rows:
            self._check(runs.get(upload_id), f"{upload_id}: no run of the hook")
        for upload_id, ordered in runs.items():
            for run, following in pairwise(ordered):
                ended = self._end_of(run.boot)
                died_before = ended is not None and ended < following.began
                self._check(
                    died_before or self._could_not_be_recorded(run, following),
                    f"{upload_id}: the hook ran again although the node that ran it lived",
                )

    def _could_not_be_recorded(self, run: HookRun, following: HookRun) -> bool:
        """Whether the database was away between two runs: nobody can know of the first one then."""
        return any(
            began < following.began and run.began < ended for began, ended in self._cluster.outages
        )

    def _end_of(self, boot: str) -> float | None:
        ends = (node.ended(boot) for node in self._cluster.nodes)
        return next((end for end in ends if end is not None), None)

    # What is left

    def _clean(self) -> None:
        """Let every unfinished upload expire, and clean.

        Again if records are left: what a client named stays marked until it expires once more.
        """
        for number in range(2):
            if number and all(row["status"] == _COMPLETE for row in self._stored.rows()):
                break
            self._stored.expire()
            for command in (
                ("delete-expired-uploads",),
                ("delete-orphans", "--grace", "0", "--delete", "--force"),
            ):
                said = self._cluster.nodes[0].command(*command)
                self._check(said.returncode == 0, f"{command[0]} failed: {said.stderr[-500:]}")

    def _check_leftovers(self, rows: dict[str, dict[str, Any]]) -> None:
        named = {row["path"] for row in rows.values()}
        deadline = time.monotonic() + _REMOVING
        while True:
            objects = set(self._storage.all_keys()) - named
            multiparts = self._storage.multiparts()
            if not (objects or multiparts) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        self._check(
            not objects, f"objects without a record: {sorted(objects)[:6]} ({len(objects)})"
        )
        self._check(not multiparts, f"multipart uploads without a record: {multiparts[:6]}")


def hook_runs(trace: Path) -> dict[str, list[HookRun]]:
    """Return each upload's runs of the hook, in the order in which they began."""
    ends: dict[tuple[str, str], float] = {}
    begins: list[tuple[str, str, float]] = []
    for what, upload_id, boot, seconds in _lines(trace):
        if what == "begin":
            begins.append((upload_id, boot, float(seconds)))
        else:
            ends[upload_id, boot] = float(seconds)
    runs: dict[str, list[HookRun]] = defaultdict(list)
    for upload_id, boot, began in begins:
        runs[upload_id].append(HookRun(boot, began, ends.get((upload_id, boot))))
    return runs


def _lines(trace: Path) -> Iterator[list[str]]:
    if trace.exists():
        for line in trace.read_text().splitlines():
            yield line.split()


def _awaits_hook(row: dict[str, Any]) -> bool:
    return row["status"] == _COMPLETE and row["notified_on"] is None


def _name(promise: Promise) -> str:
    return f"upload {promise.upload_id} ({len(promise.data)} bytes)"
