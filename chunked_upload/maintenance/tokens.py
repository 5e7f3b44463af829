"""Commands for API tokens: ``flask chunked-upload create-token`` and so on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from chunked_upload.http.access.tokens import (
    CACHE_SECONDS,
    READ,
    SCOPES,
    UPLOAD,
    StoredTokens,
    hash_token,
    new_token,
)
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.failures import DatabaseProblem, missing
from chunked_upload.records.tokens import MAX_NAME, NameInUse, TokenMixin
from chunked_upload.support.plural import counted, were

from .durations import duration

#: The columns of the list.
_LINE = "{:>6}  {:<8}  {:<18}  {:<25}  {}"

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _name(_context: Any, _parameter: Any, value: str) -> str:
    if not value.strip() or "," in value:
        raise click.BadParameter("a name must not be empty, nor have a comma in it")
    if not value.isprintable():
        raise click.BadParameter("a name must have letters that can be shown, in UTF-8")
    if len(value) > MAX_NAME:
        raise click.BadParameter(f"a name has at most {MAX_NAME} characters")
    return value


@click.command("create-token")
@click.argument("name", callback=_name)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What it may be used for; may be repeated.  [default: upload, read]",
)
@click.option("--expires", callback=duration, help="How long it counts, as 90d.  [default: ever]")
@click.option("--beside", is_flag=True, help="Also if a token of that name counts already.")
@click.option("--configure", is_flag=True, help="Store nothing; print what to configure.")
@_AS_JSON
@with_appcontext
def create_token(
    name: str,
    scopes: tuple[str, ...],
    expires: timedelta | None,
    beside: bool,
    configure: bool,
    as_json: bool,
) -> None:
    """Make an API token for NAME and print it, once.

    Its SHA-256 is stored in the database. An app that looks no tokens up there is told what to add
    to CHUNKED_UPLOAD_TOKENS, as with --configure; such a token may upload and read until the
    configuration changes.
    """
    upload_set = _upload_set()
    stored = upload_set.tokens.stored
    if configure or (stored is None and not scopes and expires is None):
        if scopes or expires is not None:
            raise click.UsageError("--configure goes with neither --scope nor --expires.")
        _print_configured(name, as_json=as_json)
        return
    token = new_token()
    added = _add(
        _stored(upload_set),
        name,
        token,
        scopes=scopes or (UPLOAD, READ),
        age=expires,
        beside=beside,
    )
    if as_json:
        click.echo(json.dumps({"token": token, **_described(added, added.created_on)}, indent=2))
        return
    click.echo(f"Token (keep it, it is not stored): {token}")
    until = "" if added.expires_on is None else f", until {added.expires_on:%Y-%m-%d %H:%M} UTC"
    click.echo(f"It counts from now on for: {added.scopes.replace(' ', ', ')}{until}")
    if not upload_set.login_required:
        click.echo(
            "Callers without a token may upload, too: CHUNKED_UPLOAD_REQUIRE_TOKENS=1 changes that",
            err=True,
        )


@click.command("list-tokens", short_help="List the API tokens of the database.")
@_AS_JSON
@with_appcontext
def list_tokens(as_json: bool) -> None:
    """List the API tokens of the database, the oldest first; the tokens themselves are unknown."""
    stored = _stored(_upload_set())
    with _explained():
        found = [_described(token, stored.now()) for token in stored.table.all()]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        click.echo("There are no tokens in the database; create-token makes one.")
        return
    click.echo(_LINE.format("id", "status", "scopes", "expires", "name"))
    for one in found:
        scopes, until = ",".join(one["scopes"]), one["expires_on"] or "-"
        click.echo(_LINE.format(one["id"], one["status"], scopes, until, one["name"]))


@click.command("revoke-token", short_help="Revoke the API tokens of a name.")
@click.argument("name")
@click.option("--id", "token_id", type=int, help="Only this one of that name (list-tokens).")
@_AS_JSON
@with_appcontext
def revoke_token(name: str, token_id: int | None, as_json: bool) -> None:
    """Revoke the API tokens of NAME; running servers refuse them within seconds."""
    stored = _stored(_upload_set())
    with _explained():
        revoked = stored.table.revoke(name, now=stored.now(), token_id=token_id)
    if not revoked:
        raise click.ClickException(
            f"the database has no token of the name {name!r} to revoke; list-tokens shows them."
            " One in CHUNKED_UPLOAD_TOKENS ends when it is taken out there"
        )
    if as_json:
        click.echo(json.dumps({"revoked": revoked}))
        return
    click.echo(
        f"{counted(revoked, 'token')} {were(revoked)} revoked;"
        f" servers refuse {'it' if revoked == 1 else 'them'} in {CACHE_SECONDS:g} seconds."
    )


def _upload_set() -> BoundUploadSet:
    """Return the first upload set, whose database has the tokens of the app."""
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    return next(iter(upload_sets.values()))


def _stored(upload_set: BoundUploadSet) -> StoredTokens:
    if upload_set.tokens.stored is None:
        raise click.ClickException(
            "this app has no table of tokens: set CHUNKED_UPLOAD_REQUIRE_TOKENS=True and migrate"
            " its database, or use create-token --configure"
        )
    return upload_set.tokens.stored


def _add(
    stored: StoredTokens,
    name: str,
    token: str,
    *,
    scopes: tuple[str, ...],
    age: timedelta | None,
    beside: bool,
) -> TokenMixin:
    now = stored.now()
    try:
        with _explained():
            return stored.table.add(
                name,
                hash_token(token),
                scopes=[scope for scope in SCOPES if scope in scopes],
                now=now,
                expires_on=None if age is None else now + age,
                beside=beside,
            )
    except NameInUse as error:
        raise click.ClickException(
            f"a token of the name {name!r} counts already; revoke it first (revoke-token), or have"
            " both with --beside"
        ) from error


@contextmanager
def _explained() -> Iterator[None]:
    """Say what to do about a database that was not migrated."""
    try:
        yield
    except DatabaseProblem as error:
        if (lacking := missing(error)) is None:
            raise
        raise click.ClickException(
            f"the database has no {lacking}: run `chunked-upload migrate` first (in an app of"
            " yours, `flask db migrate` and `flask db upgrade`, or db.create_all())"
        ) from error


def _print_configured(name: str, *, as_json: bool) -> None:
    token = new_token()
    line = f"{name}:{hash_token(token)}"
    if as_json:
        click.echo(json.dumps({"token": token, "configure": line}, indent=2))
        return
    click.echo(f"Token (keep it, it is not stored): {token}")
    click.echo(f"Add to CHUNKED_UPLOAD_TOKENS:      {line}")


def _described(token: TokenMixin, now: datetime) -> dict[str, Any]:
    status = "valid"
    if token.revoked_on is not None:
        status = "revoked"
    elif token.expires_on is not None and token.expires_on <= now:
        status = "expired"
    times = {name: getattr(token, name) for name in ("created_on", "expires_on", "revoked_on")}
    return {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes.split(),
        "status": status,
        **{name: time and time.isoformat(timespec="seconds") for name, time in times.items()},
    }
