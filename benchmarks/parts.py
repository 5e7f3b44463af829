"""What each part of a chunk costs: ``python -m benchmarks.parts``.

One client sends chunks of 64 KiB over one connection to a server with one worker, on SQLite. strace
counts the worker's system calls, each put down to a part by its name and its file. Then, without
strace, py-spy samples the worker, and the samples' shares divide the processor time of a chunk; not
durable only, since a thread that waits for the disk is sampled too. Both programs read another
process's memory, so they need root, or ``kernel.yama.ptrace_scope`` of 0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.support import strace
from tests.support.strace import Call

from .load import KIB, MIB, Payload, Task, run
from .peers.base import ServerRunner
from .peers.ours import Ours
from .profile import UNSTOPPED, busy_stacks, find_spy, kept_busy, worker_of
from .report import plain
from .workshop import BUILD, Unavailable, Workshop, tell

_TASK = Task(8 * MIB, 64 * KIB)

#: Uploads over which processor time is measured; each has its turn alone.
_RUNS = 7

_READING, _GATE, _VIEW = "reading the request", "request gate", "view and form"
_LOOK_UP, _LEASE, _DIGEST = "look-up", "write lease", "digest"
_WRITE, _SYNC, _COMMIT = "write", "sync", "commit"
_LOG, _ANSWER, _OTHER = "access log", "answer", "other"

_PARTS = (
    *(_READING, _GATE, _VIEW, _LOOK_UP, _LEASE, _DIGEST),
    *(_WRITE, _SYNC, _COMMIT, _LOG, _ANSWER, _OTHER),
)

#: Part of each function, by how its frame reads. A sample belongs to the innermost frame that is
#: named here; for a frame that several name, the first counts.
_FRAMES = (
    ("sync_data (", _SYNC),
    ("write_at (", _WRITE),
    ("request_gate.py", _GATE),
    ("lookup.py", _LOOK_UP),
    ("lease_table.py", _LEASE),
    ("storage/local/", _LEASE),
    ("checksum/", _DIGEST),
    ("engine/digesting.py", _DIGEST),
    ("swap (chunked_upload/records/", _COMMIT),
    ("group_commit.py", _COMMIT),
    ("_AccessLog.__call__ (", _OTHER),
    ("access_log.py", _LOG),
    ("log_context.py", _LOG),
    ("sendall (", _ANSWER),
    ("UploadWorker._send (", _ANSWER),
    ("gunicorn/http/wsgi.py", _ANSWER),
    ("gunicorn/", _READING),
    ("wire/read_before.py", _READING),
    ("chunked_upload/http/", _VIEW),
    ("chunked_upload/engine/", _VIEW),
)

#: Part of a system call, by the end of its file's name.
_FILES = {".turn": _LEASE, ".part": _WRITE, "server.log": _LOG, "eventpoll]": _READING}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="to sample for")
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="parts-", dir=BUILD) as place:
            print(plain(_table(Path(place), options.seconds)))
    except Unavailable as error:
        sys.exit(str(error))
    return 0


def _table(place: Path, seconds: int) -> list[list[str]]:
    spy = find_spy(Workshop())
    with _server(place, durable=True) as runner:
        durable = _calls(runner, place)
    with _server(place, durable=False) as runner:
        calls = _calls(runner, place)
        tell("measuring processor time")
        micros = _micros(runner)
        tell(f"sampling for {seconds} s")
        shares = _shares(runner, spy, place, seconds)
    lines = [
        [part, f"{calls[part]:.1f}", f"{durable[part]:.1f}", f"{shares[part] * micros:,.0f}"]
        for part in _PARTS
    ]
    total = [f"{sum(each.values()):.1f}" for each in (calls, durable)]
    head = ["part", "system calls", "durable", "µs of processor time"]
    return [head, *lines, ["total", *total, f"{micros:,.0f}"]]


@contextmanager
def _server(place: Path, *, durable: bool) -> Iterator[ServerRunner]:
    runner = Ours("ours", "ours", durable=durable).open(place / "server")
    try:
        yield runner
    finally:
        runner.close()


def _calls(runner: ServerRunner, place: Path) -> dict[str, float]:
    """Return the worker's system calls for a chunk, by part."""
    tell("counting system calls")
    trace = place / "trace"
    run(runner.dialect, runner.service.port, Payload(), _TASK)  # the first chunks are dearer
    with strace.attached(worker_of(runner), "-y", output=trace):
        run(runner.dialect, runner.service.port, Payload(), _TASK)
    return calls_by_part(strace.parse(trace.read_text(errors="replace")))


def calls_by_part(calls: Iterable[Call]) -> dict[str, float]:
    """Return the mean number of system calls of a chunk, by part.

    :param calls: of an upload, whose first answer is to its creation and last to its completion.
    """
    requests, written = [Counter[str]()], False
    for call in calls:
        part = _part_of(call, written)
        requests[-1][part] += 1
        written = written or (part == _WRITE and call.name.startswith("pwrite"))
        if part == _ANSWER:
            requests.append(Counter())
            written = False
    chunks = requests[1:-2]
    return {part: sum(chunk[part] for chunk in chunks) / len(chunks) for part in _PARTS}


def _part_of(call: Call, written: bool) -> str:
    """Return the part of a system call.

    :param written: whether the chunk's bytes are written; what is asked of the database then is
        the commit.
    """
    # Where a file is opened, strace writes its name behind the directory, and again as the result.
    file = call.result if call.name == "openat" else call.file
    name = file.rpartition("<")[2].removesuffix(">")
    if "socket:" in name:
        return _ANSWER if call.name.startswith("send") else _READING
    if ".db" in name:
        return _COMMIT if written else _LOOK_UP
    part = next((part for end, part in _FILES.items() if name.endswith(end)), _OTHER)
    return _SYNC if part == _WRITE and "sync" in call.name else part


def _micros(runner: ServerRunner) -> float:
    """Return the median chunk's processor time, in microseconds."""
    payload, spent = Payload(), []
    for _ in range(_RUNS):
        before = runner.service.cpu_seconds()
        run(runner.dialect, runner.service.port, payload, _TASK)
        spent.append(runner.service.cpu_seconds() - before)
        runner.clean()
    return median(spent) / _TASK.chunks * 1e6


def _shares(runner: ServerRunner, spy: Path, place: Path, seconds: int) -> dict[str, float]:
    """Return each part's share of the samples in which the worker did not wait."""
    folded = place / "folded"
    options = [*UNSTOPPED, "--function", "--rate", "250", "--duration", str(seconds), "-f", "raw"]
    with kept_busy(runner, _TASK):
        command = [str(spy), "record", "-p", str(worker_of(runner)), *options, "-o", str(folded)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"py-spy failed: {done.stderr.strip()[-300:]}")
    return shares_by_part(folded.read_text())


def shares_by_part(folded: str) -> dict[str, float]:
    """Return each part's share of folded stacks."""
    counts: Counter[str] = Counter()
    for frames, count in busy_stacks(folded):
        counts[_part_of_stack(frames)] += count
    return {part: counts[part] / counts.total() for part in _PARTS}


def _part_of_stack(frames: list[str]) -> str:
    for frame in reversed(frames):
        for words, part in _FRAMES:
            if words in frame:
                return part
    return _OTHER


if __name__ == "__main__":
    sys.exit(main())
