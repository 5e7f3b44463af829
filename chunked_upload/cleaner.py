"""What is done beside requests: expired uploads removed, failed completions run again.

One upload that cannot be dealt with (its file on a read-only disk, say) does not keep the others
waiting: it is counted, the engine has logged why, and the next run tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select

from .errors import ChunkedUploadError
from .models import Status
from .mount import Mount
from .records import Record


@dataclass
class Cleaned:
    """How many uploads one run removed (or, on a dry run, would remove), and how many it could not.

    Removals that an earlier process had begun are counted only when they fail again.
    """

    complete: int = 0
    incomplete: int = 0
    failed: int = 0


@dataclass
class Retried:
    """For how many uploads ``on_completion`` was due, and for how many it has returned now."""

    tried: int = 0
    done: int = 0


def delete_expired(
    mount: Mount,
    *,
    include_complete: bool = False,
    dry_run: bool = False,
    confirm: Callable[[Record], bool] = lambda record: True,
) -> Cleaned:
    """Remove a mount's expired uploads.

    Whether an upload is expired is asked again in the statement that claims it, so one that gets a
    chunk meanwhile is left alone; several cleaners may run at once. The time is the steady clock's
    (clock.py), so that a leap of the wall clock ends no upload.

    :param include_complete: also remove completed files older than the expiration delta.
    """
    cleaned, now = Cleaned(), mount.steady_now()
    if not dry_run:
        cleaned.failed += _finish_removals(mount)
    for record in _expired(mount, include_complete, now):
        complete = record.status == Status.COMPLETE
        try:
            if not confirm(record) or not (dry_run or mount.engine.expire(record, now=now)):
                continue
        except ChunkedUploadError:
            cleaned.failed += 1
            continue
        if complete:
            cleaned.complete += 1
        else:
            cleaned.incomplete += 1
    return cleaned


def retry_completions(mount: Mount, notify: Callable[[Record], None]) -> Retried:
    """Run ``on_completion`` for completed uploads for which it has not returned yet."""
    model = mount.model
    pending = select(model).where(
        model.upload_set == mount.name,
        model.status == Status.COMPLETE,
        model.notified_on.is_(None),
    )
    retried = Retried()
    for record in mount.engine.records.walk(pending):
        retried.tried += 1
        with suppress(ChunkedUploadError):
            mount.engine.completion.settle(record, partial(notify, record))
        retried.done += record.notified_on is not None
    return retried


def _expired(mount: Mount, include_complete: bool, now: datetime) -> Iterator[Record]:
    model = mount.model
    states = [Status.UPLOADING] + ([Status.COMPLETE] if include_complete else [])
    statement = select(model).where(
        model.upload_set == mount.name, model.status.in_(states), model.expires_on <= now
    )
    yield from mount.engine.records.walk(statement)


def _finish_removals(mount: Mount) -> int:
    """Finish what a process began and died over; return how many failed again."""
    model, failed = mount.model, 0
    statement = select(model).where(model.upload_set == mount.name, model.status == Status.DELETING)
    for record in mount.engine.records.walk(statement):
        try:
            mount.engine.finish_removal(record)
        except ChunkedUploadError:
            failed += 1
    return failed
