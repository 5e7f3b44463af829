"""Where the server's time goes: ``python -m benchmarks.profile [--load big|patch|…] …``.

py-spy, from PyPI, samples the worker while the load generator keeps it busy. Printed are the
functions by the samples in which they were at the top of a stack (own) or anywhere on it (total); a
flame graph goes to ``build/bench``. Run it before and after a change. py-spy reads another
process's memory, so it needs root, or ``kernel.yama.ptrace_scope`` of 0.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from .load import KIB, MIB, Payload, Task, run
from .peers.base import ServerRunner
from .peers.ours import Ours
from .report import plain
from .workshop import BUILD, Unavailable, Workshop, tell

_PACKAGES = ("py-spy==0.4.3",)

_TITLE = re.compile(r'(<text id="title"[^>]*>)[^<]*')

#: Samples a second.
_RATE = 250

_LOADS = {
    "big": Task(256 * MIB, 8 * MIB),
    "raw": Task(256 * MIB, 8 * MIB),
    "small": Task(8 * MIB, 64 * KIB),
    "patch": Task(256 * MIB, 8 * MIB),
    "patch-small": Task(8 * MIB, 64 * KIB),
}

#: py-spy stops a process for each sample by default, and with that changes where it is seen: of a
#: chunk of two milliseconds, reading the request looked two to four times as dear as the clock of
#: the worker's thread says. Only C functions need a process that is stopped.
UNSTOPPED = ("--nonblocking",)

#: The protocols of loads that send no forms.
_PROTOCOLS = {"raw": "raw", "patch": "tus", "patch-small": "tus"}


#: Where threads wait for work, which is no work.
_WAITING = (
    "Condition.wait ",
    "start_in_worker.<locals>.watch ",  # of the main process
    "clock_nanosleep ",
    "epoll_wait ",
    "EpollSelector.select ",  # the worker's thread that watches
    "UploadWorker._rest ",  # its main thread, in select
    "_worker (concurrent/futures/",  # its other threads, in their queue
    "_Threads._run (chunked_upload/checksum/",  # those that hash, in theirs
    "syscall (libc",  # futex: Granian's idle threads
)


def busy_stacks(folded: str) -> Iterator[tuple[list[str], int]]:
    """Yield each stack that does not wait, its innermost function last, and its samples.

    Lines that are none are left out: of a process that goes on meanwhile, a few are read wrongly.
    """
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack and count.isdecimal() and not stack.rpartition(";")[2].startswith(_WAITING):
            yield stack.split(";"), int(count)


@dataclass
class Profile:
    """Samples by function: at the top of the stack, and anywhere on it."""

    own: Counter[str]
    total: Counter[str]

    @classmethod
    def of(cls, folded: str) -> Profile:
        """Read folded stacks: ``outer;inner;innermost 17`` a line; those that wait do not count."""
        own: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for frames, count in busy_stacks(folded):
            own[frames[-1]] += count
            for frame in set(frames):
                total[frame] += count
        return cls(own, total)

    def table(self, most: int) -> list[list[str]]:
        """Return the functions with the most samples of their own, in percent of all."""
        samples = sum(self.own.values()) or 1
        lines = [
            [f"{100 * count / samples:.1f}", f"{100 * self.total[name] / samples:.1f}", name]
            for name, count in self.own.most_common(most)
        ]
        return [["own %", "total %", "function"], *lines]


def main() -> int:
    """Profile one load."""
    options = _options()
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="profile-", dir=BUILD) as place:
            folded = _record(options, Path(place))
    except Unavailable as error:
        sys.exit(str(error))
    print(plain(Profile.of(folded).table(options.top)))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--load", choices=_LOADS, default="big")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--durable", action="store_true", help="with the syncs")
    parser.add_argument("--no-md5", action="store_true")
    parser.add_argument("--native", action="store_true", help="C functions as well; slower")
    parser.add_argument("--gil", action="store_true", help="only threads that hold the GIL")
    parser.add_argument("--top", type=int, default=30, metavar="N", help="functions to print")
    return parser.parse_args()


def _record(options: argparse.Namespace, place: Path) -> str:
    """Run the server under load and py-spy; return folded stacks."""
    workshop = Workshop()
    spy = find_spy(workshop)
    ours = Ours(
        "ours",
        "ours",
        durable=options.durable,
        checksum="" if options.no_md5 else "md5",
        protocol=_PROTOCOLS.get(options.load, "form"),
    )
    ours.prepare(workshop)
    runner = ours.open(place / "server")
    try:
        with kept_busy(runner, _LOADS[options.load], clients=options.clients):
            return _sample(spy, worker_of(runner), options, place)
    finally:
        runner.close()


def find_spy(workshop: Workshop) -> Path:
    """Return py-spy's program, installed where there is none yet."""
    return workshop.venv("py-spy", _PACKAGES) / "py-spy"


@contextmanager
def kept_busy(runner: ServerRunner, task: Task, *, clients: int = 1) -> Iterator[None]:
    """Have the load generator repeat a task in another process for as long as the block lasts."""
    forking = multiprocessing.get_context("fork")
    enough = forking.Event()
    # No daemon: those may have no processes of their own, which several clients are.
    busy = forking.Process(target=_repeat, args=(runner, task, clients, enough))
    busy.start()
    try:
        yield
    finally:
        enough.set()
        busy.join()


def _repeat(runner: ServerRunner, task: Task, clients: int, enough: Event) -> None:
    payload = Payload()
    while not enough.is_set():
        run(runner.dialect, runner.service.port, payload, task, clients=clients)
        runner.clean()


def worker_of(runner: ServerRunner) -> int:
    """Return the process that does the work, not the one that watches it."""
    return next(pid for pid in runner.service.pids() if pid != runner.service.pid)


def _sample(spy: Path, pid: int, options: argparse.Namespace, place: Path) -> str:
    name = f"profile-{options.load}"
    graph, folded = BUILD / f"{name}.svg", place / "folded"
    flags = ["--native"] if options.native else [*UNSTOPPED]
    flags += ["--gil"] * options.gil
    flags += ["--function", "--duration", str(options.seconds), "--rate", str(_RATE)]
    for kind, target in (("raw", folded), ("flamegraph", graph)):
        tell(f"sampling for {options.seconds} s into {kind}")
        command = [str(spy), "record", "-p", str(pid), *flags, "-f", kind, "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"py-spy failed: {done.stderr.strip()[-300:]}")
    # py-spy's title is its command line, with the paths of this machine.
    title = f"{options.load}, clients: {options.clients}"
    graph.write_text(_TITLE.sub(rf"\g<1>{title}", graph.read_text()))
    tell(f"flame graph: {graph}")
    return folded.read_text()


if __name__ == "__main__":
    sys.exit(main())
