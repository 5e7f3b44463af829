"""What takes part in a measurement: a server with its dialect, or a limit of the machine.

A contestant says how it is set up and started; opened, it is a :class:`Runner`, which does a task
and tells what it took. Runners of one row stay open together, idle ones costing nothing, and take
turns.
"""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from ..load import GIB, MIB, Dialect, Payload, Task, Timing, run
from ..process import Service
from ..workshop import Workshop

#: What a task took. ``speed``: MiB/s from the first request to the last reply, completion included;
#: ``rate``: chunks/s likewise; ``complete``: seconds of one completion; ``cpu``: seconds of
#: processor time of the server's processes per GiB.
Sample = dict[str, float]


class Runner(ABC):
    """A contestant that is ready to do tasks."""

    @abstractmethod
    def run(self, payload: Payload, task: Task, *, clients: int = 1) -> Sample:
        """Do a task and tell what it took."""

    def stored(self) -> int | None:
        """Return how many bytes lie in its files; None for what stores nothing."""
        return None

    def clean(self) -> None:  # noqa: B027 - optional
        """Delete the bytes of what was done so far."""

    def close(self) -> None:  # noqa: B027 - optional
        """End it. Idempotent."""


class Contestant(ABC):
    """A server or a limit that takes part.

    :ivar key: short name, for ``--contestants`` and the results.
    :ivar title: as the report calls it.
    """

    key: str
    title: str

    @abstractmethod
    def prepare(self, workshop: Workshop) -> None:
        """Install what it needs.

        :raises Unavailable: when that is not possible here.
        """

    def versions(self) -> Mapping[str, str]:
        """Return the versions of what is measured; after :meth:`prepare`."""
        return {}

    @abstractmethod
    def open(self, place: Path) -> Runner:
        """Start it, with all its data below ``place``."""


class ServerRunner(Runner):
    """A running server and the way to talk to it.

    :param files: where its uploads lie; their bytes are deleted between tasks, the files' folders
        and the server's database stay.
    """

    def __init__(
        self, service: Service, dialect: Dialect, files: Path, *, stores: bool = True
    ) -> None:
        self._stores = stores
        self.service = service
        self.dialect = dialect
        self.files = files
        service.start()

    def run(self, payload: Payload, task: Task, *, clients: int = 1) -> Sample:
        before = self.service.cpu_seconds()
        timing = run(self.dialect, self.service.port, payload, task, clients=clients)
        spent = self.service.cpu_seconds() - before
        return measured(timing, task, clients=clients, cpu=spent)

    def stored(self) -> int | None:
        return sum(path.stat().st_size for path in self._paths()) if self._stores else None

    def clean(self) -> None:
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return [Path(at, name) for at, _, names in os.walk(self.files) for name in names]

    def close(self) -> None:
        self.service.stop()


class Peer(Contestant):
    """A contestant that is a server.

    :param workers: its processes, where it can have several.
    :cvar stores: whether it stores what it is sent.
    """

    stores: ClassVar[bool] = True

    def __init__(self, *, workers: int = 1) -> None:
        self.workers = workers

    @abstractmethod
    def dialect(self) -> Dialect:
        """Return how to talk to it."""

    @abstractmethod
    def service(self, place: Path, files: Path) -> Service:
        """Return the server, not started yet, with its uploads in ``files``."""

    def open(self, place: Path) -> ServerRunner:
        shutil.rmtree(place, ignore_errors=True)
        files = place / "files"
        files.mkdir(parents=True)
        service = self.service(place, files)
        return ServerRunner(service, self.dialect(), files, stores=self.stores)


def measured(timing: Timing, task: Task, *, clients: int, cpu: float | None = None) -> Sample:
    """Turn times into rates."""
    seconds = timing.ended - timing.begun
    size = task.size * task.uploads * clients
    sample = {"speed": size / MIB / seconds, "rate": task.chunks * clients / seconds}
    if timing.completions:
        sample["complete"] = sorted(timing.completions)[len(timing.completions) // 2]
    if cpu is not None:
        sample["cpu"] = cpu / (size / GIB)
    return sample
