"""Chunks of many uploads at once, in random order, to two hosts.

Sixteen workers send the chunks of two hundred files through the balancer, each the next one of a
shuffled list. So chunks of a file arrive in any order, and several at once on different hosts. No
request may fail, and each file must be complete once, and equal.
"""

from __future__ import annotations

import random
from contextlib import suppress

from tests.cluster.clients import DropzoneUpload
from tests.cluster.cluster import Cluster
from tests.faults.support_client import Answer, Http
from tests.support.concurrency import at_once
from tests.support.scorecard import CLUSTER, POSTGRESQL, Run, row

_WORKERS = 16


@row("uploads by 16 workers on 2 hosts, in random order", databases=(POSTGRESQL,), needs=CLUSTER)
def test_chunks_in_random_order_on_two_hosts(run: Run) -> None:
    place = run.directory / "cluster"
    place.mkdir()
    with Cluster(place, nodes=2, database=run.cluster) as cluster:
        uploads = [_upload(run, cluster) for _ in range(run.amount(reduced=12, full=200))]
        waiting = [(upload, index) for upload in uploads for index in range(upload.count)]
        run.random.shuffle(waiting)
        sent = _send(cluster, waiting)
        for upload in uploads:
            answers = sent[id(upload)]
            _settle(run, upload, answers)
            cluster.expect(upload)
        for complaint in cluster.verify():
            run.violation(complaint)


def _upload(run: Run, cluster: Cluster) -> DropzoneUpload:
    size = run.random.randint(1, 400_000)
    return DropzoneUpload(
        Http(cluster.port),
        random.Random(run.random.random()),
        size=size,
        chunk=max(1, size // run.random.randint(2, 8)),
        filename="same name.bin",
        root=cluster.directory,
        report=run.violation,
        wait=lambda: None,
    )


def _send(cluster: Cluster, waiting: list[tuple[DropzoneUpload, int]]) -> dict[int, list[Answer]]:
    """Send chunks, sixteen at a time; return each upload's answers."""
    answers: dict[int, list[Answer]] = {id(upload): [] for upload, _ in waiting}

    def work(_number: int) -> None:
        http = Http(cluster.port)
        with suppress(IndexError):
            while True:
                upload, index = waiting.pop()
                answers[id(upload)].append(upload.post(index, http))
        http.close()

    at_once(_WORKERS, work)
    return answers


def _settle(run: Run, upload: DropzoneUpload, answers: list[Answer]) -> None:
    """Check an upload's answers, and note what they promise."""
    run.tried()
    for answer in answers:
        run.count(f"answers {answer.status}")
        run.check(answer.status == 200, f"a chunk was refused: {answer}")
    told = [answer.json for answer in answers if answer.status == 200]
    run.check(any(each.get("status") == 2 for each in told), f"no answer says complete: {told}")
    ids = {each["upload_id"] for each in told}
    if run.check(len(ids) == 1, f"one file is {len(ids)} uploads"):
        upload.upload_id = ids.pop()
    upload.acked, upload.complete = len(upload.data), True
