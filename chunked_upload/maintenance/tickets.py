"""``flask chunked-upload create-ticket``: a ticket, for a client that a script starts."""

from __future__ import annotations

import json
from datetime import timedelta

import click
from flask.cli import with_appcontext

from chunked_upload.errors import ConfigurationError
from chunked_upload.settings.text import parse_size

from .durations import duration
from .listing import sets_of


@click.command("create-ticket", short_help="Make a ticket for uploads, and print it.")
@click.option("--set", "upload_set", metavar="NAME", help="For this upload set.  [default: first]")
@click.option("--expires", callback=duration, default="15m", show_default=True)
@click.option("--uploads", default=1, show_default=True, help="How many it may have.")
@click.option("--owner", help="The id of the user who owns the uploads.")
@click.option("--max-bytes", help="Largest file, as 10M.")
@click.option("--type", "types", multiple=True, help="image/png, image/* or .pdf; may be repeated.")
@click.option("--filename", help="The file's name, whatever the client says.")
@click.option("--metadata", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def create_ticket(
    upload_set: str | None,
    expires: timedelta,
    uploads: int,
    owner: str | None,
    max_bytes: str | None,
    types: tuple[str, ...],
    filename: str | None,
    metadata: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a ticket and print it: it uploads for a while, without any other credential."""
    pairs = [pair.partition("=") for pair in metadata]
    try:
        ticket = sets_of(upload_set)[0].extension.make_ticket(
            expires_in=expires,
            uploads=uploads,
            owner=owner,
            max_bytes=None if max_bytes is None else parse_size(max_bytes),
            types=types or None,
            filename=filename,
            metadata={name: value for name, _, value in pairs},
        )
    except (ValueError, ConfigurationError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps({"ticket": ticket}) if as_json else ticket)
