"""Commands of an app: ``flask chunked-upload …``."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.repository import Record
from chunked_upload.support.plural import counted, were

from .durations import duration
from .event_commands import deliver_events, events
from .expiry import Cleaned, delete_expired, retry_completions, steady_now
from .listing import delete_uploads, expire_uploads, list_uploads, show_upload
from .move_command import move_storage
from .orphans import Orphans, SuspiciousSweep, find_orphans, remove_orphans
from .repeating import repeat
from .stats import stats
from .tickets import create_ticket
from .tokens import create_token, list_tokens, revoke_token
from .verify import verify


def command_group() -> AppGroup:
    """Return the group that the extension adds to an app's ``flask`` program."""
    group = AppGroup("chunked-upload", help="Care for chunked uploads.")
    for command in (
        list_uploads,
        show_upload,
        stats,
        delete_uploads,
        expire_uploads,
        delete_expired_uploads,
        delete_orphans,
        retry_completions_command,
        move_storage,
        verify,
        create_token,
        list_tokens,
        revoke_token,
        create_ticket,
        deliver_events,
        events,
    ):
        group.add_command(command)
    return group


_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _upload_sets() -> list[BoundUploadSet]:
    return list(current_app.extensions["chunked_upload"].values())


@click.command("delete-expired-uploads", short_help="Delete unfinished uploads whose time is up.")
@click.option("--interactive", "-i", is_flag=True, help="Ask before each one.")
@click.option("--include-complete", is_flag=True, help="Also delete completed files that old.")
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@click.option("--every", callback=duration, help="Keep running, once per interval (15m).")
@_AS_JSON
@with_appcontext
def delete_expired_uploads(
    interactive: bool,
    include_complete: bool,
    dry_run: bool,
    every: timedelta | None,
    as_json: bool,
) -> None:
    """Delete unfinished uploads whose time is up, with their bytes.

    Also delete completed ones that nothing has claimed in time, if
    CHUNKED_UPLOAD_UNCLAIMED_EXPIRATION_DELTA is set.
    """
    if interactive and as_json:
        raise click.UsageError("--interactive asks, and --json cannot; use one of them.")

    def run() -> None:
        chosen: list[str] = []

        def confirm(record: Record) -> bool:
            chosen.append(record.upload_id)
            if dry_run and not as_json:
                click.echo(f"would delete {record!r}")
            return dry_run or not interactive or click.confirm(f"Do you want to delete {record!r}?")

        cleaned = _delete_expired(
            include_complete=include_complete, dry_run=dry_run, confirm=confirm
        )
        if as_json:
            told = asdict(cleaned) | {"dry_run": dry_run}
            click.echo(json.dumps(told | ({"upload_ids": chosen} if dry_run else {})))
        else:
            _tell_deleted(cleaned, dry_run=dry_run)
        if cleaned.failed:
            raise click.ClickException(f"{cleaned.failed} could not be deleted; the log says why.")

    run() if every is None else repeat(run, every)


def _delete_expired(**options: Any) -> Cleaned:
    total = Cleaned()
    for upload_set in _upload_sets():
        cleaned = delete_expired(upload_set, **options)
        total.complete += cleaned.complete
        total.incomplete += cleaned.incomplete
        total.failed += cleaned.failed
    return total


def _tell_deleted(cleaned: Cleaned, *, dry_run: bool) -> None:
    for count, kind in ((cleaned.complete, "complete"), (cleaned.incomplete, "incomplete")):
        verb = "would be" if dry_run else were(count)
        click.echo(f"{counted(count, f'{kind} upload')} {verb} deleted.")


@click.command("delete-orphans", short_help="Show or delete bytes without a record.")
@click.option(
    "--grace", callback=duration, default="1d", show_default=True, help="Ignore younger ones."
)
@click.option("--delete", is_flag=True, help="Delete them; without this they are only shown.")
@click.option("--files", is_flag=True, help="With --delete: completed files, too.")
@click.option("--force", is_flag=True, help="Delete even if most of them look orphaned.")
@_AS_JSON
@with_appcontext
def delete_orphans(grace: timedelta, delete: bool, files: bool, force: bool, as_json: bool) -> None:
    """Show (and delete) parts that have no record, and records that have no part.

    Also completed files that have no record, in an object store: --delete leaves them alone without
    --files. On a disk they are not looked for, since they have the names that clients gave them.
    Killed servers leave none of these; restored backups and lost disks do.
    """
    upload_sets = _upload_sets()
    told = []
    for found in find_orphans(upload_sets, grace=grace, now=steady_now(upload_sets[0])):
        if not as_json:
            _show_orphans(found)
        count = None
        if delete:
            try:
                count = remove_orphans(found, files=files, force=force)
            except SuspiciousSweep as error:
                raise click.ClickException(f"{error}; --force deletes them anyway.") from error
        told.append(_orphans_as_json(found, deleted=count))
        if not as_json:
            _tell_orphans(found, deleted=count)
    if as_json:
        click.echo(json.dumps(told, indent=2))


def _show_orphans(found: Orphans) -> None:
    for upload_id in found.parts:
        click.echo(f"part without a record: {upload_id}")
    for _, record in found.records:
        click.echo(f"record without its part: {record!r}")
    for key in found.files:
        click.echo(f"file without a record: {key}")


def _tell_orphans(found: Orphans, *, deleted: int | None) -> None:
    if deleted is not None:
        click.echo(f"{counted(deleted, 'orphan')} {were(deleted)} deleted.")
        return
    count = len(found.parts) + len(found.records)
    click.echo(f"{counted(count, 'orphan')} would be deleted; --delete does it.")
    if found.files:
        files_found = counted(len(found.files), "file")
        click.echo(f"{files_found} would be deleted; --delete --files does it.")


def _orphans_as_json(found: Orphans, *, deleted: int | None) -> dict[str, Any]:
    return {
        "storage": found.storage.known_as,
        "parts": found.parts,
        "records": [record.upload_id for _, record in found.records],
        "files": found.files,
        "deleted": deleted,
    }


@click.command("retry-completions", short_help="Run on_completion again where it failed.")
@_AS_JSON
@with_appcontext
def retry_completions_command(as_json: bool) -> None:
    """Run on_completion again where it failed or the server died before it returned.

    The hook gets a request that carries nothing: no user, no form.
    """
    found = {}
    for upload_set in _upload_sets():
        with current_app.test_request_context() as context:
            upload_set.guard_connections(context.request)
            view: Any = upload_set.complete_view(upload_set)
            found[upload_set.name] = retry_completions(upload_set, view.notify)
    if as_json:
        click.echo(json.dumps({name: asdict(retried) for name, retried in found.items()}))
    else:
        for name, retried in found.items():
            click.echo(f"{name}: {retried.tried} tried, {retried.done} done.")
    if failed := sum(retried.tried - retried.done for retried in found.values()):
        raise click.ClickException(f"{failed} failed again; the log says why.")
