"""``flask chunked-upload move-storage``: moves files to another storage while uploads continue."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.failures import DatabaseProblem
from chunked_upload.settings.text import parse_size
from chunked_upload.support.sizes import readable

from .durations import duration
from .moving import Failure, Move, Moved, Rate, Remaining, remaining

#: Exit codes beside 0, when nothing remains.
_FAILED, _REMAINS = 1, 3

#: Seconds between two lines of progress.
_TOLD_EVERY = 10.0


def _rate(_context: Any, _parameter: Any, value: str | None) -> int | None:
    try:
        rate = None if value is None else parse_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if rate == 0:
        raise click.BadParameter("must be at least one byte per second")
    return rate


@click.command("move-storage", short_help="Move completed files to another storage.")
@click.option("--set", "name", metavar="NAME", help="Of this upload set only.")
@click.option(
    "--jobs", default=4, show_default=True, type=click.IntRange(1, 64), help="Files at a time."
)
@click.option(
    "--rate",
    callback=_rate,
    help="Most bytes per second, as 50M (powers of 1024).  [default: no limit]",
)
@click.option("--read-back", is_flag=True, help="Read each copy again before it counts.")
@click.option(
    "--delete-after",
    "after",
    callback=duration,
    default="1h",
    show_default=True,
    help="How long after its move an old file is deleted: longer than a download takes.",
)
@click.option("--keep", is_flag=True, help="Delete no old files.")
@click.option("--every", callback=duration, help="Run again at this interval (15m) until done.")
@click.option("--dry-run", is_flag=True, help="Only show what would be moved.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def move_storage(name: str | None, every: timedelta | None, **options: Any) -> None:
    """Move completed files from CHUNKED_UPLOAD_OLD_STORAGE to the storage.

    It may be stopped, killed and run again at any time, and run on several hosts at once. Uploads
    that are not complete stay until they are.

    Exit code: 0 when nothing remains, 1 when an upload failed, 3 when something remains.
    """
    upload_sets = _moving_sets(name)
    while True:
        try:
            code = _run(upload_sets, **options)
        except (OSError, DatabaseProblem) as error:
            if every is None:
                raise
            click.echo(f"Failed, will try again: {error}", err=True)
            code = _FAILED
        if every is None or options["dry_run"] or code == 0:
            sys.exit(code)
        sys.stdout.flush()
        time.sleep(every.total_seconds())


def _moving_sets(name: str | None) -> list[BoundUploadSet]:
    all_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    moving = {each.name: each for each in all_sets.values() if each.engine.stores.old is not None}
    if not moving:
        raise click.UsageError(
            "No upload set has an old storage: set CHUNKED_UPLOAD_STORAGE to the new one and"
            " CHUNKED_UPLOAD_OLD_STORAGE to the old one (`file:` for the disk), and restart all"
            " servers before you move anything."
        )
    if name is None:
        return list(moving.values())
    if name not in moving:
        raise click.BadParameter(
            f"no upload set named {name!r} has an old storage; these have: {', '.join(moving)}",
            param_hint="--set",
        )
    return [moving[name]]


def _run(
    upload_sets: list[BoundUploadSet],
    *,
    jobs: int,
    rate: int | None,
    read_back: bool,
    after: timedelta,
    keep: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Move what can be moved, tell what remains, and return the exit code."""
    limit, moved = Rate(rate), {}
    for upload_set in upload_sets:
        if dry_run:
            moved[upload_set.name] = Moved()
            continue
        progress = Progress(upload_set.name, remaining(upload_set), limit)
        move = Move(
            upload_set,
            jobs=jobs,
            read_back=read_back,
            sent=progress.sent,
            failed=lambda failure: click.echo(_line(failure), err=True),
        )
        move.move()
        if not keep:
            move.drop_old(after=after)
        moved[upload_set.name] = move.moved
    left = {each.name: remaining(each) for each in upload_sets}
    if as_json:
        result = {each: _as_json(moved[each], left[each]) for each in moved}
        click.echo(json.dumps(result, indent=2))
    else:
        _tell(upload_sets, moved, left, keep=keep, dry_run=dry_run)
    if any(each.failed for each in moved.values()):
        return _FAILED
    return _REMAINS if any(_remains(each, keep=keep) for each in left.values()) else 0


def _remains(left: Remaining, *, keep: bool) -> bool:
    return bool(left.uploads or left.unfinished or (left.old_copies and not keep))


def _as_json(moved: Moved, left: Remaining) -> dict[str, Any]:
    return {"moved": asdict(moved), "remaining": asdict(left)}


def _tell(
    upload_sets: list[BoundUploadSet],
    moved: dict[str, Moved],
    left: dict[str, Remaining],
    *,
    keep: bool,
    dry_run: bool,
) -> None:
    for upload_set in upload_sets:
        done, stores = moved[upload_set.name], upload_set.engine.stores
        way = f"from {stores.old.known_as} to {stores.current.known_as}" if stores.old else ""
        what = left[upload_set.name]
        if dry_run:
            done = Moved(what.uploads, what.bytes)
        verb = "would be" if dry_run else "were"
        line = (
            f"{upload_set.name}: {done.uploads} uploads ({readable(done.bytes)}) {verb} moved {way}"
        )
        deleted = f", {done.old_copies_deleted} old files were deleted"
        click.echo(line + ("" if dry_run else deleted) + ".")
    total = Remaining(*(sum(column) for column in zip(*map(_row, left.values()), strict=True)))
    if not _remains(total, keep=keep):
        click.echo("Nothing remains. Remove CHUNKED_UPLOAD_OLD_STORAGE, and restart all servers.")
        return
    failed = sum(len(each.failed) for each in moved.values())
    click.echo(
        f"Remaining: {total.uploads} complete uploads ({readable(total.bytes)}),"
        f" {total.unfinished} unfinished ones, {total.old_copies} old files."
        + (f" {failed} failed, see above." if failed else "")
        + ("" if dry_run else " Run it again.")
    )


def _row(left: Remaining) -> list[int]:
    return list(asdict(left).values())


def _line(failure: Failure) -> str:
    return f"{failure.upload_id} {failure.filename!r}: {failure.problem}"


class Progress:
    """Tells from time to time, on standard error, how far a move is.

    :param total: what there was to do at its start.
    :param limit: waits before bytes may be sent.
    """

    def __init__(self, name: str, total: Remaining, limit: Rate) -> None:
        self._name = name
        self._total = total.bytes
        self._limit = limit
        self._bytes = 0
        self._started = self._told = time.monotonic()
        self._lock = threading.Lock()

    def sent(self, size: int) -> None:
        """Count bytes that are being sent; wait until they may be."""
        self._limit.wait(size)
        with self._lock:
            self._bytes += size
            now = time.monotonic()
            if now - self._told >= _TOLD_EVERY:
                self._told = now
                self._tell(now - self._started)

    def _tell(self, seconds: float) -> None:
        rate = self._bytes / seconds
        left = timedelta(seconds=round(max(0, self._total - self._bytes) / rate))
        click.echo(
            f"{self._name}: {readable(self._bytes)} of {readable(self._total)}, {readable(rate)}/s,"
            f" about {left} left",
            err=True,
        )
