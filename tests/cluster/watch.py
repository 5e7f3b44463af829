"""Small uploads straight to each node: what it answers while a part fails, and how soon."""

from __future__ import annotations

import threading
import time
from random import Random
from typing import Any

from tests.cluster.clients import THINKING
from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.faults.support_client import Answer, Http, Unreachable, Upload
from tests.support.scorecard import Run, Size

#: Seconds in which each node must store something again once the part is back.
LONGEST_RECOVERY = 30


class WatchedHttp(Http):
    """Requests to one node, each of which must get a right answer in time."""

    def __init__(self, run: Run, node: Node, *, longest: float) -> None:
        super().__init__(node.port, timeout=2 * longest, host=node.place.host)
        self._run = run
        self._longest = longest
        self._name = node.name

    def request(self, *arguments: Any, **options: Any) -> Answer:
        if self._run.size is Size.REDUCED:
            time.sleep(THINKING)
        began = time.monotonic()
        try:
            answer = super().request(*arguments, **options)
        except Unreachable as error:
            self._run.violation(f"{self._name}, which runs, did not answer: {error!r}")
            raise
        seconds = time.monotonic() - began
        self._run.check(seconds < self._longest, f"answered only after {seconds:.0f} s: {answer}")
        if answer.status >= 500:
            self._check_refusal(answer)
            self._run.sample(f"{answer.status} after", seconds, "s")
        return answer

    def _check_refusal(self, answer: Answer) -> None:
        said = answer.status == 503 and answer.json.get("detail")
        waits = answer.headers is not None and "Retry-After" in answer.headers
        self._run.check(said and waits, f"refused without 503 and Retry-After: {answer}")


class Watch:
    """Some clients for each node, which upload until :meth:`finish`.

    :param longest: seconds in which each request must be answered, whatever has failed.
    """

    def __init__(self, run: Run, cluster: Cluster, *, longest: float) -> None:
        self._run = run
        self._longest = longest
        self._cluster = cluster
        self._enough = threading.Event()
        self._uploads: dict[Node, list[Upload]] = {node: [] for node in cluster.nodes}
        self._threads = [
            threading.Thread(target=self._work, args=(node, run.random.random()), daemon=True)
            for node in cluster.nodes
            for _ in range(run.amount(reduced=1, full=4))
        ]
        for thread in self._threads:
            thread.start()

    def must_go_on(self) -> None:
        """Wait until each node has stored something more; the part is back."""
        began = time.monotonic()
        before = {node: self._acks(node) for node in self._uploads}
        while waiting := [node.name for node in before if self._acks(node) <= before[node]]:
            if time.monotonic() - began > LONGEST_RECOVERY:
                self._run.violation(f"nothing goes on at {waiting} though the part is back")
                return
            time.sleep(0.01)
        self._run.sample("goes on after", time.monotonic() - began, "s")

    def finish(self) -> None:
        """Let each client end after the upload it is at."""
        self._enough.set()
        for thread in self._threads:
            thread.join()
        self._run.count("watched acks", sum(map(self._acks, self._uploads)))

    def _acks(self, node: Node) -> int:
        return sum(upload.acks for upload in list(self._uploads[node]))

    def _work(self, node: Node, seed: float) -> None:
        rng = Random(seed)
        http = WatchedHttp(self._run, node, longest=self._longest)
        while not self._enough.is_set():
            upload = Upload(
                http,
                rng,
                size=rng.randint(20, 200_000),
                chunk=20_000,
                filename="watched.bin",
                root=self._cluster.directory,
                report=self._run.violation,
                wait=lambda: time.sleep(0.1),
            )
            upload.PATIENCE = 600
            self._uploads[node].append(upload)
            self._cluster.expect(upload)
            upload.run()
        http.close()
