"""Many at once: threads that start together, which worker serves a connection, and latencies."""

from __future__ import annotations

import math
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.support.server import Server
from tests.support.wire import Wire, request

_Result = TypeVar("_Result")


def at_once(count: int, function: Callable[[int], _Result]) -> list[_Result]:
    """Call ``function(0..count-1)``, each in its own thread, all starting at the same moment.

    What one raises is raised here, after all have ended.
    """
    barrier = threading.Barrier(count)

    def run(index: int) -> _Result:
        barrier.wait()
        return function(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def together(*functions: Callable[[], Any]) -> list[Any]:
    """Call different functions at the same moment and return their results in order."""
    return at_once(len(functions), lambda index: functions[index]())


def spread(items: Iterable[Any], function: Callable[[Any], _Result], threads: int = 8) -> list[Any]:
    """Call ``function`` for every item, several at a time."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


class Latencies:
    """Seconds that something took, many times; may be added to from several threads."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Add the time that the block takes."""
        start = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - start)

    def quantile(self, fraction: float) -> float:
        """Return the smallest time that ``fraction`` of all did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(fraction * len(ordered)) - 1)]

    @property
    def median(self) -> float:
        return self.quantile(0.5)

    @property
    def worst(self) -> float:
        return max(self.seconds)

    def __str__(self) -> str:
        figures = {"median": self.median, "p99": self.quantile(0.99), "worst": self.worst}
        return " ".join(f"{name} {value * 1000:.1f} ms" for name, value in figures.items())


def serving_process(server: Server, wire: Wire) -> int:
    """Return the pid of the worker that has accepted a connection.

    Linux tells: /proc/net/tcp has the inode of the server's end, /proc/<pid>/fd who holds it.

    :raises LookupError: when none has accepted it yet.
    """
    inode = _inode(server.port, wire.local_port)
    for pid in server.workers():
        try:
            open_files = os.listdir(f"/proc/{pid}/fd")
        except FileNotFoundError:  # the worker ended meanwhile
            continue
        if any(_target(f"/proc/{pid}/fd/{name}") == f"socket:[{inode}]" for name in open_files):
            return pid
    raise LookupError(f"nobody has accepted the connection from port {wire.local_port}")


def _inode(local: int, remote: int) -> str:
    wanted = re.compile(rf"\s*\d+: \w+:{local:04X} \w+:{remote:04X} ")
    for line in Path("/proc/net/tcp").read_text().splitlines():
        if wanted.match(line):
            return line.split()[9]
    raise LookupError(f"no connection {local} <- {remote}")


def _target(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def wire_in_worker(server: Server, wanted: Callable[[int], bool], tries: int = 200) -> Wire:
    """Open a connection that is served by a worker whose pid ``wanted`` accepts."""
    kept = []
    try:
        for _ in range(tries):
            wire = Wire(server.port)
            wire.ask(request("GET", "/healthz"), "GET")
            if wanted(serving_process(server, wire)):
                return wire
            kept.append(wire)
    finally:
        for other in kept:
            other.close()
    raise LookupError(f"no connection in {tries} came to a worker as wanted")


def stands(pid: int) -> bool:
    """Whether every thread of a process is stopped (or gone)."""
    for status in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if status.read_text().rpartition(")")[2].split()[0] not in "TtZX":
                return False
    return True


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """SIGSTOP processes for as long as the block lasts; it begins when all their threads stand."""
    held = list(pids)
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    try:
        # On a busy machine a thread may go on for a while after the signal was sent.
        deadline = time.monotonic() + 10
        while not all(stands(pid) for pid in held) and time.monotonic() < deadline:
            time.sleep(0.001)
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)
