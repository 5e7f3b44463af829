"""Nodes that break a promise on purpose: the verification must find each of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.sabotage import SABOTAGE, WAYS
from tests.faults.support_client import Http, Upload
from tests.support.concurrency import together
from tests.support.scorecard import CLUSTER, POSTGRESQL, Run, row


@pytest.mark.full
@row(
    "nodes that break a promise (control)",
    databases=(POSTGRESQL,),
    needs=CLUSTER,
    control=True,
)
def test_broken_nodes_are_found(run: Run) -> None:
    place = run.directory / "cluster"
    place.mkdir()
    # The hook takes long enough for two requests to be in it.
    environment = {"CLUSTER_HOOK_SECONDS": "0.5"}
    with Cluster(place, nodes=2, database=run.cluster, environment=environment) as cluster:
        for way in WAYS:
            _break(cluster, way)
            _use(run, cluster)
            found = cluster.verify()
            cluster.promises.clear()
            run.tried()
            assert any(way in complaint for complaint in found), f"{way}: not in {found}"
            for complaint in found:
                run.violation(complaint)
            run.count(f"× {way}", sum(way in complaint for complaint in found))


def _break(cluster: Cluster, way: str) -> None:
    """Have all nodes break one promise from now on."""
    for node in cluster.nodes:
        node.kill()
        node.environment[SABOTAGE] = way
        node.launch()
    for node in cluster.nodes:
        node.wait()


def _use(run: Run, cluster: Cluster) -> None:
    """Complete one upload on both nodes at once; lose a node with half of another one."""
    completed, begun = (_upload(run, cluster) for _ in range(2))
    while completed.acked < len(completed.data):
        completed.attempt()
    assert completed.upload_id is not None
    together(*(_completing(node.place.host, node.port, completed) for node in cluster.nodes))
    begun.attempt()
    for upload in (completed, begun):
        upload.http.close()
    cluster.nodes[0].kill()
    cluster.nodes[1].kill()


def _upload(run: Run, cluster: Cluster) -> Upload:
    upload = Upload(
        Http(cluster.port),
        random.Random(run.random.random()),
        size=200_000,
        chunk=100_000,
        filename="file.bin",
        root=cluster.directory,
        report=run.violation,
        wait=lambda: time.sleep(0.1),
    )
    cluster.expect(upload)
    return upload


def _completing(host: str, port: int, upload: Upload) -> Callable[[], int]:
    def complete() -> int:
        http = Http(port, host=host)
        try:
            return http.complete(str(upload.upload_id), upload.md5).status
        finally:
            http.close()

    return complete
