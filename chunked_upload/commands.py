"""Commands of an app: ``flask chunked-upload …``."""

from __future__ import annotations

import secrets
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from .callers import hash_token
from .cleaner import delete_expired, retry_completions
from .mount import Mount
from .records import Record


def command_group() -> AppGroup:
    """Return the group that the extension adds to an app's ``flask`` program."""
    group = AppGroup("chunked-upload", help="Care for chunked uploads.")
    for command in (delete_expired_uploads, retry_completions_command, create_token):
        group.add_command(command)
    return group


def _mounts() -> list[Mount]:
    return list(current_app.extensions["chunked_upload"].values())


@click.command("delete-expired-uploads")
@click.option("--interactive", "-i", is_flag=True, help="Ask before each one.")
@click.option("--include-complete", is_flag=True, help="Also delete completed files that old.")
@click.option("--dry-run", is_flag=True, help="Only show what would be deleted.")
@with_appcontext
def delete_expired_uploads(interactive: bool, include_complete: bool, dry_run: bool) -> None:
    """Delete unfinished uploads whose time is up, with their bytes."""

    def confirm(record: Record) -> bool:
        if dry_run:
            click.echo(f"would delete {record!r}")
        return dry_run or not interactive or click.confirm(f"Do you want to delete {record!r}?")

    complete = incomplete = failed = 0
    for mount in _mounts():
        cleaned = delete_expired(
            mount, include_complete=include_complete, dry_run=dry_run, confirm=confirm
        )
        complete += cleaned.complete
        incomplete += cleaned.incomplete
        failed += cleaned.failed
    verb = "would be" if dry_run else "were"
    click.echo(f"{complete} complete uploads {verb} deleted.")
    click.echo(f"{incomplete} incomplete uploads {verb} deleted.")
    if failed:
        raise click.ClickException(f"{failed} could not be deleted; the log says why.")


@click.command("retry-completions")
@with_appcontext
def retry_completions_command() -> None:
    """Run on_completion again where it failed or the server died before it returned.

    The hook gets a request that carries nothing: no user, no form.
    """
    failed = 0
    for mount in _mounts():
        with current_app.test_request_context():
            view: Any = mount.complete_view(mount)
            retried = retry_completions(mount, view.notify)
        click.echo(f"{mount.name}: {retried.tried} tried, {retried.done} done.")
        failed += retried.tried - retried.done
    if failed:
        raise click.ClickException(f"{failed} failed again; the log says why.")


@click.command("create-token")
@click.argument("name")
def create_token(name: str) -> None:
    """Make an API token for NAME and print it, once, with the line to configure."""
    token = secrets.token_urlsafe(32)
    click.echo(f"Token (keep it, it is not stored): {token}")
    click.echo(f"Add to CHUNKED_UPLOAD_TOKENS:      {name}:{hash_token(token)}")
