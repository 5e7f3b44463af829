"""The address of a shared file: ``<share id>.<expiry>.<signature>``.

The app's secret key signs the id and the expiry, so every worker and host that has the key can read
a link, and nobody else can make one. The upload's id is not in it, since a caller who has it may
delete the upload where callers are anonymous.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, current_app
from itsdangerous import Signer

from chunked_upload.errors import ConfigurationError
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.shares import ShareMixin

_SALT = "chunked-upload.share."

#: Seconds since 1970, from the year 2001 to 5138.
_VALUE = re.compile(r"([\w-]{22})\.([0-9]{10,11})", re.ASCII)

#: Characters of a link before its signature, which alone open nothing: the id and the expiry.
UNSIGNED = 33


class BadLink(Exception):
    """This is no link that this upload set has signed."""


@dataclass(frozen=True)
class Link:
    """What an address says."""

    share_id: str
    expires_on: datetime


def token_of(share: ShareMixin, upload_set: BoundUploadSet) -> str:
    """Return the last part of a link's address."""
    value = f"{share.share_id}.{int(share.expires_on.timestamp())}"
    return _signed(value, upload_set, _keys()[0])


def read(token: str, upload_set: BoundUploadSet) -> Link:
    """Return what a link says.

    :raises BadLink: for one that is not exactly as it was made.
    """
    value = token.rpartition(".")[0]
    match = _VALUE.fullmatch(value)
    # Compared as text: of Base64, several texts are the same bytes.
    genuine = [
        hmac.compare_digest(_signed(value, upload_set, key).encode(), token.encode())
        for key in _keys()
    ]
    if match is None or not any(genuine):
        raise BadLink
    return Link(match[1], datetime.fromtimestamp(int(match[2]), UTC))


def check_key(app: Flask) -> None:
    """Check that an app can sign links.

    :raises ConfigurationError:
    """
    if not app.secret_key:
        raise ConfigurationError(
            "CHUNKED_UPLOAD_SHARE=True needs a key to sign links with: set app.secret_key before"
            " ChunkedUpload(app) or init_app(app)"
        )


def _keys() -> list[str | bytes]:
    """Return the app's key, and older ones by which links may have been signed."""
    older: list[str | bytes] = current_app.config.get("SECRET_KEY_FALLBACKS") or []
    return [current_app.secret_key or "", *older]


def _signed(value: str, upload_set: BoundUploadSet, key: str | bytes) -> str:
    signer = Signer(
        key,
        salt=f"{_SALT}{upload_set.name}",
        key_derivation="hmac",
        digest_method=hashlib.sha256,
    )
    return signer.sign(value.encode()).decode()
