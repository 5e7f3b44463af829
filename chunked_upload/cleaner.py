"""Removes what has run out of time: unfinished uploads, and removals that a crash cut short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from .models import Status, utcnow
from .mount import Mount
from .records import Record

#: Records looked at in one query.
_BATCH = 200


@dataclass
class Cleaned:
    """How many uploads one run removed (or, on a dry run, would remove)."""

    complete: int = 0
    incomplete: int = 0


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
    if not dry_run:
        _finish_removals(mount)
    cleaned = Cleaned()
    for record in _expired(mount, include_complete):
        if not confirm(record):
            continue
        complete = record.status == Status.COMPLETE
        if not dry_run and not mount.engine.expire(record):
            continue
        if complete:
            cleaned.complete += 1
        else:
            cleaned.incomplete += 1
    return cleaned


def retry_completions(mount: Mount, notify: Callable[[Record], None]) -> tuple[int, int]:
    """Run ``on_completion`` for completed uploads for which it has not returned yet.

    :return: how many were tried, and how many of them succeeded.
    """
    model = mount.model
    pending = select(model).where(
        model.upload_set == mount.name,
        model.status == Status.COMPLETE,
        model.notified_on.is_(None),
    )
    tried = done = 0
    for record in _batches(mount, pending):
        mount.engine.settle(record, lambda record=record: notify(record))  # type: ignore[misc]
        tried += 1
        done += record.notified_on is not None
    return tried, done


def _expired(mount: Mount, include_complete: bool) -> Iterator[Record]:
    model = mount.model
    states = [Status.UPLOADING] + ([Status.COMPLETE] if include_complete else [])
    statement = select(model).where(
        model.upload_set == mount.name, model.status.in_(states), model.expires_on <= utcnow()
    )
    yield from _batches(mount, statement)


def _finish_removals(mount: Mount) -> None:
    model = mount.model
    statement = select(model).where(model.upload_set == mount.name, model.status == Status.DELETING)
    for record in _batches(mount, statement):
        mount.engine.finish_removal(record)


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
