"""A real server whose system calls fail for a while: the same process must recover by itself.

strace makes every write, or every sync, of the upload's part file fail until it is detached;
``prlimit`` takes the worker's file descriptors away.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.support_client import part_path
from tests.faults.support_victim import Victim
from tests.support.scorecard import EVERY, SQLITE, STRACE, Run, row
from tests.support.server import Server
from tests.support.strace import attached, parse


@row("EIO in a running server: write", databases=(SQLITE,), needs=[STRACE])
def test_a_failing_write_is_503_and_the_same_server_goes_on(run: Run) -> None:
    fail_while_attached(run, "pwrite64", "EIO", 503)


@row("EIO in a running server: sync", databases=(SQLITE,), needs=[STRACE])
def test_a_failed_sync_is_503_and_is_not_retried_on_the_same_descriptor(run: Run) -> None:
    fail_while_attached(run, "fdatasync", "EIO", 503)


def fail_while_attached(run: Run, call: str, error: str, status: int) -> None:
    """Let a call fail on the upload's part file, at every chunk, in a server that goes on."""
    trace = run.directory / "trace"
    with Server(run.directory, run.fresh_environment()) as server:
        victim = Victim(run, server, chunks=run.amount(reduced=3, full=20))
        victim.must_go_on()
        part = part_path(server.root, victim.upload_id)
        calls = "openat,close,pwrite64,fdatasync,fsync"
        options = ["-y", "-P", str(part), "-e", f"trace={calls}"]
        while victim.left:
            with attached(
                worker(server), *options, "-e", f"inject={call}:error={error}", output=trace
            ):
                victim.must_fail(status)
                victim.check_reads()
            tried = [done for done in parse(trace.read_text()) if done.name == call]
            run.check(len(tried) == 1, f"{call} was called {len(tried)} times for one chunk")
            victim.must_go_on()
        victim.check_health(None)
        victim.finish()


@row("no file descriptors left", databases=EVERY)
def test_without_descriptors_a_chunk_is_503_and_the_same_server_goes_on(run: Run) -> None:
    with Server(run.directory, run.fresh_environment()) as server:
        victim = Victim(run, server, chunks=run.amount(reduced=3, full=20))
        while victim.left:
            victim.check_health(None)  # its connection is open from here on
            with no_more_descriptors(server):
                victim.must_fail(503)
                victim.check_health("storage")
            victim.must_go_on()
            victim.check_reads()
        victim.finish()


@contextmanager
def no_more_descriptors(server: Server) -> Iterator[None]:
    """Keep an idle server's worker from opening anything new, as long as the block lasts."""
    pid = worker(server)
    # A download's file is closed after its last byte was sent, perhaps not yet: it would be one of
    # those in use, and free a moment later.
    wait_until_closed(pid, server.root.resolve())
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = open_files(pid).keys()
    first_free = next(number for number in range(len(used) + 1) if number not in used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (first_free, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def wait_until_closed(pid: int, directory: Path, seconds: float = 60) -> None:
    """Wait until a process has nothing open below a directory."""
    deadline = time.monotonic() + seconds
    while names := [name for name in open_files(pid).values() if name.startswith(f"{directory}/")]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {pid} does not close {names}")
        time.sleep(0.001)


def open_files(pid: int) -> dict[int, str]:
    """Return a process's file descriptors, and what each of them is."""
    names = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed meanwhile
            names[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
    return names


def worker(server: Server) -> int:
    """Return the pid of the one worker process, the main process's child."""
    [pid] = [pid for pid in server.workers() if pid != server.pid and _parent(pid) == server.pid]
    return pid


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
