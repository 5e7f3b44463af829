"""Commands of an app: ``flask chunked-upload …``."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.access.callers import hash_token
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.failures import DatabaseProblem
from chunked_upload.records.repository import Record
from chunked_upload.settings.text import parse_duration

from .expiry import delete_expired, retry_completions, steady_now
from .listing import delete_uploads, expire_uploads, list_uploads, show_upload
from .orphans import SuspiciousSweep, find_orphans, remove_orphans


def command_group() -> AppGroup:
    """Return the group that the extension adds to an app's ``flask`` program."""
    group = AppGroup("chunked-upload", help="Care for chunked uploads.")
    for command in (
        list_uploads,
        show_upload,
        delete_uploads,
        expire_uploads,
        delete_expired_uploads,
        delete_orphans,
        retry_completions_command,
        create_token,
    ):
        group.add_command(command)
    return group


def _upload_sets() -> list[BoundUploadSet]:
    return list(current_app.extensions["chunked_upload"].values())


def _duration(_context: Any, _parameter: Any, value: str | None) -> timedelta | None:
    """Read a duration such as ``90``, ``15m`` or ``1d 12h``."""
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("delete-expired-uploads")
@click.option("--interactive", "-i", is_flag=True, help="Ask before each one.")
@click.option("--include-complete", is_flag=True, help="Also delete completed files that old.")
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@click.option("--every", callback=_duration, help="Keep running, once per interval (15m).")
@with_appcontext
def delete_expired_uploads(
    interactive: bool, include_complete: bool, dry_run: bool, every: timedelta | None
) -> None:
    """Delete unfinished uploads whose time is up, with their bytes.

    Also delete completed ones that nothing has claimed in time, if
    CHUNKED_UPLOAD_UNCLAIMED_EXPIRATION_DELTA is set.
    """

    def confirm(record: Record) -> bool:
        if dry_run:
            click.echo(f"would delete {record!r}")
        return dry_run or not interactive or click.confirm(f"Do you want to delete {record!r}?")

    def run() -> None:
        _delete_expired(include_complete=include_complete, dry_run=dry_run, confirm=confirm)

    run() if every is None else _repeat(run, every)


def _delete_expired(**options: Any) -> None:
    complete = incomplete = failed = 0
    for upload_set in _upload_sets():
        cleaned = delete_expired(upload_set, **options)
        complete += cleaned.complete
        incomplete += cleaned.incomplete
        failed += cleaned.failed
    verb = "would be" if options["dry_run"] else "were"
    click.echo(f"{complete} complete uploads {verb} deleted.")
    click.echo(f"{incomplete} incomplete uploads {verb} deleted.")
    if failed:
        raise click.ClickException(f"{failed} could not be deleted; the log says why.")


def _repeat(run: Callable[[], None], every: timedelta) -> NoReturn:
    """Run once per interval, forever; print failures and try again the next time."""
    while True:
        try:
            run()
        except click.ClickException as error:
            error.show()
        except (OSError, DatabaseProblem, ChunkedUploadError) as error:
            click.echo(f"Failed, will try again: {error}", err=True)
        sys.stdout.flush()
        time.sleep(every.total_seconds())


@click.command("delete-orphans")
@click.option(
    "--grace", callback=_duration, default="1d", show_default=True, help="Ignore younger ones."
)
@click.option("--delete", is_flag=True, help="Delete them; without this they are only shown.")
@click.option("--force", is_flag=True, help="Delete even if most parts or records look orphaned.")
@with_appcontext
def delete_orphans(grace: timedelta, delete: bool, force: bool) -> None:
    """Show (and delete) parts that have no record, and records that have no part.

    Killed servers leave none; restored backups and lost disks do. Completed files are not touched.
    """
    upload_sets = _upload_sets()
    for found in find_orphans(upload_sets, grace=grace, now=steady_now(upload_sets[0])):
        for upload_id in found.parts:
            click.echo(f"part without a record: {upload_id}")
        for _, record in found.records:
            click.echo(f"record without its part: {record!r}")
        if delete:
            try:
                click.echo(f"{remove_orphans(found, force=force)} orphans were deleted.")
            except SuspiciousSweep as error:
                raise click.ClickException(f"{error}; --force deletes them anyway.") from error
        else:
            count = len(found.parts) + len(found.records)
            click.echo(f"{count} orphans would be deleted; --delete does it.")


@click.command("retry-completions")
@with_appcontext
def retry_completions_command() -> None:
    """Run on_completion again where it failed or the server died before it returned.

    The hook gets a request that carries nothing: no user, no form.
    """
    failed = 0
    for upload_set in _upload_sets():
        with current_app.test_request_context() as context:
            upload_set.guard_connections(context.request)
            view: Any = upload_set.complete_view(upload_set)
            retried = retry_completions(upload_set, view.notify)
        click.echo(f"{upload_set.name}: {retried.tried} tried, {retried.done} done.")
        failed += retried.tried - retried.done
    if failed:
        raise click.ClickException(f"{failed} failed again; the log says why.")


@click.command("create-token")
@click.argument("name")
def create_token(name: str) -> None:
    """Make an API token for NAME and print it, once, with the line to configure."""
    if not name.strip() or "," in name:
        raise click.BadParameter("a name must not be empty, nor have a comma in it")
    token = secrets.token_urlsafe(32)
    click.echo(f"Token (keep it, it is not stored): {token}")
    click.echo(f"Add to CHUNKED_UPLOAD_TOKENS:      {name}:{hash_token(token)}")
