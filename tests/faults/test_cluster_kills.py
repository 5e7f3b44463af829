"""Nodes of a cluster die at random moments, under clients that upload through the balancer.

Each node is killed and started again, over and over, on its own schedule: so there are moments with
all nodes and moments with none. A client's next request comes to any of them. However often: no
acknowledged byte is lost, every file is completed and its hook has run, and once the cleaner has
run, nothing is in the store that no record names.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from tests.cluster.clients import Crowd
from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.support.concurrency import at_once
from tests.support.scorecard import CLUSTER, POSTGRESQL, Run, row

#: Seconds after which no node is ended any more, however few it were.
_LONGEST = 3600


# The power cut below is one too, which loses the node's folder as well; one that comes back to its
# folder is in test_crash_kill.py.
@pytest.mark.full
@row("kill -9 of nodes at random moments", databases=(POSTGRESQL,), needs=CLUSTER)
def test_killed_nodes_lose_nothing(run: Run) -> None:
    end_nodes(run, Node.kill, run.amount(reduced=2, full=500))


@row("power cut of one node", databases=(POSTGRESQL,), needs=CLUSTER)
def test_a_node_without_its_disk_loses_nothing(run: Run) -> None:
    end_nodes(run, Node.power_cut, run.amount(reduced=2, full=100))


def end_nodes(run: Run, end: Callable[[Node], None], times: int) -> None:
    """End nodes in one way under eight clients, then look at what is left."""
    place, nodes = run.directory / "cluster", run.amount(reduced=2, full=4)
    place.mkdir()
    environment = {"CLUSTER_HOOK_SECONDS": "0.05"}
    with Cluster(place, nodes=nodes, database=run.cluster, environment=environment) as cluster:
        crowd = Crowd(
            run,
            cluster,
            clients=run.amount(reduced=4, full=8),
            large=run.amount(reduced=0, full=12_000_000),
        )
        deadline = time.monotonic() + _LONGEST

        def end_often(index: int) -> int:
            return _end_often(run, cluster.nodes[index], end, times // nodes, deadline)

        run.tried(sum(at_once(nodes, end_often)))
        crowd.finish()
        for complaint in cluster.verify():
            run.violation(complaint)


def _end_often(
    run: Run, node: Node, end: Callable[[Node], None], times: int, deadline: float
) -> int:
    """End a node and start it again, often; return how often.

    It lives for about as long as it takes to start, or on a busy machine no client would get on.
    """
    rng = random.Random(f"{run.seed} {node.name}")
    took = 0.5
    for done in range(times):
        if time.monotonic() > deadline:
            return done
        time.sleep(rng.uniform(0, 2) * took)
        end(node)
        began = time.monotonic()
        node.start()
        took = time.monotonic() - began
        run.sample("start", 1000 * took)
    return times
