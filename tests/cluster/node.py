"""A node: ``chunked-upload serve`` with an instance folder and temporary files of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.cluster.gates import GATES, Gates
from tests.cluster.network import Place
from tests.support import preloaded
from tests.support.concurrency import stands
from tests.support.server import PROGRAM, Server


class Node:
    """One of the cluster's nodes; start, pause and kill it as often as needed.

    :param directory: what a host has of its own.
    :param place: its address.
    :param environment: the settings of all nodes.
    :ivar gates: where it can be stopped.
    """

    def __init__(self, directory: Path, place: Place, environment: dict[str, str]) -> None:
        self.gates = Gates(directory.with_name(f"{directory.name}-gates"))
        self.name = directory.name
        self.directory = directory
        self.place = place
        self._boots: list[str] = []
        self._ends: dict[str, float] = {}
        self._server = Server(directory, environment, host=place.host, namespace=place.namespace)
        self.environment["TMPDIR"] = str(directory / "tmp")
        self.environment[GATES] = str(self.gates.directory)

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end; past the balancer."""
        return self._server.url

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.place.host}:{self._server.port}"

    @property
    def port(self) -> int:
        """The port on :attr:`place`'s host."""
        return self._server.port

    @property
    def pid(self) -> int:
        """The main process."""
        return self._server.pid

    @property
    def pids(self) -> list[int]:
        """All its processes."""
        return self._server.workers()

    @property
    def running(self) -> bool:
        """Whether its main process is there."""
        return self._server.running

    @property
    def log(self) -> Path:
        """What it has written."""
        return self._server.log

    @property
    def environment(self) -> dict[str, str]:
        """What the next start finds in its environment; may be changed."""
        return self._server.environment

    def start(self) -> Self:
        """Start, and wait until it answers."""
        self.launch()
        return self.wait()

    def launch(self) -> None:
        """Start, and return at once."""
        (self.directory / "tmp").mkdir(parents=True, exist_ok=True)
        boot = uuid.uuid4().hex[:12]
        self._boots.append(boot)
        self.environment["CLUSTER_BOOT"] = boot
        self._server.launch()

    def wait(self) -> Self:
        """Wait until it answers."""
        self._server.wait_until_up()
        return self

    def kill(self) -> None:
        """SIGKILL all its processes at once, also those of a paused node."""
        self._server.kill()
        self._note_end()

    def stop(self) -> int:
        """Stop it as an operator would; returns its exit code."""
        code = self._server.stop()
        self._note_end()
        return code

    def _note_end(self) -> None:
        if self._boots:
            self._ends.setdefault(self._boots[-1], time.time())

    def power_cut(self) -> None:
        """Kill it, and lose its instance folder and its temporary files."""
        self.kill()
        shutil.rmtree(self.directory)
        self.directory.mkdir()

    def pause(self) -> None:
        """SIGSTOP all its processes; returns when all their threads stand."""
        os.killpg(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 10
        while not self.paused and time.monotonic() < deadline:
            time.sleep(0.001)

    @property
    def paused(self) -> bool:
        """Whether all its threads stand."""
        return all(stands(pid) for pid in self._server.workers())

    @property
    def at_gate(self) -> bool:
        """Whether one of its processes stands."""
        return any(stands(pid) for pid in self._server.workers())

    def resume(self) -> None:
        """Let a paused node continue."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGCONT)

    def ended(self, boot: str) -> float | None:
        """Return the time at which a start of this node was killed or stopped; None if not yet.

        :param boot: what ``CLUSTER_BOOT`` was.
        """
        return self._ends.get(boot)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the ``chunked-upload`` program on this node, to its end."""
        return preloaded.Command(
            [PROGRAM, *arguments],
            cwd=self.directory,
            env=self.environment,
            namespace=self.place.namespace,
        ).result()
