"""Parts of a cluster that fail for as long as a block lasts: network, database, store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.cluster.cluster import Cluster
from tests.cluster.replicated import ReplicatedCluster
from tests.cluster.slow_line import DistantCluster
from tests.support.scorecard import Run

#: A part fails as the block begins, and is back when it ends.
Fault = Callable[[Run, Cluster], AbstractContextManager[None]]

#: Seconds between two resets.
_RESETS = 0.05

#: Seconds by which a slow line is late, each way.
_DELAYS = (0.02, 0.1, 0.5)


@contextmanager
def database_cut_off(run: Run, cluster: Cluster) -> Iterator[None]:
    """Lose all packets between some nodes and the database."""
    with _cut(run, cluster, cluster.network.database), _without_database(cluster):
        yield


@contextmanager
def store_cut_off(run: Run, cluster: Cluster) -> Iterator[None]:
    """Lose all packets between some nodes and the store."""
    with _cut(run, cluster, cluster.network.store):
        yield


@contextmanager
def _cut(run: Run, cluster: Cluster, host: str) -> Iterator[None]:
    nodes = run.random.sample(cluster.nodes, run.random.randint(1, len(cluster.nodes)))
    for node in nodes:
        node.place.cut(host)
    try:
        yield
    finally:
        for node in nodes:
            node.place.mend(host)


@contextmanager
def connections_reset(run: Run, cluster: Cluster) -> Iterator[None]:
    """Reset the connections of all nodes to database and store, again and again."""
    until = time.monotonic() + run.random.uniform(0.1, 2)
    with _without_database(cluster):
        while time.monotonic() < until:
            for node in cluster.nodes:
                for host in (cluster.network.database, cluster.network.store):
                    node.place.reset(host)
            run.count("resets")
            time.sleep(_RESETS)
        yield


@contextmanager
def lines_slow(run: Run, cluster: Cluster) -> Iterator[None]:
    """Have what nodes, database and store say to each other arrive late."""
    assert isinstance(cluster, DistantCluster)
    delay = run.random.choice(_DELAYS)
    run.count(f"delays of {delay} s")
    for line in cluster.lines:
        line.delay = delay
    try:
        yield
    finally:
        for line in cluster.lines:
            line.delay = 0


@contextmanager
def database_killed(run: Run, cluster: Cluster) -> Iterator[None]:
    """SIGKILL PostgreSQL with all of its processes, and start it again."""
    with _without_database(cluster):
        cluster.database.kill()
        try:
            yield
        finally:
            cluster.database.start()


@contextmanager
def store_killed(run: Run, cluster: Cluster) -> Iterator[None]:
    """SIGKILL the store, and start it again."""
    cluster.store.stop()
    try:
        yield
    finally:
        cluster.store.start()


@contextmanager
def primary_lost(run: Run, cluster: Cluster) -> Iterator[None]:
    """SIGKILL the primary for good; after a while its synchronous standby is promoted."""
    assert isinstance(cluster, ReplicatedCluster)
    with _without_database(cluster):
        cluster.pair.primary.kill()
        try:
            yield
        finally:
            cluster.pair.take_over()


@contextmanager
def _without_database(cluster: Cluster) -> Iterator[None]:
    """Note that for some nodes the database is not there, and what they know cannot be recorded."""
    began = time.time()
    try:
        yield
    finally:
        cluster.outages.append((began, time.time()))
