"""Signatures of Standard Webhooks (https://www.standardwebhooks.com), version 1: HMAC-SHA256."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

_PREFIX = "whsec_"


def signed_headers(
    message_id: str, body: bytes, *, seconds: int, secrets: Sequence[str]
) -> dict[str, str]:
    """Return the headers by which a receiver knows a message as ours.

    :param message_id: the same in every attempt; receivers know a repetition by it.
    :param seconds: since 1970, of this attempt.
    :param secrets: one signature by each, so that a receiver may know the old or the new one.
    """
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signature(signed, secret) for secret in secrets),
    }


def _signature(signed: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
