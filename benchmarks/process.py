"""A server under test as a process group: start, watch, end.

Everything is ended by group, so that no worker outlives the harness; should the harness itself be
killed, the kernel kills the server's main process (PR_SET_PDEATHSIG), whose workers then go.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PR_SET_PDEATHSIG = 1
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
#: How often a server that starts is asked whether it answers.
_ASK_SECONDS = 0.005

_libc = ctypes.CDLL(None)


class ServiceError(Exception):
    """A server under test does not start."""


@dataclass(frozen=True)
class Memory:
    """Bytes of memory of one process: now, and at most so far."""

    now: int
    peak: int


class Service:
    """A server on a free port of 127.0.0.1.

    :param command: what to run; ``{port}`` is replaced.
    :param directory: working directory, where its log goes as well.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        self._directory = directory
        self._given = dict(environment or {})
        self.environment = {**os.environ, **self._given, "PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self._directory / "server.log"

    @property
    def command(self) -> str:
        """The command line, for the report: without this machine's paths."""
        settings = [f"{name}={value}" for name, value in self._given.items() if "/" not in value]
        command = [os.path.basename(part) if "/" in part else part for part in self._command]
        words = settings + command
        return " ".join(words).replace(f":{self.port}", ":PORT").replace(f" {self.port}", " PORT")

    @property
    def pid(self) -> int:
        """The main process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until the port answers.

        :raises ServiceError: when it does not, with the end of its log.
        """
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        try:
            self._wait_until_up()
        except BaseException:
            self.stop()
            raise

    def _wait_until_up(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                    probe.settimeout(5)
                    probe.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    if probe.recv(1):
                        return
            except OSError:
                time.sleep(_ASK_SECONDS)
        said = self.log.read_text(errors="replace")[-1500:]
        raise ServiceError(f"{self._command[0]} does not answer:\n{said}")

    def stop(self) -> None:
        """End the group: asked first, then killed. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    # Watch

    def pids(self) -> list[int]:
        """Return the processes of the group."""
        return [
            pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self._owns(pid)
        ]

    def _owns(self, pid: int) -> bool:
        try:
            return os.getpgid(pid) == self.pid
        except ProcessLookupError:
            return False

    def cpu_seconds(self) -> float:
        """Return user and system time of the group, ended children included."""
        return sum(map(_cpu_seconds, self.pids()))

    def memory(self) -> Memory:
        """Return the memory of the largest process, which is a worker."""
        found = [memory for memory in map(_memory, self.pids()) if memory]
        return Memory(max(m.now for m in found), max(m.peak for m in found))

    def forget_peak(self) -> None:
        """Set every process's peak of memory to what it uses now (proc(5), clear_refs)."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _cpu_seconds(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # utime, stime, cutime, cstime; the name before them may hold spaces (proc(5)).
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _memory(pid: int) -> Memory | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "VmRSS" not in values:
        return None
    now, peak = (int(values[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return Memory(now, peak)
