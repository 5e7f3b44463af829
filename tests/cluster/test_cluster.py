"""The cluster that the rows of the scorecard use."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.network import Network, has_namespaces
from tests.cluster.walk import MIB, walk
from tests.faults.support_client import Http, Upload
from tests.support import postgres
from tests.support.site import Stored

pytestmark = [pytest.mark.one_database, pytest.mark.long]


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, postgres_cluster: postgres.Cluster
) -> Iterator[Cluster]:
    place = tmp_path_factory.mktemp("cluster")
    with Cluster(place, nodes=2, balancer="haproxy", database=postgres_cluster) as running:
        yield running


def upload(cluster: Cluster, size: int) -> Upload:
    """Return an upload of a file, not begun, of which the cluster's verification knows."""
    made = Upload(
        Http(cluster.port),
        random.Random(size),
        size=size,
        chunk=max(1, size // 3),
        filename="file.bin",
        root=cluster.directory,
        report=pytest.fail,
        wait=lambda: time.sleep(0.05),
    )
    cluster.expect(made)
    return made


def test_an_upload_survives_a_node_and_its_disk(cluster: Cluster) -> None:
    one, two = cluster.nodes
    finished, begun = upload(cluster, 6_000_000), upload(cluster, 300_000)
    assert finished.run()
    begun.attempt()
    one.pause()
    assert one.paused
    one.power_cut()
    assert two.running
    finished.http.close()
    begun.http.close()
    assert cluster.verify() == []


def test_the_verification_finds_what_is_wrong(cluster: Cluster) -> None:
    """The short form of the scorecard's control, whose nodes break promises themselves."""
    finished, begun, removed = (upload(cluster, size) for size in (1000, 2000, 3000))
    assert finished.run()
    begun.attempt()
    removed.attempt()
    assert removed.http.delete(str(removed.upload_id)).status == 204
    begun.acked += 1
    storage = cluster.storage()
    rows = Stored(cluster.directory, cluster.database_uri).rows()
    [file] = [row["path"] for row in rows if row["upload_id"] == finished.upload_id]
    storage.store().put_object(Bucket=storage.bucket, Key=file, Body=bytes(1000))
    again = f"begin {finished.upload_id} {'0' * 12} {time.time()}\n"
    with cluster.trace.open("a") as trace:
        trace.write(again)
    found = "\n".join(cluster.verify())
    for complaint in (
        f"{begun.acked} bytes were acknowledged, {begun.acked - 1} are recorded",
        f"{removed.upload_id} (3000 bytes) is gone",
        f"{finished.upload_id} (1000 bytes): the store has other bytes",
        f"{finished.upload_id}: the hook ran again",
    ):
        assert complaint in found
    cluster.promises.clear()
    cluster.trace.write_text(cluster.trace.read_text().replace(again, ""))
    assert finished.http.delete(str(finished.upload_id)).status == 204
    for each in (finished, begun, removed):
        each.http.close()
    assert cluster.verify() == []


def test_a_file_arrives_while_the_node_that_receives_it_is_killed_twice(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The walk of ``python -m tests.cluster.walk``, with a file that is not large."""
    said: list[str] = []
    walk(cluster, tmp_path, size=12 * MIB, kills=2, chunk="1M", rate="1M", say=said.append)
    assert sum("kill -9" in line for line in said) == 2


def test_a_network_gives_this_host_no_address() -> None:
    """A browser that notices a new address breaks off what its pages are loading (network.py)."""
    with Network(2) as network, socket.create_server((network.database, 0)):
        _, second, third, _ = network.database.split(".")
        line = f"cu{second}-{third}-"
        for shown, count in (("link", 2 if has_namespaces() else 0), ("addr", 0)):
            listed = subprocess.run(["ip", "-o", shown], capture_output=True, text=True, check=True)
            assert listed.stdout.count(line) == count
