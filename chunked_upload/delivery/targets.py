"""Tells one target of one event: posts it to a webhook, or calls a listener."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from chunked_upload.records.events import EventMixin
from chunked_upload.settings.events import EventSettings, Webhook
from chunked_upload.webhooks.client import WebhookFailed, post
from chunked_upload.webhooks.signing import signed_headers


class DeliveryFailed(Exception):
    """The target has not taken the event; the text says why."""


@dataclass(frozen=True)
class Event:
    """What a listener gets.

    :param event_id: the same whenever the event is told again, so that a listener can know it.
    :param type: as ``upload.completed``.
    :param timestamp: when it happened: ISO 8601, in UTC.
    :param data: the upload, as docs/events.md describes it.
    """

    event_id: str
    type: str
    timestamp: str
    data: dict[str, Any]


def tell(settings: EventSettings, event: EventMixin) -> None:
    """Tell an event's target.

    :raises DeliveryFailed: with what went wrong.
    """
    webhook = (settings.webhooks or {}).get(event.target)
    if webhook is not None:
        _post(settings, webhook, event)
    else:
        _call(settings, event)


def _post(settings: EventSettings, webhook: Webhook, event: EventMixin) -> None:
    body = event.payload.encode()
    secrets = webhook.secrets or settings.webhook_secrets or ()
    try:
        answer = post(
            webhook.url,
            body,
            signed_headers(event.event_id, body, seconds=int(time.time()), secrets=secrets),
            networks=settings.webhook_networks,
            seconds=settings.webhook_timeout.total_seconds(),
        )
    except WebhookFailed as error:
        raise DeliveryFailed(str(error)) from error
    if not 200 <= answer.status < 300:
        raise DeliveryFailed(f"answered with status {answer.status}")


def _call(settings: EventSettings, event: EventMixin) -> None:
    listener = (settings.event_listeners or {})[event.target]
    message = json.loads(event.payload)
    try:
        listener(Event(event.event_id, **message))
    except Exception as error:
        raise DeliveryFailed(f"{type(error).__name__}: {error}") from error
