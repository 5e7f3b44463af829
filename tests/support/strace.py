"""strace: count the system calls of a process, kill it at one of them, make one fail.

:func:`attached` is for processes that run already; :func:`parse` reads what strace wrote.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Calls that leave a trace outside the process: in files, directories, lock tables, sockets. A
#: process killed between two of them leaves the same behind wherever between them it was.
# fmt: off
CHANGING = frozenset([
    "chmod", "connect", "copy_file_range", "creat", "fallocate", "fchmod", "fchmodat", "fcntl",
    "fdatasync", "flock", "fsync", "ftruncate", "link", "linkat", "mkdir", "mkdirat", "openat",
    "pwrite64", "pwritev", "pwritev2", "rename", "renameat", "renameat2", "rmdir", "sendfile",
    "sendmsg", "sendto", "symlink", "symlinkat", "sync_file_range", "truncate", "unlink",
    "unlinkat", "utimensat", "write", "writev",
])
# fmt: on


@dataclass(frozen=True)
class Call:
    """One system call as strace wrote it.

    :param began: number of the line on which it was entered; ``ended``: on which it returned.
    """

    pid: int
    name: str
    arguments: str
    result: str
    began: int
    ended: int

    @property
    def failed(self) -> bool:
        return self.result.startswith("-1")

    @property
    def file(self) -> str:
        """The descriptor it was called with first, and what that is (strace's ``-y``)."""
        return self.arguments.partition(", ")[0]


@contextmanager
def attached(pid: int, *options: str, output: Path | None = None) -> Iterator[None]:
    """Trace a running process and all its threads for as long as the block lasts.

    :param options: more of strace's, such as ``-e``, ``inject=fsync:error=EIO``.
    :param output: where to write the trace; by default nowhere.
    """
    target = str(output or "/dev/null")
    tracer = subprocess.Popen(
        ["strace", "-f", "-o", target, *options, "-p", str(pid)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            raise RuntimeError(f"strace: {said}{tracer.stderr.read()}")
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


def wait_until_stopped(pid: int, seconds: float = 60) -> None:
    """Wait until a process has stopped itself with SIGSTOP."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt":
            return
        time.sleep(0.001)
    raise RuntimeError(f"process {pid} does not stop")


def inject(name: str, what: str, when: int | str | None = None) -> Sequence[str]:
    """Return the options that tamper with a system call, at the ``when``-th one of each thread."""
    occasion = "" if when is None else f":when={when}"
    return ("-e", f"trace={name}", "-e", f"inject={name}:{what}{occasion}")


_LINE = re.compile(r"(\d+) +(?:[\d:.]+ +)?(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (.+)", re.DOTALL)
_BEGUN = re.compile(r"(\w+)\((.*?)\s*<unfinished \.\.\.>", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)\)\s+= (.+)", re.DOTALL)


def parse(trace: str) -> list[Call]:
    """Return the calls of a trace written with ``-f``, in the order in which they returned."""
    calls: list[Call] = []
    open_calls: dict[int, tuple[str, str, int]] = {}
    for number, line in enumerate(trace.splitlines()):
        matched = _LINE.fullmatch(line)
        if matched is None:
            continue
        pid, rest = int(matched[1]), matched[2]
        if found := _BEGUN.match(rest):
            open_calls[pid] = (found[1], found[2], number)
        elif (found := _RESUMED.match(rest)) and pid in open_calls:
            name, arguments, began = open_calls.pop(pid)
            calls.append(Call(pid, name, arguments + found[2], found[3], began, number))
        elif found := _CALL.match(rest):
            calls.append(Call(pid, found[1], found[2], found[3], number, number))
    return calls
