"""Asks a program outside whether an upload may be created, by a signed webhook.

It refuses by a status from 400 to 499; its words go to the client. Anything else but success, or no
answer in time, is 503: nothing is created that nobody has allowed.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any

from chunked_upload.engine.errors import ServiceUnavailable
from chunked_upload.engine.pieces import is_piece
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.records.model import new_upload_id
from chunked_upload.records.repository import Record
from chunked_upload.settings.keys import Settings
from chunked_upload.support.blocking import blocking
from chunked_upload.support.clock import utcnow
from chunked_upload.webhooks.client import Answer, WebhookFailed, post
from chunked_upload.webhooks.signing import signed_headers

from ..wire.body import BEFORE_WAITING

logger = logging.getLogger(__name__)

#: Characters of its words that go to the client.
_MOST_SAID = 500

_UNSAID = "The upload was refused"


def ask_before_create(settings: Settings, record: Record, environ: Mapping[str, Any]) -> None:
    """Ask whether a new upload may be created, if the settings name anybody to ask.

    A piece of another upload is not asked about; the upload that it becomes part of is.

    :param environ: of the request that creates it.
    :raises ChunkedUploadError: when the answer is a refusal.
    :raises ServiceUnavailable: when there is no proper answer.
    """
    url = settings.before_create_url
    if url is None or is_piece(record):
        return
    if (release_connection := environ.get(BEFORE_WAITING)) is not None:
        release_connection()
    record.upload_id = record.upload_id or new_upload_id()
    body = json.dumps(_question(record)).encode()
    try:
        with blocking():
            answer = post(
                url,
                body,
                signed_headers(
                    f"ask_{uuid.uuid4().hex}",
                    body,
                    seconds=int(time.time()),
                    secrets=settings.webhook_secrets or (),
                ),
                networks=settings.webhook_networks,
                seconds=settings.before_create_timeout.total_seconds(),
            )
    except WebhookFailed as error:
        logger.error("the before_create webhook has not answered: %s", error)
        raise _unavailable() from error
    if 400 <= answer.status < 500:
        raise ChunkedUploadError(answer.status, detail=_words(answer))
    if not 200 <= answer.status < 300:
        logger.error("the before_create webhook has answered with status %d", answer.status)
        raise _unavailable()


def _unavailable() -> ServiceUnavailable:
    return ServiceUnavailable("The service that decides about new uploads does not answer now")


def _question(record: Record) -> dict[str, Any]:
    return {
        "type": "upload.before_create",
        "timestamp": utcnow().isoformat(),
        "data": {
            "upload_id": record.upload_id,
            "upload_set": record.upload_set,
            "owner": record.owner,
            "filename": record.filename,
            "length": record.length,
            "metadata": record.extra_fields or {},
        },
    }


def _words(answer: Answer) -> str:
    """Return the ``detail`` of an answer in JSON, on one line."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        return _UNSAID
    detail = said.get("detail") if isinstance(said, dict) else None
    if not isinstance(detail, str):
        return _UNSAID
    plain = "".join(letter if letter.isprintable() else " " for letter in detail)
    return plain.strip()[:_MOST_SAID] or _UNSAID
