"""No process outlives a test run, however the run ends.

Servers, PostgreSQL, Chromium and Playwright's node are started in sessions of their own, so that a
killed pytest would leave them. Every process of a run inherits a tag in its environment. A guard,
started with the run and outside of its process group, waits for the end of pytest (the other end of
a pipe closes, also after SIGKILL) and kills what still carries the tag. This module is the guard's
program, too.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

#: The environment variable with the run's tag.
TAG = "CHUNKED_TESTS_RUN"

_PR_SET_PDEATHSIG = 1

#: The pipe's end that stays open until this process ends; no child inherits it.
_held: list[int] = []


def start() -> None:
    """Tag this process's children to come and start their guard. Linux only."""
    if not Path("/proc/self/environ").exists():
        return
    os.environ.pop(TAG, None)  # the guard must not carry a tag itself
    tag = uuid.uuid4().hex
    waits, held = os.pipe()
    # Not subprocess.Popen: it warns of a process that outlives it, as this one must.
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", __file__, tag],
        os.environ,
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, waits, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )
    os.close(waits)
    os.environ[TAG] = tag
    _held.append(held)


def die_with_make() -> None:
    """Under make, have the kernel kill this process when make is killed."""
    if "MAKELEVEL" in os.environ and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def tagged(tag: str) -> set[int]:
    """Return the processes that carry a tag, and their descendants."""
    wanted = f"{TAG}={tag}".encode()
    found: set[int] = set()
    children: dict[int, set[int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            state, parent = _status(entry)
            if state in "ZX":
                continue
            children.setdefault(parent, set()).add(int(entry))
            if wanted in Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                found.add(int(entry))
    waiting = list(found)
    while waiting:
        new = children.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _status(pid: str) -> tuple[str, int]:
    state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def _end(tag: str) -> None:
    """Kill all processes of a run: PostgreSQL so that it frees its shared memory."""
    deadline = time.monotonic() + 3
    while pids := tagged(tag):
        for pid in pids:
            with suppress(OSError):
                program = Path(f"/proc/{pid}/comm").read_text().strip()
                gently = program == "postgres" and time.monotonic() < deadline
                os.kill(pid, signal.SIGQUIT if gently else signal.SIGKILL)
        time.sleep(0.05)


def _main() -> None:
    tag = sys.argv[1]
    os.chdir("/")
    os.read(0, 1)  # until the pipe's other end has closed
    _end(tag)
    for directory in Path("/tmp").glob(f"*-{tag[:8]}-*"):
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    _main()
