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
from chunked_upload.records.model import Status, is_upload_id
from chunked_upload.records.repository import Record
from chunked_upload.settings.text import parse_size
from chunked_upload.support.plural import counted, were

from . import actions
from .durations import duration

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


def _size(_context: Any, _option: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else parse_size(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def filtered(command: _Command) -> _Command:
    """Add the options that choose uploads."""
    for option in (
        click.option("--smaller", callback=_size, help="Of at most so many bytes (10M)."),
        click.option("--larger", callback=_size, help="Of at least so many bytes (1G)."),
        click.option("--newer", callback=duration, help="Created within this time (12h)."),
        click.option("--older", callback=duration, help="Created before that (30d)."),
        click.option("--storage", help="In this storage, by its name (file, s3)."),
        click.option(
            "--search", callback=_not_empty, help="Part of the name, or the beginning of the id."
        ),
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
    upload_sets, wanted = read_filter(**options)
    found = (record for _, record in matching(upload_sets, wanted))
    _print_json(found) if as_json else _print_table(found)


@click.command("show")
@click.argument("upload_id")
@_AS_JSON
@with_appcontext
def show_upload(upload_id: str, as_json: bool) -> None:
    """Show all that is recorded about an upload."""
    [(_, record)] = by_ids([upload_id], sets_of())
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
        question = f"Delete {counted(len(chosen), 'upload')} with their bytes?"
        click.confirm(
            question if len(chosen) != 1 else question.replace("their", "its"), abort=True, err=True
        )

    def delete(upload_set: BoundUploadSet, record: Record) -> bool:
        engine = upload_set.engine
        if options["expired"]:
            return engine.expire(record, now=engine.now())
        return actions.delete(upload_set, record)

    _carry_out(chosen, delete, "deleted", as_json=as_json)


@click.command("expire", short_help="Have unfinished uploads expire now.")
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
            actions.expire(upload_set, record)
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
    said = f"{counted(len(done), 'upload')} {were(len(done))} {verb}."
    click.echo(json.dumps({verb: done}) if as_json else said)
    if failed:
        raise click.ClickException(f"{failed} could not be {verb}.")


def _chosen(upload_ids: tuple[str, ...], **options: Any) -> list[Found]:
    """Return the uploads that a command's arguments choose."""
    upload_sets, wanted = read_filter(**options)
    if upload_ids and wanted:
        raise click.UsageError("Give the ids of uploads, or options that choose them, not both.")
    if upload_ids:
        return by_ids(list(upload_ids), upload_sets)
    if not wanted and options["upload_set"] is None:
        raise click.UsageError("Give the ids of uploads, or options that choose them.")
    return list(matching(upload_sets, wanted))


def read_filter(
    *, upload_set: str | None, status: str | None, expired: bool, **others: Any
) -> tuple[list[BoundUploadSet], UploadFilter]:
    """Return what the options of :func:`filtered` choose: the upload sets, and what of them."""
    wanted = UploadFilter(
        status=None if status is None else _STATUSES[status], expired=expired or None, **others
    )
    return sets_of(upload_set), wanted


def sets_of(name: str | None = None) -> list[BoundUploadSet]:
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


def matching(upload_sets: list[BoundUploadSet], wanted: UploadFilter) -> Iterator[Found]:
    """Yield the uploads that a filter chooses, with their upload sets."""
    for upload_set in upload_sets:
        records = upload_set.engine.records
        query = records.queries.visible(upload_set.name)
        now = upload_set.engine.now()
        for record in records.walk(wanted.narrow(query, upload_set.model, now=now)):
            yield upload_set, record


def by_ids(upload_ids: list[str], upload_sets: list[BoundUploadSet]) -> list[Found]:
    """Return uploads by their ids, and none of them if one is unknown."""
    found: dict[str, Found] = {}
    possible = [upload_id for upload_id in upload_ids if is_upload_id(upload_id)]
    for upload_set in upload_sets:
        records = upload_set.engine.records
        query = records.queries.visible(upload_set.name)
        for record in records.all(records.queries.among(query, possible)):
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
