"""Bytes in an S3 store: this server beside the store alone, and beside its own disk."""

from __future__ import annotations

import pytest

from tests.support import s3

from ..contest import Bench, opened, take_turn
from ..load import MIB, Task
from ..peers.base import Contestant, Runner, Sample
from ..peers.object_store import StoreAlone
from ..peers.ours import Ours
from ..results import Measured
from .base import Row


def _object_store(bench: Bench, measured: Measured) -> None:
    task = Task(bench.size(normal=256 * MIB, long=1024 * MIB), 8 * MIB)
    large = Task(task.size, min(task.size, 128 * MIB))
    measured.setup = (
        f"{task.size // MIB:,} MiB in requests of 8 MiB or of {large.chunk // MIB} MiB, parts of"
        f" 8 MiB, versitygw on the same machine and disk, {bench.turns}"
    )
    bench.need(4 * task.size)
    place = bench.place / "versitygw"
    place.mkdir(parents=True, exist_ok=True)

    def work(runner: Runner) -> Sample:
        return runner.run(bench.payload, task)

    def work_in_large_requests(runner: Runner) -> Sample:
        return runner.run(bench.payload, large)

    try:
        with s3.versitygw(place) as store, opened(bench, _ways(store), measured) as runners:
            for turn in range(bench.repetitions + 1):
                for key in list(runners):
                    take_turn(runners, measured, key, work, count=turn > 0)
                    if key.startswith("ours") and key in runners:
                        label = f"{key}-large"
                        measured.titles[label] = f"{measured.titles[key]}, large requests"
                        take_turn(
                            runners,
                            measured,
                            key,
                            work_in_large_requests,
                            label=label,
                            count=turn > 0,
                        )
    except pytest.skip.Exception as error:
        measured.skip("ours-s3", str(error))


def _ways(store: s3.Store) -> list[Contestant]:
    bucket = store.bucket()
    environment = {
        "CHUNKED_UPLOAD_STORAGE": f"s3://{bucket}",
        "CHUNKED_UPLOAD_S3_ENDPOINT": store.url,
    }
    return [
        StoreAlone(store),
        Ours("ours-s3", "chunked-upload, on the store", protocol="raw", more=environment),
        Ours("ours-disk", "chunked-upload, on its disk", protocol="raw"),
    ]


ROWS = [
    Row(
        "object-store",
        "Object storage",
        "One file goes into an S3 store through this server, or by boto3 without it.",
        _object_store,
        ("speed", "complete", "cpu"),
        baseline="store",
    )
]
