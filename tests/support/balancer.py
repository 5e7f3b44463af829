"""The process of a real balancer, as nginx and HAProxy are."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from tests.support.ports import free_port


class Balancer:
    """A balancer with a port of its own on this host.

    :param directory: where it keeps its own files.
    :param log: the name of its log there.
    """

    def __init__(self, directory: Path, *, log: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.log = directory / log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def _run(
        self,
        command: Sequence[str],
        is_ready: Callable[[], bool],
        *,
        output: IO[bytes] | None = None,
    ) -> None:
        """Start its program, and wait until it is ready."""
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        deadline = time.monotonic() + 30
        while not is_ready():
            ended = self._process.poll() is not None or time.monotonic() > deadline
            assert not ended, self.log.read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, and the requests that are under way."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
