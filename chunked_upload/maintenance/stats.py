"""``flask chunked-upload stats``: what is stored, and whose it is."""

from __future__ import annotations

import json
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.totals import Total
from chunked_upload.storage.powers import TellsRoom
from chunked_upload.support.plural import counted
from chunked_upload.support.sizes import readable

#: Owners that are shown if nobody says otherwise.
_OWNERS = 10


@click.command("stats", short_help="Show uploads and bytes by status and owner.")
@click.option(
    "--owners",
    default=_OWNERS,
    show_default=True,
    type=click.IntRange(0),
    help="How many owners to show, those with most bytes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def stats(owners: int, as_json: bool) -> None:
    """Show how many uploads and bytes there are, by status and by owner, and what is free."""
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    tables = {one.model: one.engine.records.totals for one in upload_sets.values()}
    totals = [total for table in tables.values() for total in table.by_status()]
    found = {name: _of(upload_set, totals, owners) for name, upload_set in upload_sets.items()}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, figures in found.items():
        _print(name, figures)


def _of(upload_set: BoundUploadSet, totals: list[Total], owners: int) -> dict[str, Any]:
    """Return the figures of one upload set.

    :param totals: of every upload set.
    """
    records, storage = upload_set.engine.records, upload_set.engine.storage
    now = upload_set.engine.now()
    totals = [total for total in totals if total.upload_set == upload_set.name]
    since = min((total.waiting_since for total in totals if total.waiting_since), default=now)
    return {
        "statuses": {
            total.status.name.lower(): {"uploads": total.uploads, "bytes": total.held}
            for total in totals
        },
        "hooks_waiting": sum(total.waiting for total in totals),
        "hooks_waiting_seconds": round((now - since).total_seconds()),
        "owners": [
            {"owner": owner, "uploads": uploads, "bytes": held}
            for owner, uploads, held in records.totals.largest_owners(upload_set.name, owners)
        ],
        "free_bytes": storage.free_bytes() if isinstance(storage, TellsRoom) else None,
    }


def _print(name: str, figures: dict[str, Any]) -> None:
    click.echo(f"{name}:")
    for status, one in figures["statuses"].items():
        click.echo(
            f"  {status:<10} {counted(one['uploads'], 'upload'):<17}  {readable(one['bytes']):>10}"
        )
    if figures["hooks_waiting"]:
        seconds = counted(figures["hooks_waiting_seconds"], "second")
        click.echo(
            f"  on_completion has not returned for {figures['hooks_waiting']:,} of them, for at"
            f" most {seconds}"
        )
    if figures["free_bytes"] is not None:
        click.echo(f"  {'free':<10} {'':<17}  {readable(figures['free_bytes']):>10}")
    for one in figures["owners"]:
        owner = "no owner" if one["owner"] is None else one["owner"]
        uploads = f"{counted(one['uploads'], 'upload'):<17}"
        click.echo(f"  {'':<10} {uploads}  {readable(one['bytes']):>10}  {owner}")
