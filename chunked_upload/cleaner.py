"""What is done beside requests: expired uploads removed, failed completions run again.

One upload that cannot be dealt with (its file on a read-only disk, say) does not keep the others
waiting: it is counted, the engine has logged why, and the next run tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from .errors import ChunkedUploadError
from .models import Status, utcnow
from .mount import Mount
from .records import Record

#: Records looked at in one query.
_BATCH = 200


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
    chunk meanwhile is left alone; several cleaners may run at once.

    :param include_complete: also remove completed files older than the expiration delta.
    """
    cleaned = Cleaned()
    if not dry_run:
        cleaned.failed += _finish_removals(mount)
    for record in _expired(mount, include_complete):
        complete = record.status == Status.COMPLETE
        try:
            if not confirm(record) or not (dry_run or mount.engine.expire(record)):
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
    for record in _batches(mount, pending):
        retried.tried += 1
        with suppress(ChunkedUploadError):
            mount.engine.settle(record, partial(notify, record))
        retried.done += record.notified_on is not None
    return retried


def _expired(mount: Mount, include_complete: bool) -> Iterator[Record]:
    model = mount.model
    states = [Status.UPLOADING] + ([Status.COMPLETE] if include_complete else [])
    statement = select(model).where(
        model.upload_set == mount.name, model.status.in_(states), model.expires_on <= utcnow()
    )
    yield from _batches(mount, statement)


def _finish_removals(mount: Mount) -> int:
    """Finish what a process began and died over; return how many failed again."""
    model, failed = mount.model, 0
    statement = select(model).where(model.upload_set == mount.name, model.status == Status.DELETING)
    for record in _batches(mount, statement):
        try:
            mount.engine.finish_removal(record)
        except ChunkedUploadError:
            failed += 1
    return failed


def _batches(mount: Mount, statement: Any) -> Iterator[Record]:
    """Walk through a query by id, holding no connection between batches."""
    model, last = mount.model, 0
    while True:
        page = statement.where(model.id > last).order_by(model.id).limit(_BATCH)
        records = mount.engine.records.all(page)
        yield from records
        if len(records) < _BATCH:
            return
        last = records[-1].id
