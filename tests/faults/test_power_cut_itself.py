"""The power cut that the other rows play, looked at without server and database.

The kernel that shuts the file system down goes on running: a sync that is under way meanwhile is
reported as done although its journal has been aborted, and is lost. That is why the clients of the
power-cut rows lose every reply that comes once a cut has begun. What such a cut must never take is
a sync that was reported *before* it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.faults.support_disks import disk_in_memory
from tests.support.powercut import Disk
from tests.support.scorecard import LOOP, NONE, Run, row

_WRITERS = 8

#: Bytes that each sync adds to a file; its new size is in the journal.
_STEP = 3000


@row("the played power cut itself", databases=(NONE,), needs=[LOOP])
def test_a_sync_reported_before_the_cut_survives_it(run: Run) -> None:
    with disk_in_memory() as disk:
        for _ in range(run.amount(reduced=10, full=600)):
            with _writers(disk) as writers:
                time.sleep(run.random.uniform(0.01, 0.06))
                begun = time.monotonic()
                disk.cut()
            disk.restart()
            run.tried()
            for writer in writers:
                _look_at(run, writer, begun)


class _Writer:
    """A thread that extends a file and syncs it until the disk has gone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: When each sync was reported; the n-th made the first n steps durable.
        self.synced: list[float] = []
        self._thread = threading.Thread(target=self._work)
        self._descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.fsync(self._descriptor)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._thread.join()
        os.close(self._descriptor)

    def _work(self) -> None:
        with suppress(OSError):
            while True:
                os.pwrite(self._descriptor, bytes(_STEP), len(self.synced) * _STEP)
                os.fdatasync(self._descriptor)
                self.synced.append(time.monotonic())


@contextmanager
def _writers(disk: Disk) -> Iterator[list[_Writer]]:
    writers = [_Writer(disk.mount / str(number)) for number in range(_WRITERS)]
    disk.sync()  # the files' names
    with ExitStack() as running:
        for writer in writers:
            running.enter_context(writer)
        yield writers


def _look_at(run: Run, writer: _Writer, cut_began: float) -> None:
    before = sum(moment < cut_began for moment in writer.synced)
    survived = writer.path.stat().st_size // _STEP
    run.check(survived >= before, f"{before} syncs before the cut, {survived} survived it")
    run.count("syncs reported before a cut", before)
    run.count("lost though reported during one", max(0, len(writer.synced) - survived))
