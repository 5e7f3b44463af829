"""Parts of a cluster fail under clients: each is answered in time, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random

import pytest

from tests.cluster import parts
from tests.cluster.clients import Crowd
from tests.cluster.cluster import Cluster
from tests.cluster.network import has_namespaces
from tests.cluster.parts import Fault
from tests.cluster.replicated import ReplicatedCluster
from tests.cluster.slow_line import DistantCluster
from tests.cluster.watch import Watch
from tests.support.scorecard import CLUSTER, POSTGRESQL, Need, Run, Size, row

pytestmark = pytest.mark.long

NETWORK = Need("network namespaces", "run as root", has_namespaces, granted=True)

#: Seconds in which every request must be answered (docs/scaling.md): without the database, and
#: without the store, which is asked three times.
_LONGEST, _LONGEST_OF_STORE = 30, 75

#: How long a part is away, in seconds: shorter and longer than what waits for it.
_AWAY = (0.3, 1, 3, 16)


def _fail(run: Run, cluster: Cluster, faults: Sequence[Fault], *, times: int, longest: int) -> None:
    """Upload while parts fail, one after the other, and check what must be true at the end."""
    full = run.size is Size.FULL
    crowd = Crowd(run, cluster, clients=8 if full else 4, large=12_000_000 if full else 0)
    watch = Watch(run, cluster, longest=longest)
    for number in range(times):
        run.tried()
        time.sleep(run.random.random())
        with faults[number % len(faults)](run, cluster):
            time.sleep(_away(run.random) if full else 0.2)
        watch.must_go_on()
        if isinstance(cluster, ReplicatedCluster) and number + 1 < times:
            cluster.pair.replace()
    crowd.finish()
    watch.finish()
    for wrong in cluster.verify():
        run.violation(wrong)


def _away(rng: Random) -> float:
    return rng.choice(_AWAY) * rng.uniform(0.5, 1.5)


def _full_row(name: str, fault: Fault, *needs: Need, longest: int = _LONGEST) -> None:
    """Make a row that only the scorecard has: the tests below are its short form."""

    def run_it(run: Run) -> None:
        with Cluster(run.directory) as cluster:
            _fail(run, cluster, [fault], times=30, longest=longest)

    row(name, databases=(POSTGRESQL,), needs=(*CLUSTER, *needs))(run_it)


_full_row("4 nodes: database cut off", parts.database_cut_off, NETWORK)
_full_row("4 nodes: store cut off", parts.store_cut_off, NETWORK, longest=_LONGEST_OF_STORE)
_full_row("4 nodes: connections reset", parts.connections_reset, NETWORK, longest=_LONGEST_OF_STORE)
_full_row("4 nodes: PostgreSQL killed", parts.database_killed)
_full_row("4 nodes: store killed", parts.store_killed, longest=_LONGEST_OF_STORE)


@row("2 nodes: every part fails in turn", databases=(POSTGRESQL,), needs=(*CLUSTER, NETWORK))
def test_every_part_fails_in_turn(run: Run) -> None:
    faults = [parts.database_cut_off, parts.store_killed, parts.connections_reset]
    if run.size is Size.FULL:
        faults += [parts.store_cut_off, parts.database_killed]
    with Cluster(run.directory, nodes=2) as cluster:
        times = run.amount(reduced=3, full=30)
        _fail(run, cluster, faults, times=times, longest=_LONGEST_OF_STORE)


@pytest.mark.full
@row("2 nodes: slow lines to database and store", databases=(POSTGRESQL,), needs=CLUSTER)
def test_a_slow_network_loses_nothing(run: Run) -> None:
    """Each request is answered: late, or refused in time."""
    with DistantCluster(run.directory, nodes=2) as cluster:
        times = run.amount(reduced=1, full=30)
        _fail(run, cluster, [parts.lines_slow], times=times, longest=_LONGEST_OF_STORE)


@row("standby promoted", databases=(POSTGRESQL,), needs=CLUSTER)
def test_a_promoted_standby_has_every_acknowledged_byte(run: Run) -> None:
    nodes = run.amount(reduced=2, full=4)
    with ReplicatedCluster(run.directory, nodes=nodes) as cluster:
        times = run.amount(reduced=1, full=12)
        _fail(run, cluster, [parts.primary_lost], times=times, longest=_LONGEST)
