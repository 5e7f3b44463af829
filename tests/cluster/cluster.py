"""PostgreSQL, versitygw, nodes and a load balancer, as one thing that is started and stopped."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Self

from tests.cluster.network import Network
from tests.cluster.node import Node
from tests.cluster.verification import Promise, Verification
from tests.support import haproxy, nginx, postgres, s3

#: Load balancers, with the files of ``deploy/``.
Balancer = nginx.Nginx | haproxy.HAProxy
BALANCERS: dict[str, Callable[[Path, Sequence[str]], AbstractContextManager[Balancer]]] = {
    "nginx": nginx.before_nodes,
    "haproxy": haproxy.before_nodes,
}


class Cluster:
    """N nodes behind a balancer.

    :param directory: an empty directory of its own.
    :param nodes: how many.
    :param balancer: ``nginx`` or ``haproxy``.
    :param database: a running PostgreSQL, of which it uses a new database; without it, it runs one
        of its own, to which each node has a connection that can be cut.
    :param environment: more settings of all nodes.
    """

    nodes: list[Node]
    database: postgres.Cluster
    store: s3.Store
    balancer: Balancer
    #: URI of the database, and the bucket, that the nodes use.
    database_uri: str
    bucket: str
    network: Network

    def __init__(
        self,
        directory: Path,
        *,
        nodes: int = 4,
        balancer: str = "nginx",
        database: postgres.Cluster | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self._count = nodes
        self._balanced_by = balancer
        self._given = database
        self._environment = environment or {}
        self._promises: list[Promise] = []
        #: When the database was away or out of reach: beginnings and ends, in seconds of the clock.
        self.outages: list[tuple[float, float]] = []
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """Base URL of the balancer, without a slash at the end."""
        return self.balancer.url

    @property
    def port(self) -> int:
        """The balancer's port on 127.0.0.1."""
        return self.balancer.port

    @property
    def trace(self) -> Path:
        """The file to which hooks write (app.py)."""
        return self.directory / "trace"

    @property
    def promises(self) -> list[Promise]:
        """What clients were promised."""
        return self._promises

    def expect(self, promise: Promise) -> None:
        """Have :meth:`verify` check what a client was promised."""
        self._promises.append(promise)

    def verify(self) -> list[str]:
        """Finish what was begun, clean, and return everything that is not as it must be.

        Nodes that were killed or paused run afterwards.
        """
        return Verification(self).run()

    def storage(self) -> s3.ClientStorage:
        """Return a storage on the nodes' bucket, to look into."""
        return self.store.storage(self.bucket)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        self.network = stack.enter_context(Network(self._count))
        self._start_database(stack)
        self.store = stack.enter_context(s3.versitygw(self._made("store"), host=self.network.store))
        self.bucket = self.store.bucket()
        self._start_nodes(stack)
        before_nodes = BALANCERS[self._balanced_by]
        addresses = [node.address for node in self.nodes]
        self.balancer = stack.enter_context(before_nodes(self._made("balancer"), addresses))

    def _start_database(self, stack: ExitStack) -> None:
        self.database = self._given or stack.enter_context(
            postgres.cluster(host=self.network.database)
        )
        self.database_uri = self.database.another_database(f"cluster_{secrets.token_hex(6)}")

    def _start_nodes(self, stack: ExitStack) -> None:
        environment = self._settings()
        self.nodes = [
            Node(self._made(f"node{index}"), place, environment)
            for index, place in enumerate(self.network.places)
        ]
        for node in self.nodes:
            stack.callback(node.kill)
        self.nodes[0].start()  # it migrates the database, and the others find it migrated
        for node in self.nodes[1:]:
            node.launch()
        for node in self.nodes[1:]:
            node.wait()

    def _settings(self) -> dict[str, str]:
        python_path = os.pathsep.join(filter(None, [str(nginx.ROOT), os.environ.get("PYTHONPATH")]))
        return {
            "SECRET_KEY": "the same on all nodes",
            "CHUNKED_UPLOAD_DATABASE_URI": self.database_uri,
            "CHUNKED_UPLOAD_PROXY_HOPS": "1",
            "CHUNKED_UPLOAD_CONFIG": "tests.cluster.app.NodeConfig",
            "CLUSTER_TRACE": str(self.trace),
            "PYTHONPATH": python_path,
            **self.store.settings(self.bucket),
            **self._environment,
        }

    def _made(self, name: str) -> Path:
        directory = self.directory / name
        directory.mkdir()
        return directory
