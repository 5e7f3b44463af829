"""The stand-alone server as a real process, on a free port of 127.0.0.1, that can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

from coverage import Coverage

from tests.support import preloaded
from tests.support.ports import free_port

#: The program, as installed beside the Python that runs the tests.
PROGRAM = str(Path(sys.executable).parent / "chunked-upload")


def clean_environment() -> dict[str, str]:
    """Return the environment without what would configure a server."""
    names = ("SECRET_KEY", "HOST", "PORT", "WORKERS", "THREADS", "GRACE")
    prefixes = ("CHUNKED_UPLOAD_", "SQLALCHEMY_")
    return {k: v for k, v in os.environ.items() if k not in names and not k.startswith(prefixes)}


def measured() -> dict[str, str]:
    """Return environment variables that have a process's coverage counted, if that of tests is.

    It has to end by itself; and it takes a second longer, so that not every server is asked to.
    """
    if Coverage.current() is None:
        return {}
    project = Path(__file__).parents[2]
    return {
        "COVERAGE_PROCESS_START": str(project / "pyproject.toml"),
        "COVERAGE_FILE": str(project / ".coverage"),
    }


class Server:
    """One server with its data in ``directory``; start, stop and kill it as often as needed.

    :param directory: working directory; the instance folder is ``instance`` in it.
    :param environment: more environment variables (``CHUNKED_UPLOAD_*``, ``WORKERS``).
    :param command: what to run instead of ``chunked-upload serve``; ``{port}`` is replaced.
    :param host: the address to listen on.
    :param namespace: the network namespace in which it runs, by its file.
    """

    def __init__(
        self,
        directory: Path,
        environment: dict[str, str] | None = None,
        command: list[str] | None = None,
        *,
        host: str = "127.0.0.1",
        namespace: str | None = None,
    ) -> None:
        self.directory = directory
        self.host = host
        self.namespace = namespace
        self.instance = directory / "instance"
        self.port = free_port()
        self.log = directory / "server.log"
        self._command = [part.format(port=self.port) for part in command or [PROGRAM, "serve"]]
        self.environment = {
            **clean_environment(),
            "HOST": host,
            "PORT": str(self.port),
            "WORKERS": "1",
            "CHUNKED_UPLOAD_INSTANCE": str(self.instance),
            **(environment or {}),
        }
        self._process: preloaded.Process | None = None

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def root(self) -> Path:
        """Where the server keeps bytes."""
        return self.instance / "uploads"

    @property
    def pid(self) -> int:
        """The main process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its main process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start and wait until it answers; a server that does not is killed."""
        self.launch()
        try:
            self.wait_until_up()
        except BaseException:
            self.kill()
            raise
        return self

    def launch(self) -> None:
        """Start, and return at once."""
        with self.log.open("ab") as log:
            self._process = preloaded.start(
                self._command,
                cwd=self.directory,
                env=self.environment,
                output=log,
                namespace=self.namespace,
            )

    def wait_until_up(self, seconds: float = 60) -> None:
        """Wait until ``/healthz`` answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended:\n{self.log.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                    return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"the server does not answer:\n{self.log.read_text()}")

    def kill(self) -> None:
        """SIGKILL the server and all its workers at once, as a crash or the OOM killer would.

        None is left on return: until the last has ended, the port still takes connections.
        """
        if self._process is None:
            return
        group = self._process.pid
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self._process.wait()
        self._process = None
        while _running(group):
            time.sleep(0.002)

    def kill_main(self) -> None:
        """SIGKILL the main process alone; its workers are left to themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM; return the exit code."""
        self.terminate()
        return self.wait(seconds)

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Ask the main process to stop, and return at once."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        """Wait until the main process has ended; return its exit code."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._process = None
        return code

    def workers(self) -> list[int]:
        """Return the pids of all processes of the server, the main one included."""
        return _running(self.pid)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: Any) -> None:
        self.kill()


def _running(group: int) -> list[int]:
    """Return the pids of a process group, without those that have ended and nobody waited for."""
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [pid for pid in pids if _group(pid) == group]


def _group(pid: int) -> int | None:
    """Return a process's group; None if it has ended with all of its threads."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, group, threads = fields[0], int(fields[2]), int(fields[17])
    # The first thread may have ended before others, which keep its files open.
    return None if state in "ZX" and threads <= 1 else group
