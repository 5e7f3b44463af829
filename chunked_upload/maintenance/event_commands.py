"""Commands about events: ``flask chunked-upload deliver-events`` and ``… events list|resend``."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from chunked_upload.delivery.background import deliverers
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.event_queue import EventQueue
from chunked_upload.records.events import EventMixin, EventStatus
from chunked_upload.support.plural import counted

from .durations import duration
from .repeating import repeat

_STATUSES = [status.name.lower() for status in EventStatus]

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

#: The columns of a list.
_LINE = "{:<36}  {:<19}  {:<16}  {:<32}  {}"

#: Events that are listed if nobody says otherwise.
_MOST = 100


@click.command("deliver-events", short_help="Tell webhooks and listeners of events.")
@click.option("--every", callback=duration, help="Keep running, once per interval (10s).")
@_AS_JSON
@with_appcontext
def deliver_events(every: timedelta | None, as_json: bool) -> None:
    """Tell webhooks and listeners of the events that are due.

    The bundled server does so by itself. Under another server run this every minute, or once with
    --every.
    """
    _queues()
    found = deliverers(current_app._get_current_object())  # type: ignore[attr-defined]

    def run() -> None:
        told = {}
        for name, one in found.items():
            done = told[name] = one.deliver()
            one.clean()
            if not as_json:
                click.echo(
                    f"{name}: {done.delivered} delivered, {done.failed} failed,"
                    f" {done.dead} given up."
                )
        if as_json:
            click.echo(json.dumps({name: asdict(done) for name, done in told.items()}))

    run() if every is None else repeat(run, every)


@click.group("events", cls=AppGroup)
def events() -> None:
    """List events, and have them sent again."""


@events.command("list", short_help="List dead letters, or other events.")
@click.option(
    "--status",
    type=click.Choice(_STATUSES),
    default="dead",
    show_default=True,
    help="What became of them.",
)
@click.option("--upload", metavar="UPLOAD_ID", help="All of this upload, instead.")
@click.option("--most", default=_MOST, show_default=True, type=click.IntRange(1))
@_AS_JSON
@with_appcontext
def list_events(status: str, upload: str | None, most: int, as_json: bool) -> None:
    """List dead letters, or other events: the newest first, an upload's own in order."""

    def of(queue: EventQueue) -> list[EventMixin]:
        if upload is not None:
            return queue.of_upload(upload)
        return queue.with_status(EventStatus[status.upper()], most=most)

    found = [_shown(event) for queue in _queues() for event in of(queue)]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if not found:
        none = f"{status} events" if upload is None else "events of this upload"
        click.echo(f"There are no {none}.")
        return
    click.echo(_LINE.format("event", "created (UTC)", "type", "upload", "what became of it"))
    for one in found:
        said = f"{one['target']}: {one['status']}, {counted(one['attempts'], 'attempt')}"
        problem = f"  {one['problem']}" if one["problem"] else ""
        created = one["created_on"][:19].replace("T", " ")
        click.echo(
            _LINE.format(one["event_id"], created, one["type"], one["upload_id"], said + problem)
        )


@events.command("resend", short_help="Have events sent again.")
@click.argument("event_ids", metavar="EVENT_ID...", nargs=-1)
@click.option("--dead", is_flag=True, help="Every dead letter.")
@_AS_JSON
@with_appcontext
def resend_events(event_ids: tuple[str, ...], dead: bool, as_json: bool) -> None:
    """Have events sent again, with the ids that they had: dead letters, or delivered ones."""
    queues = _queues()
    if dead == bool(event_ids):
        raise click.UsageError("name events, or give --dead")
    chosen = None if dead else event_ids
    resent = sum(queue.resend(chosen, queue.now()) for queue in queues)
    if not resent and not dead:
        raise click.ClickException("there is no such event, or it is still waiting")
    told = f"{counted(resent, 'event')} will be sent again."
    click.echo(json.dumps({"resent": resent}) if as_json else told)


def _queues() -> list[EventQueue]:
    """Return the events of every table.

    :raises click.ClickException: when nobody is configured to be told.
    """
    upload_sets: dict[str, BoundUploadSet] = current_app.extensions["chunked_upload"]
    found = {}
    for one in upload_sets.values():
        outbox = one.engine.records.outbox
        if outbox is not None:
            found[outbox.model] = EventQueue(outbox)
    if not found:
        raise click.ClickException(
            "there are no events: set CHUNKED_UPLOAD_WEBHOOKS or CHUNKED_UPLOAD_EVENT_LISTENERS"
        )
    return list(found.values())


def _shown(event: EventMixin) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "type": event.kind,
        "upload_id": event.upload_id,
        "upload_set": event.upload_set,
        "target": event.target,
        "status": EventStatus(event.status).name.lower(),
        "attempts": event.attempts,
        "created_on": event.created_on.isoformat(),
        "due_on": event.due_on.isoformat(),
        "problem": event.problem,
    }
