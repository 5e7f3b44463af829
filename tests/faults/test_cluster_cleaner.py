"""The cleaner on every node at once, beside running uploads.

Every node runs ``delete-expired-uploads`` and ``delete-orphans``, over and over and all at the same
moment, while clients upload. Abandoned uploads expire meanwhile. Each is removed once, by one of
the nodes, and nothing that clients are uploading is touched.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

from tests.cluster.clients import KINDS, Crowd
from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.faults.support_client import Http
from tests.support.concurrency import together
from tests.support.scorecard import CLUSTER, POSTGRESQL, Run, row
from tests.support.site import Stored

#: Seconds for which the cleaner leaves parts alone that no record names (yet).
_GRACE = 2


@row("the cleaner on 4 nodes, beside uploads", databases=(POSTGRESQL,), needs=CLUSTER)
def test_each_expired_upload_is_removed_once_and_no_other(run: Run) -> None:
    place, nodes = run.directory / "cluster", run.amount(reduced=2, full=4)
    place.mkdir()
    with Cluster(place, nodes=nodes, database=run.cluster) as cluster:
        stored = Stored(place, cluster.database_uri)
        crowd = Crowd(
            run,
            cluster,
            clients=run.amount(reduced=1, full=4),
            large=run.amount(reduced=0, full=12_000_000),
        )
        for _ in range(run.amount(reduced=1, full=10)):
            abandoned = [_abandoned(run, cluster) for _ in range(run.amount(reduced=8, full=25))]
            time.sleep(_GRACE)
            stored.expire(*abandoned)
            removed = sum(together(*(_cleaning(run, node) for node in cluster.nodes)))
            run.tried(len(abandoned))
            run.check(
                removed == len(abandoned), f"{len(abandoned)} expired, {removed} were removed"
            )
            left = {row_["upload_id"] for row_ in stored.rows()} & set(abandoned)
            run.check(not left, f"{len(left)} expired uploads are still there")
        crowd.finish()
        for complaint in cluster.verify():
            run.violation(complaint)


def _abandoned(run: Run, cluster: Cluster) -> str:
    """Begin an upload that nobody continues; return its id."""
    size = run.random.randint(1000, 300_000)
    http = Http(cluster.port)
    upload = run.random.choice(KINDS[:-1])(  # Dropzone's stay marked, to refuse late chunks
        http,
        random.Random(run.random.random()),
        size=size,
        chunk=size // 4,
        filename="abandoned.bin",
        root=cluster.directory,
        report=run.violation,
        wait=lambda: time.sleep(0.1),
    )
    while upload.upload_id is None:
        upload.attempt()
    http.close()
    return upload.upload_id


def _cleaning(run: Run, node: Node) -> Callable[[], int]:
    """Return what cleans on a node, and returns how many uploads it has removed."""

    def clean() -> int:
        expired = node.command("delete-expired-uploads")
        orphans = node.command("delete-orphans", "--grace", str(_GRACE), "--delete")
        for said in (expired, orphans):
            run.check(said.returncode == 0, f"a cleaner failed: {said.stdout}{said.stderr[-500:]}")
        run.count("cleaner runs", 2)
        found = re.search(r"(\d+) incomplete uploads? (?:was|were) deleted", expired.stdout)
        return int(found[1]) if found else 0

    return clean
