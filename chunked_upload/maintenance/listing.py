"""Commands that list, show, delete and end uploads: ``flask chunked-upload list`` and so on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext

from chunked_upload.engine.errors import AlreadyComplete, UploadNotFound
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.schemas import RecordSchema
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.filters import UploadFilter
from chunked_upload.records.model import Status
from chunked_upload.records.repository import Record
from chunked_upload.support.clock import utcnow

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: An upload, and the upload set to which it belongs.
Found = tuple[BoundUploadSet, Record]

_STATUSES = {"uploading": Status.UPLOADING, "complete": Status.COMPLETE}

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_IDS = click.argument("upload_ids", metavar="UPLOAD_ID...", nargs=-1)


def _not_empty(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    # Empty text is part of every name: `delete --name "$UNSET"` would delete everything.
    if value == "":
        raise click.BadParameter("must not be empty")
    return value


def filtered(command: _Command) -> _Command:
    """Add the options that choose uploads."""
    for option in (
        click.option("--name", callback=_not_empty, help="Part of the file's name, in any case."),
        click.option("--expired", is_flag=True, help="Unfinished and past their time."),
        click.option("--owner", help="An owner's id; '' for uploads without an owner."),
        click.option("--status", type=click.Choice(list(_STATUSES))),
        click.option("--set", "upload_set", metavar="NAME", help="Of this upload set only."),
    ):
        command = option(command)
    return command


@click.command("list")
@_AS_JSON
@filtered
@with_appcontext
def list_uploads(as_json: bool, **options: Any) -> None:
    """List uploads, the oldest first."""
    upload_sets, wanted = _read(**options)
    found = (record for _, record in _matching(upload_sets, wanted))
    _print_json(found) if as_json else _print_table(found)


@click.command("show")
@click.argument("upload_id")
@_AS_JSON
@with_appcontext
def show_upload(upload_id: str, as_json: bool) -> None:
    """Show all that is recorded about an upload."""
    [(_, record)] = _by_ids([upload_id], _sets())
    state = RecordSchema().dump(record)
    if as_json:
        click.echo(json.dumps(state, indent=2))
        return
    for name, value in state.items():
        click.echo(f"{name + ':':<14}{'-' if value is None else value}")


@click.command("delete")
@_IDS
@filtered
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@_AS_JSON
@with_appcontext
def delete_uploads(upload_ids: tuple[str, ...], yes: bool, as_json: bool, **options: Any) -> None:
    """Delete uploads, finished or not, with their bytes.

    Choose them by their ids or by options. A chunk that arrives meanwhile keeps an upload that was
    chosen as expired.
    """
    chosen = _chosen(upload_ids, **options)
    if chosen and not yes:
        click.confirm(f"Delete {len(chosen)} uploads with their bytes?", abort=True, err=True)

    def delete(upload_set: BoundUploadSet, record: Record) -> bool:
        engine = upload_set.engine
        if options["expired"]:
            return engine.expire(record, now=utcnow())
        try:
            engine.release([record])  # a row's claim stays: the row must be deleted
            engine.abort(record)
        except UploadNotFound:  # another process was faster
            return False
        return True

    _carry_out(chosen, delete, "deleted", as_json=as_json)


@click.command("expire")
@_IDS
@filtered
@_AS_JSON
@with_appcontext
def expire_uploads(upload_ids: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Have unfinished uploads expire now: their clients get 410.

    Choose them by their ids or by options. delete-expired-uploads removes their bytes.
    """
    chosen = _chosen(upload_ids, **options)
    complete = [record for _, record in chosen if record.status == Status.COMPLETE]
    if upload_ids and complete:
        raise click.ClickException(f"{complete[0]!r} is complete and never expires; use delete")

    def expire(upload_set: BoundUploadSet, record: Record) -> bool:
        try:
            upload_set.engine.end_time(record)
        except (AlreadyComplete, UploadNotFound):
            return False
        return True

    _carry_out(chosen, expire, "expired", as_json=as_json)


def _carry_out(
    chosen: list[Found],
    action: Callable[[BoundUploadSet, Record], bool],
    verb: str,
    *,
    as_json: bool,
) -> None:
    """Do something to each upload, and tell to which ones it was done.

    :param action: returns False for an upload that it did not need to touch.
    """
    done, failed = [], 0
    for upload_set, record in chosen:
        try:
            if action(upload_set, record):
                done.append(record.upload_id)
        except ChunkedUploadError as error:
            click.echo(f"{record!r}: {error}", err=True)
            failed += 1
    click.echo(json.dumps({verb: done}) if as_json else f"{len(done)} uploads were {verb}.")
    if failed:
        raise click.ClickException(f"{failed} could not be {verb}.")


def _chosen(upload_ids: tuple[str, ...], **options: Any) -> list[Found]:
    """Return the uploads that a command's arguments choose."""
    upload_sets, wanted = _read(**options)
    if upload_ids and wanted:
        raise click.UsageError("Give the ids of uploads, or options that choose them, not both.")
    if upload_ids:
        return _by_ids(list(upload_ids), upload_sets)
    if not wanted and options["upload_set"] is None:
        raise click.UsageError("Give the ids of uploads, or options that choose them.")
    return list(_matching(upload_sets, wanted))


def _read(
    *,
    upload_set: str | None,
    status: str | None,
    owner: str | None,
    expired: bool,
    name: str | None,
) -> tuple[list[BoundUploadSet], UploadFilter]:
    wanted = UploadFilter(
        status=None if status is None else _STATUSES[status],
        owner=owner,
        expired=expired or None,
        name=name,
    )
    return _sets(upload_set), wanted


def _sets(name: str | None = None) -> list[BoundUploadSet]:
    """Return the upload set of that name; all of them for None."""
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    if name is None:
        return list(upload_sets.values())
    if name not in upload_sets:
        known = ", ".join(upload_sets)
        raise click.BadParameter(
            f"this app has no upload set named {name!r}; it has: {known}", param_hint="--set"
        )
    return [upload_sets[name]]


def _matching(upload_sets: list[BoundUploadSet], wanted: UploadFilter) -> Iterator[Found]:
    for upload_set in upload_sets:
        records = upload_set.engine.records
        query = records.queries.visible(upload_set.name)
        for record in records.walk(wanted.narrow(query, upload_set.model, now=utcnow())):
            yield upload_set, record


def _by_ids(upload_ids: list[str], upload_sets: list[BoundUploadSet]) -> list[Found]:
    """Return uploads by their ids, and none of them if one is unknown."""
    found: dict[str, Found] = {}
    for upload_set in upload_sets:
        records = upload_set.engine.records
        query = records.queries.visible(upload_set.name)
        for record in records.all(records.queries.among(query, upload_ids)):
            found[record.upload_id] = upload_set, record
    unknown = [upload_id for upload_id in upload_ids if upload_id not in found]
    if unknown:
        raise click.ClickException(f"there is no upload with the id {', '.join(unknown)}")
    return list(found.values())


def _print_json(records: Iterator[Record]) -> None:
    schema, separator = RecordSchema(), "["
    for record in records:
        click.echo(f"{separator}\n  {json.dumps(schema.dump(record))}", nl=False)
        separator = ","
    click.echo("[]" if separator == "[" else "\n]")


def _print_table(records: Iterator[Record]) -> None:
    for record in records:
        status = "expired" if record.expired else Status(record.status).name.lower()
        size = f"{record.offset}/{'?' if record.length is None else record.length}"
        created = f"{record.created_on:%Y-%m-%d %H:%M}"
        columns = f"{record.upload_id}  {status:<9}  {size:>23}  {created}"
        click.echo(f"{columns}  {record.owner or '-'}  {record.filename}")
