"""A cluster whose database is two PostgreSQL servers: a primary and its synchronous standby."""

from __future__ import annotations

from contextlib import ExitStack

from tests.cluster.cluster import Cluster
from tests.support import replication


class ReplicatedCluster(Cluster):
    """Nodes that find the primary by the URI of both.

    :ivar pair: the two; ``database`` is the one that was the primary at first.
    """

    pair: replication.Pair

    def _start_database(self, stack: ExitStack) -> None:
        host = self.network.database
        self.pair = stack.enter_context(replication.pair((host, host)))
        self.database, self.database_uri = self.pair.primary, self.pair.uri
