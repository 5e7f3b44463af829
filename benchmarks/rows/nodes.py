"""Several nodes: how throughput grows with their number when each has little of a processor.

The nodes share PostgreSQL, an S3 store and this machine. What they share, the load balancer and the
clients take the rest of its processors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.cluster import BALANCERS, Cluster
from tests.support import postgres

from ..contest import Bench, opened, take_turn
from ..cpu_quota import cpu_quota
from ..load import KIB, MIB, Payload, Task, run
from ..peers.base import Contestant, Runner, Sample, measured
from ..peers.chunked import ChunkedRaw
from ..results import Measured
from ..workshop import Unavailable, Workshop
from .base import Row

#: Of one processor, for each node.
_SHARE = 0.2

_MOST = 4
_COUNTS = (1, 2, _MOST)


@dataclass
class SomeNodes(Contestant):
    """The first nodes of a cluster behind a load balancer of their own."""

    cluster: Cluster
    count: int
    clients: int

    def __post_init__(self) -> None:
        self.key = f"nodes-{self.count}"
        self.title = "one node" if self.count == 1 else f"{self.count} nodes"

    def prepare(self, workshop: Workshop) -> None:
        """Nothing to install: the cluster runs."""

    def open(self, place: Path) -> Runner:
        return _Balanced(self.cluster, self.count, self.clients, place)


class _Balanced(Runner):
    def __init__(self, cluster: Cluster, count: int, clients: int, place: Path) -> None:
        place.mkdir(parents=True)
        addresses = [node.address for node in cluster.nodes[:count]]
        self._stack = ExitStack()
        self._port = self._stack.enter_context(BALANCERS["nginx"](place, addresses)).port
        self._storage = cluster.storage()
        self._clients = clients

    def run(self, payload: Payload, task: Task, *, clients: int = 1) -> Sample:
        timing = run(ChunkedRaw(), self._port, payload, task, clients=self._clients)
        return measured(timing, task, clients=self._clients)

    def clean(self) -> None:
        """Leave the bytes: there is room, and their removal would slow the next turn down."""

    def close(self) -> None:
        self._stack.close()


def _growth(size: int, chunk: int, clients: int, bench: Bench, measured: Measured) -> None:
    size = max(chunk, int(size * min(bench.scale, 1)))
    task = Task(size, chunk)
    measured.setup = (
        f"{clients} clients, files of {size // KIB:,} KiB in chunks of {chunk // KIB:,} KiB;"
        f" each node has {_SHARE:g} of a processor; {bench.turns}"
    )
    bench.need(len(_COUNTS) * (bench.repetitions + 1) * 2 * clients * size)
    try:
        with _limited(bench.place / "cluster") as cluster:
            some = [SomeNodes(cluster, count, clients) for count in _COUNTS]
            with opened(bench, some, measured) as runners:
                for turn in range(bench.repetitions + 1):
                    for key in list(runners)[:: -1 if turn % 2 else 1]:
                        take_turn(
                            runners,
                            measured,
                            key,
                            lambda runner: runner.run(bench.payload, task),
                            count=turn > 0,
                        )
    except pytest.skip.Exception as error:
        raise Unavailable(str(error)) from error


@contextmanager
def _limited(place: Path) -> Iterator[Cluster]:
    """Run a cluster whose nodes have so much of a processor each."""
    place.mkdir(parents=True)
    with ExitStack() as stack:
        database = stack.enter_context(postgres.cluster(fsync=True))
        nodes = Cluster(place, nodes=_MOST, database=database, environment={"WORKERS": "1"})
        cluster = stack.enter_context(nodes)
        for node in cluster.nodes:
            group = stack.enter_context(cpu_quota(node.name, _SHARE))
            group.add(node.pids)
            stack.callback(node.kill)  # a group goes once its processes have ended
        yield cluster


def _small(bench: Bench, measured: Measured) -> None:
    _growth(bench.size(normal=2 * MIB, long=4 * MIB), 64 * KIB, 8, bench, measured)


def _large(bench: Bench, measured: Measured) -> None:
    _growth(bench.size(normal=16 * MIB, long=32 * MIB), MIB, 8, bench, measured)


ROWS = [
    Row(
        "nodes-small",
        "Several nodes, 64 KiB chunks",
        "Nodes behind nginx, with PostgreSQL and an S3 store; each has a part of a processor.",
        _small,
        metrics=("rate",),
        baseline="nodes-1",
        extents=("long",),
    ),
    Row(
        "nodes",
        "Several nodes, 1 MiB chunks",
        "The same with larger chunks.",
        _large,
        metrics=("rate",),
        baseline="nodes-1",
        extents=("normal", "long"),
    ),
]
