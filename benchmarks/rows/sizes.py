"""What must not depend on size: the time to complete, and memory."""

from __future__ import annotations

from ..contest import Bench, opened, take_turn
from ..load import GIB, MIB, Task
from ..peers.base import Runner, Sample, ServerRunner
from ..peers.django_chunked_upload import DjangoChunkedUpload
from ..peers.drf_chunked_upload import DrfChunkedUpload
from ..results import Measured
from .base import Row, ours, ours_durable, peers

_CHUNK = 64 * MIB

#: Runs of each size in GiB: of ours, of ours not durable, of the peers, which take long.
_RUNS = {
    "normal": {1: (5, 3, 2), 4: (3, 0, 0)},
    "long": {1: (5, 5, 3), 4: (3, 3, 1), 16: (3, 0, 0)},
}


def _complete(bench: Bench, measured: Measured) -> None:
    plan = {
        int(gib * bench.scale * GIB) // MIB * MIB: runs
        for gib, runs in _RUNS["long" if bench.extent == "long" else "normal"].items()
    }
    measured.setup = f"chunks of {_CHUNK // MIB} MiB, one client, one worker; runs: " + ", ".join(
        f"{_named(size)}: {runs[0]}" for size, runs in plan.items()
    )
    bench.need(max(plan))
    contestants = [ours_durable(), ours(), DjangoChunkedUpload(), DrfChunkedUpload()]
    with opened(bench, contestants, measured) as runners:
        titles = dict(measured.titles)
        for size, (most, some, few) in plan.items():
            for key, title in titles.items():
                measured.titles[f"{key} {_named(size)}"] = f"{title}, {_named(size)}"
            turns = {"ours-durable": most, "ours": some}
            for turn in range(most):
                for key in list(runners):
                    if turn < turns.get(key, few):
                        _upload(bench, measured, runners, key, size)


def _upload(
    bench: Bench, measured: Measured, runners: dict[str, Runner], key: str, size: int
) -> None:
    take_turn(
        runners,
        measured,
        key,
        lambda runner: runner.run(bench.payload, Task(size, _CHUNK)),
        label=f"{key} {_named(size)}",
    )


def _named(size: int) -> str:
    return f"{size // GIB} GiB" if size >= GIB else f"{size // MIB} MiB"


def _memory(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=GIB, long=GIB)
    measured.setup = f"one chunk of {_named(size)}, one worker, one run each"
    bench.need(2 * size)

    def work(runner: Runner) -> Sample:
        assert isinstance(runner, ServerRunner)
        before = runner.service.memory().now
        runner.service.forget_peak()
        sample = runner.run(bench.payload, Task(size, size))
        peak = float(runner.service.memory().peak)
        return {"peak": peak, "idle": float(before), "speed": sample["speed"]}

    with opened(bench, [ours(), ours_durable(), *peers()], measured) as runners:
        for key in list(runners):
            take_turn(runners, measured, key, work)


ROWS = [
    Row(
        "complete",
        "Time to complete, by size",
        "From the last chunk's reply to the completion's. Both Django peers read the whole file"
        " again to hash it.",
        _complete,
        metrics=("complete", "speed", "cpu"),
        baseline=None,
    ),
    Row(
        "memory",
        "Memory with a chunk of 1 GiB",
        "The peak of the largest process (VmHWM), and what it had before.",
        _memory,
        metrics=("peak", "idle", "speed"),
        baseline=None,
    ),
]
