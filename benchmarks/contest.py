"""One row: contestants take turns at a task, A B C C B A …, all on the machine at the same time."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from . import machine
from .load import MIB, Payload, Task
from .peers.base import Contestant, Runner, Sample, ServerRunner
from .process import ServiceError
from .results import Measured
from .wire import LoadError
from .workshop import Unavailable, Workshop, tell

T = TypeVar("T")

#: Free space beyond a row's own bytes that must be left on the disk.
_SPARE_BYTES = 2 * 1024 * MIB


@dataclass
class Bench:
    """What holds for a whole run.

    :param place: where servers keep their data; on the disk that is to be measured.
    :param extent: ``quick``, ``normal`` or ``long``.
    :param only: keys of the contestants to take; empty for all.
    :param scale: factor for all sizes, to try things out.
    :param repetitions: turns of each contestant; by default 3 (quick) or 5.
    """

    place: Path
    extent: str = "normal"
    only: Sequence[str] = ()
    scale: float = 1.0
    repetitions: int = 0
    workshop: Workshop = field(default_factory=Workshop)
    payload: Payload = field(default_factory=Payload)

    def pick(self, *, quick: T, normal: T, long: T) -> T:
        """Return the value for this run's extent."""
        return {"quick": quick, "normal": normal, "long": long}[self.extent]

    def __post_init__(self) -> None:
        self.repetitions = self.repetitions or self.pick(quick=3, normal=5, long=5)

    def size(self, *, quick: int = 0, normal: int, long: int) -> int:
        """Return the size for this run's extent and scale, in whole MiB."""
        return (
            max(1, int(self.pick(quick=quick, normal=normal, long=long) * self.scale) // MIB) * MIB
        )

    @property
    def turns(self) -> str:
        """How often each contestant has its turn, in words."""
        return f"{self.repetitions} runs each" if self.repetitions > 1 else "one run each"

    def need(self, size: int) -> None:
        """Check that the disk has room.

        :raises Unavailable: otherwise.
        """
        self.place.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.place).free
        if free < size + _SPARE_BYTES:
            lacking = (size + _SPARE_BYTES - free) // MIB
            raise Unavailable(f"{lacking:,} MiB are lacking on the disk of {self.place}")


@contextlib.contextmanager
def opened(
    bench: Bench, contestants: Sequence[Contestant], measured: Measured
) -> Iterator[dict[str, Runner]]:
    """Set up and start the contestants; those that cannot take part are noted and left out."""
    runners: dict[str, Runner] = {}
    with contextlib.ExitStack() as stack:
        for contestant in contestants:
            key = contestant.key
            if bench.only and key not in bench.only:
                continue
            measured.titles[key] = contestant.title
            place = bench.place / key
            stack.callback(shutil.rmtree, place, ignore_errors=True)
            try:
                contestant.prepare(bench.workshop)
                runner = contestant.open(place)
            except (Unavailable, ServiceError) as error:
                measured.skip(key, str(error))
                continue
            stack.callback(runner.close)
            measured.versions[key] = dict(contestant.versions())
            if isinstance(runner, ServerRunner):
                measured.commands[key] = runner.service.command
            runners[key] = runner
        yield runners


def contest(
    bench: Bench,
    measured: Measured,
    contestants: Sequence[Contestant],
    task: Task,
    *,
    clients: int = 1,
) -> None:
    """Measure a task: every contestant warms up once and then has its turns."""
    bench.need(task.size * task.uploads * clients)
    with opened(bench, contestants, measured) as runners:
        warm_up = Task(min(task.size, 4 * task.chunk), task.chunk)
        for key in list(runners):
            take_turn(runners, measured, key, lambda r: _warm_up(r, bench, warm_up), count=False)
        for turn in range(bench.repetitions):
            # Forth and back: who always came after one that writes nothing would find cold memory.
            for key in list(runners)[:: -1 if turn % 2 else 1]:
                # Twice: some write every byte to a temporary file first.
                machine.warm_memory(bench.place, 2 * task.size * task.uploads * clients)
                take_turn(
                    runners, measured, key, lambda r: r.run(bench.payload, task, clients=clients)
                )


def _warm_up(runner: Runner, bench: Bench, task: Task) -> Sample:
    """Work a little, and look whether the bytes have arrived."""
    sample = runner.run(bench.payload, task)
    stored = runner.stored()
    if stored is not None and stored < task.size:
        raise LoadError(f"of {task.size} bytes that were sent it has stored {stored}")
    return sample


def take_turn(
    runners: dict[str, Runner],
    measured: Measured,
    key: str,
    work: Callable[[Runner], Sample],
    *,
    label: str | None = None,
    count: bool = True,
    clean: bool = True,
) -> None:
    """Let one contestant work once; one that fails is noted and takes no further part.

    :param label: key of the result, where a contestant has several.
    :param count: False for a turn that only warms up.
    :param clean: delete afterwards what it stored.
    """
    runner = runners[key]
    try:
        sample = work(runner)
    except (LoadError, Unavailable) as error:
        measured.skip(label or key, str(error))
        runners.pop(key).close()
        return
    finally:
        if clean:
            runner.clean()
    if count:
        measured.samples.setdefault(label or key, []).append(sample)
        told = ", ".join(f"{name} {value:.4g}" for name, value in sample.items())
        tell(f"{measured.row}: {label or key}: {told}")
