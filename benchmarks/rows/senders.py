"""The same chunks from ordinary clients: what it costs that head and body come apart."""

from __future__ import annotations

from functools import partial

from ..contest import Bench, opened, take_turn
from ..load import GIB, KIB, MIB
from ..peers.base import Runner, Sample, ServerRunner
from ..results import Measured
from ..senders import SENDERS, Job, Sender
from .base import Row, ours_raw

_SMALL = 64 * KIB


def _senders(bench: Bench, measured: Measured) -> None:
    size = bench.size(normal=16 * MIB, long=64 * MIB)
    count = max(1, size // _SMALL)
    measured.setup = f"{count:,} chunks of 64 KiB over one connection, one worker, {bench.turns}"
    bench.need(size)
    with opened(bench, [ours_raw()], measured) as runners:
        for sender in SENDERS:
            measured.titles[sender.key] = sender.title

        def work(sender: Sender, runner: Runner) -> Sample:
            assert isinstance(runner, ServerRunner)
            service = runner.service
            job = Job(service.port, bench.payload, size=_SMALL, count=count, place=bench.place)
            before = service.cpu_seconds()
            seconds = sender.send(job)
            spent = service.cpu_seconds() - before
            return {"rate": count / seconds, "cpu": spent / (count * _SMALL / GIB)}

        for turn in range(bench.repetitions + 1):
            for sender in SENDERS[:: -1 if turn % 2 else 1]:
                for key in list(runners):
                    take_turn(
                        runners,
                        measured,
                        key,
                        partial(work, sender),
                        label=sender.key,
                        count=turn > 0,
                    )


ROWS = [
    Row(
        "senders",
        "64 KiB chunks from ordinary clients",
        "Raw chunks, MD5, not durable. The load generator hands head and body to the kernel at"
        " once; ordinary clients do not. The first chunk and the completion are not measured.",
        _senders,
        metrics=("rate", "cpu"),
        baseline="one",
    )
]
