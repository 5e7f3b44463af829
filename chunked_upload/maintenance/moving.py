"""Moves the completed uploads of an upload set from its old storage to its current one.

Several uploads at a time, and any number of processes on any number of hosts: each upload is moved
by one of them (engine/moving.py). An upload that fails does not stop the others, but if one after
another fails because of a storage, the run stops.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta

from chunked_upload.engine.moving import BeingMoved, MoveFailed, NotToBeMoved
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.failures import DatabaseProblem
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from chunked_upload.storage.base import StorageBusy

#: Failures of a storage, one after another, after which the run stops.
_MOST_FAILURES = 10

#: Seconds between looks at uploads that another process moves, and for how long nothing may move.
_PAUSE, _PATIENCE = 2.0, 60.0


@dataclass
class Failure:
    """An upload that could not be moved, and why."""

    upload_id: str
    filename: str
    problem: str


@dataclass
class Moved:
    """What one run did to one upload set."""

    uploads: int = 0
    bytes: int = 0
    old_copies_deleted: int = 0
    failed: list[Failure] = field(default_factory=list)


@dataclass
class Remaining:
    """What is left to do for one upload set."""

    #: Completed uploads in the old storage.
    uploads: int
    bytes: int
    #: Uploads there that are not complete yet, and are moved then, or that are being removed.
    unfinished: int
    #: Old files of moved uploads.
    old_copies: int


def remaining(upload_set: BoundUploadSet) -> Remaining:
    """Return what is left to do."""
    records, (old, current) = upload_set.engine.records, _names(upload_set)
    kept_in = records.queries.kept_in
    uploads, size = records.totals.of(kept_in(upload_set.name, old, status=Status.COMPLETE))
    unfinished = sum(
        records.count(kept_in(upload_set.name, old, status=status))
        for status in (Status.UPLOADING, Status.DELETING)
    )
    copies = records.count(records.queries.with_old_copy(upload_set.name, current))
    return Remaining(uploads, size, unfinished, copies)


class Rate:
    """Limits how many bytes per second all threads of this process send together.

    :param limit: bytes per second; None for no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait(self, size: int) -> None:
        """Wait until so many bytes may be sent."""
        if self._limit is None:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size / self._limit
            delay = self._free_at - now
        time.sleep(delay)


class Move:
    """Moves one upload set's uploads.

    :param jobs: uploads that are moved at a time.
    :param read_back: whether to read each copy again before it counts.
    :param sent: called with the number of bytes before they are sent; it may wait.
    :param failed: called with each failure at once.
    """

    def __init__(
        self,
        upload_set: BoundUploadSet,
        *,
        jobs: int,
        read_back: bool,
        sent: Callable[[int], None],
        failed: Callable[[Failure], None],
    ) -> None:
        self._upload_set = upload_set
        self._records = upload_set.engine.records
        self._jobs = jobs
        self._moving = upload_set.engine.moving(sent=sent, read_back=read_back)
        self._failed = failed
        self._failures = 0  # of storages, one after another
        self._busy = 0
        self._lock = threading.Lock()
        self.moved = Moved()

    def move(self) -> Moved:
        """Move every completed upload; wait for those that another process is moving."""
        old, _ = _names(self._upload_set)
        statement = self._records.queries.kept_in(
            self._upload_set.name, old, status=Status.COMPLETE
        )
        deadline = time.monotonic() + _PATIENCE
        while True:
            before, self._busy = self.moved.uploads, 0
            refused = {failure.upload_id for failure in self.moved.failed}
            left = (r for r in self._records.walk(statement) if r.upload_id not in refused)
            self._each(left, self._move)
            if self.moved.uploads > before:
                deadline = time.monotonic() + _PATIENCE
            if not self._busy or self._stopped or time.monotonic() > deadline:
                return self.moved
            time.sleep(_PAUSE)

    def drop_old(self, *, after: timedelta) -> Moved:
        """Delete the old files of uploads that were moved some time ago."""
        old, current = _names(self._upload_set)
        statement = self._records.queries.with_old_copy(self._upload_set.name, current)
        before = (self._upload_set.engine.now() - after).timestamp()

        def is_due(record: Record) -> bool:
            note = record.other_copy or {}
            return old in (note.get("from"), note.get("to")) and note.get("at", 0) <= before

        self._each(filter(is_due, self._records.walk(statement)), self._drop)
        return self.moved

    @property
    def _stopped(self) -> bool:
        return self._failures >= _MOST_FAILURES

    def _each(self, records: Iterable[Record], work: Callable[[Record], None]) -> None:
        running: set[Future[None]] = set()
        with ThreadPoolExecutor(self._jobs, "move") as threads:
            for record in records:
                if self._stopped:
                    break
                running.add(threads.submit(self._guarded, work, record))
                if len(running) > self._jobs:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
            for future in running:
                future.result()

    def _guarded(self, work: Callable[[Record], None], record: Record) -> None:
        """Do something to one upload; take down how it failed."""
        try:
            with self._upload_set.app.app_context():
                work(record)
        except BeingMoved:
            with self._lock:
                self._busy += 1
        except NotToBeMoved:
            return
        except MoveFailed as error:
            self._fail(record, str(error))
        except (StorageBusy, OSError) as error:
            self._fail(record, str(error), of_storage=True)
        except DatabaseProblem as error:
            said = str(getattr(error, "orig", None) or error).strip().splitlines()
            self._fail(record, f"the database failed: {said[0]}", of_storage=True)
        else:
            self._failures = 0

    def _move(self, record: Record) -> None:
        self._moving.move(record)
        with self._lock:
            self.moved.uploads += 1
            self.moved.bytes += record.offset

    def _drop(self, record: Record) -> None:
        self._moving.drop_old(record)
        with self._lock:
            self.moved.old_copies_deleted += 1

    def _fail(self, record: Record, problem: str, *, of_storage: bool = False) -> None:
        failure = Failure(record.upload_id, record.filename, problem)
        with self._lock:
            self._failures += of_storage
            self.moved.failed.append(failure)
        self._failed(failure)


def _names(upload_set: BoundUploadSet) -> tuple[str, str]:
    """Return the names of the old and the current storage."""
    old, current = upload_set.engine.stores.old, upload_set.engine.stores.current
    return (old or current).known_as, current.known_as
