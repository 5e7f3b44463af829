"""Removes expired uploads and retries failed completions.

An upload that fails (its file may be on a read-only disk) does not stop the others. It is counted,
the engine logs why, and the next run tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from chunked_upload.support import steady_clock


@dataclass
class Cleaned:
    """How many uploads one run removed (on a dry run: would remove), and how many it could not.

    Removals that an earlier process started are counted only when they fail again.
    """

    complete: int = 0
    incomplete: int = 0
    failed: int = 0


@dataclass
class Retried:
    """For how many uploads ``on_completion`` was run, and for how many it has returned now."""

    tried: int = 0
    done: int = 0


def delete_expired(
    upload_set: BoundUploadSet,
    *,
    include_complete: bool = False,
    dry_run: bool = False,
    confirm: Callable[[Record], bool] = lambda record: True,
) -> Cleaned:
    """Remove an upload set's expired uploads, and those that nothing has claimed in time.

    The statement that marks an upload for removal checks its expiry again, so an upload that gets a
    chunk meanwhile stays. Several cleaners may run at once. The time is the steady clock's
    (steady_clock.py), so a jump of the wall clock removes no upload.

    :param include_complete: also remove completed files older than the expiration delta.
    """
    cleaned, now = Cleaned(), steady_now(upload_set)
    if not dry_run:
        cleaned.failed += _finish_removals(upload_set)
    records = upload_set.engine.records
    expired = records.queries.expired(upload_set.name, now=now, include_complete=include_complete)
    expire: Callable[[Record], bool] = partial(upload_set.engine.expire, now=now)
    _remove_each(records.walk(expired), expire, cleaned, dry_run=dry_run, confirm=confirm)
    delta = upload_set.settings.unclaimed_expiration_delta
    if delta is not None:
        # With include_complete, the others have had their turn.
        unclaimed = records.queries.unclaimed(
            upload_set.name,
            completed_before=now - delta,
            expires_after=now if include_complete else None,
        )
        expire = upload_set.engine.expire_unclaimed
        _remove_each(records.walk(unclaimed), expire, cleaned, dry_run=dry_run, confirm=confirm)
    if records.shares is not None and not dry_run:
        records.shares.remove_expired(now)  # links, which say themselves that they have expired
    if not dry_run:
        records.forget_days()
    return cleaned


def _remove_each(
    records: Iterable[Record],
    expire: Callable[[Record], bool],
    cleaned: Cleaned,
    *,
    dry_run: bool,
    confirm: Callable[[Record], bool],
) -> None:
    """Remove records, and count what became of them."""
    for record in records:
        complete = record.status == Status.COMPLETE
        try:
            if not confirm(record) or not (dry_run or expire(record)):
                continue
        except ChunkedUploadError:
            cleaned.failed += 1
            continue
        if complete:
            cleaned.complete += 1
        else:
            cleaned.incomplete += 1


def steady_now(upload_set: BoundUploadSet) -> datetime:
    """Return the time for removals: the wall clock, without sudden jumps."""
    note = Path(upload_set.app.instance_path) / "chunked_upload_clock.json"
    return steady_clock.steady_now(
        upload_set.engine.now(), note, settle=upload_set.settings.expiration_delta
    )


def retry_completions(upload_set: BoundUploadSet, notify: Callable[[Record], None]) -> Retried:
    """Run ``on_completion`` for completed uploads for which it has not returned yet.

    Those for which it is running elsewhere are left out.
    """
    records, retried = upload_set.engine.records, Retried()
    settle = upload_set.engine.completion.settle
    for record in records.walk(records.queries.pending_completions(upload_set.name)):
        mine = True
        with suppress(ChunkedUploadError):
            mine = settle(record, partial(notify, record))
        retried.tried += mine
        retried.done += mine and record.notified_on is not None
    return retried


def _finish_removals(upload_set: BoundUploadSet) -> int:
    """Finish removals whose process died; return how many failed again."""
    records, failed = upload_set.engine.records, 0
    for record in records.walk(records.queries.being_removed(upload_set.name)):
        try:
            upload_set.engine.finish_removal(record)
        except ChunkedUploadError:
            failed += 1
    return failed
