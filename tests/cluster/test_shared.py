"""What nodes share: any of them may answer any request, also one whose clock is a day off."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.support import postgres

pytestmark = [pytest.mark.one_database, pytest.mark.long]

DAY = 24 * 60 * 60
HALF = b"x" * 50_000


class Reply(NamedTuple):
    status: int
    body: Any
    cookie: str


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, postgres_cluster: postgres.Cluster
) -> Iterator[Cluster]:
    settings = {
        "CHUNKED_UPLOAD_EXPIRATION_DELTA": str(DAY // 2),
        "CHUNKED_UPLOAD_MAX_OPEN_UPLOADS": "5",
        "CHUNKED_UPLOAD_SHARE": "1",
        "CLUSTER_HOOK_SECONDS": "0.3",
    }
    place = tmp_path_factory.mktemp("shared")
    with Cluster(place, nodes=2, database=postgres_cluster, environment=settings) as running:
        wrong = running.nodes[1]
        wrong.stop()
        wrong.environment["CLUSTER_CLOCK_AHEAD"] = str(DAY)
        wrong.start()
        yield running


def ask(node: Node, verb: str, path: str, body: bytes = b"", **headers: str) -> Reply:
    # As the balancer tells it; directly, each node would see another address of this client.
    sent = {"X-Forwarded-For": "192.0.2.1"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(node.address, timeout=60)
    try:
        connection.request(verb, path, body, sent)
        answer = connection.getresponse()
        raw = answer.read()
        cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]
    finally:
        connection.close()
    is_json = "json" in (answer.headers.get("Content-Type") or "")
    return Reply(answer.status, json.loads(raw) if is_json else raw, cookie)


def chunk(node: Node, start: int, upload_id: str = "", **headers: str) -> Reply:
    """Send one half of a file of two."""
    span = f"bytes {start}-{start + len(HALF) - 1}/{2 * len(HALF)}"
    path = f"/uploads/{upload_id}" if upload_id else "/uploads/?filename=a.bin"
    kind = "application/octet-stream"
    return ask(node, "POST", path, HALF, Content_Range=span, Content_Type=kind, **headers)


def complete(node: Node, upload_id: str) -> Reply:
    body = json.dumps({"upload_id": upload_id, "md5": hashlib.md5(2 * HALF).hexdigest()})
    return ask(node, "POST", "/uploads/complete", body.encode(), Content_Type="application/json")


def remove(cluster: Cluster, *upload_ids: str) -> None:
    for upload_id in upload_ids:
        assert ask(cluster.nodes[0], "DELETE", f"/uploads/{upload_id}").status == 204


@pytest.mark.parametrize("first", [0, 1])
def test_uploads_expire_by_the_databases_clock(cluster: Cluster, first: int) -> None:
    one, two = cluster.nodes[first], cluster.nodes[1 - first]
    upload_id = chunk(one, 0).body["upload_id"]
    for node in (one, two):
        cleaned = node.command("delete-expired-uploads")
        assert "0 incomplete uploads were deleted" in cleaned.stdout
        assert node.command("delete-orphans", "--yes").returncode in (0, 2)
    assert chunk(two, len(HALF), upload_id).status == 200
    assert complete(one, upload_id).status == 200
    remove(cluster, upload_id)
    # Whole seconds, of two clocks that are not read at the same moment.
    said = r"clock is (86399|86400|86401) seconds ahead of the database's"
    assert re.search(said, cluster.nodes[1].log.read_text())


def test_a_visitor_is_known_on_every_node(cluster: Cluster) -> None:
    one, two = cluster.nodes
    begun = chunk(one, 0)
    for node in (two, one):
        found = ask(node, "GET", "/uploads/?file=a.bin", Cookie=begun.cookie).body["file"]
        assert found["upload_id"] == begun.body["upload_id"]
    remove(cluster, begun.body["upload_id"])


def test_the_hook_runs_once_whoever_completes_and_retries(cluster: Cluster) -> None:
    one, two = cluster.nodes
    upload_id = chunk(one, 0).body["upload_id"]
    assert chunk(two, len(HALF), upload_id).status == 200
    with ThreadPoolExecutor(8) as threads:
        completing = [
            threads.submit(complete, cluster.nodes[number % 2], upload_id) for number in range(6)
        ]
        retrying = [threads.submit(node.command, "retry-completions") for node in (one, two)]
        assert {each.result().status for each in completing} == {200}
        assert {each.result().returncode for each in retrying} == {0}
    assert len(re.findall(f"begin {upload_id}", cluster.trace.read_text())) == 1
    remove(cluster, upload_id)


def test_a_quota_is_exact_over_all_nodes(cluster: Cluster) -> None:
    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(chunk, cluster.nodes[n % 2], 0) for n in range(16)]
        replies = [each.result() for each in asked]
    made = [reply.body["upload_id"] for reply in replies if reply.status == 200]
    assert len(made) == 5
    assert {reply.status for reply in replies} == {200, 413}
    remove(cluster, *made)


def test_a_link_works_on_every_node(cluster: Cluster) -> None:
    one, two = cluster.nodes
    begun = chunk(one, 0)
    upload_id = begun.body["upload_id"]
    chunk(two, len(HALF), upload_id)
    assert complete(two, upload_id).status == 200
    for maker, reader in ((one, two), (two, one)):
        made = ask(maker, "POST", f"/uploads/{upload_id}/shares", b"{}", Cookie=begun.cookie,
                   Content_Type="application/json")  # fmt: skip
        assert made.status in (200, 201), made
        path = re.sub("^https?://[^/]*", "", made.body["url"])
        assert ask(reader, "GET", path).body == 2 * HALF
    remove(cluster, upload_id)
