"""From the start of a server's process to its first answer."""

from __future__ import annotations

import time

from ..contest import Bench, opened, take_turn
from ..peers.base import Runner, Sample, ServerRunner
from ..peers.naive_flask import NaiveFlask
from ..peers.tus_node import TusNode
from ..results import Measured
from .base import Row, ours_durable


def _start(bench: Bench, measured: Measured) -> None:
    measured.setup = f"one worker, files and database are there already, {bench.turns}"
    with opened(bench, [ours_durable(), NaiveFlask(), TusNode()], measured) as runners:
        for _ in range(bench.repetitions):
            for key in list(runners):
                take_turn(runners, measured, key, _restart)


def _restart(runner: Runner) -> Sample:
    assert isinstance(runner, ServerRunner)
    runner.service.stop()
    begun = time.perf_counter()
    runner.service.start()
    taken = time.perf_counter() - begun
    return {"start": taken, "start_cpu": runner.service.cpu_seconds()}


ROWS = [
    Row(
        "start",
        "Start",
        "From the start of the process to the first answer. A port is asked 200 times a second.",
        _start,
        metrics=("start", "start_cpu"),
        baseline=None,
    ),
]
