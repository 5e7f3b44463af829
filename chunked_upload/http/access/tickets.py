"""Tickets: what an app's back end gives a browser or phone to upload with, without a session.

A ticket is signed with the app's secret key, and says itself what it allows, so every worker and
host that has the key can read it, and nothing is stored when it is made. It has a random id, which
the uploads that it begins keep: they alone can be seen with it, and they are counted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from itsdangerous import Signer

from chunked_upload.errors import ConfigurationError
from chunked_upload.support.filenames import clean_filename, has_extension
from chunked_upload.support.media_types import is_among, media_type

#: How tickets begin, by which scanners for leaked secrets know them.
PREFIX = "chut_"

_SALT = "chunked-upload.ticket."

#: Longest ticket: servers and proxies take heads of 8 KiB, in which there is more.
_LONGEST = 4096


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What a ticket allows.

    :param ticket_id: 32 hex digits.
    :param expires: until when it begins uploads, in seconds since 1970.
    :param uploads: how many it may have begun.
    :param owner: key of the user who owns the uploads; None: they belong to the ticket.
    :param max_bytes: largest file.
    :param types: media types (``image/*``) and extensions (``.pdf``) that are allowed; None: any.
    :param filename: the file's name, whatever the client says.
    :param metadata: fields kept with the upload, whatever the client says.
    """

    ticket_id: str
    expires: int
    uploads: int = 1
    owner: str | None = None
    max_bytes: int | None = None
    types: tuple[str, ...] | None = None
    filename: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What its uploads keep of it; the number is there for those who count them."""
        return f"{self.ticket_id}.{self.uploads}"

    def has_expired(self, now: datetime) -> bool:
        """Return whether it begins no more uploads."""
        return now.timestamp() >= self.expires

    def allows_type(self, name: str) -> bool:
        """Return whether a file may have this name, by its extension."""
        if self.types is None:
            return True
        suffixes = [one[1:].lower() for one in self.types if one.startswith(".")]
        by_media_type = "." in name and is_among(media_type(name), self.types)
        return by_media_type or has_extension(name, suffixes)


def new_ticket(
    *,
    now: datetime,
    expires_in: timedelta,
    uploads: int,
    owner: str | None,
    max_bytes: int | None,
    types: tuple[str, ...] | None,
    filename: str | None,
    metadata: Mapping[str, str],
) -> Ticket:
    """Return a ticket; the parameters are those of :class:`Ticket`.

    :raises ValueError: for one that would allow nothing, or could not be kept.
    """
    if (
        expires_in <= timedelta(0)
        or not 1 <= uploads <= 10**9
        or (max_bytes is not None and max_bytes < 0)
    ):
        raise ValueError(
            "a ticket needs a time and a number of uploads from one on, and no negative size"
        )
    if types is not None and not all(one.startswith(".") or "/" in one for one in types):
        raise ValueError(f"types must be as image/png, image/* or .pdf, not {types!r}")
    if filename is not None and clean_filename(filename) != filename:
        raise ValueError(f"{filename!r} is no file name; {clean_filename(filename)!r} would be")
    if not all(isinstance(text, str) for pair in metadata.items() for text in pair):
        raise ValueError("metadata must be text by text")
    return Ticket(
        ticket_id=secrets.token_hex(16),
        expires=int((now + expires_in).timestamp()),
        uploads=uploads,
        owner=owner,
        max_bytes=max_bytes,
        types=types,
        filename=filename,
        metadata=dict(metadata),
    )


class Tickets:
    """Writes and reads the tickets of one upload set."""

    def __init__(self, app: Flask, upload_set: str) -> None:
        self._app = app
        self._salt = f"{_SALT}{upload_set}"

    def write(self, ticket: Ticket) -> str:
        """Return a ticket's text.

        :raises ConfigurationError: when the app has no key to sign it with.
        :raises ValueError: when it would be too long for a header.
        """
        if not self._app.secret_key:
            raise ConfigurationError("tickets need a key to sign them with: set app.secret_key")
        said = {name: value for name, value in vars(ticket).items() if value is not None}
        value = base64.urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode())
        text = PREFIX + self._signed(value.rstrip(b"=").decode(), self._keys()[0])
        if len(text) > _LONGEST:
            raise ValueError(f"the ticket would have {len(text)} characters, at most {_LONGEST}")
        return text

    def read(self, text: str) -> Ticket | None:
        """Return what a ticket says; None for a text that is not exactly as one was made."""
        value, dot, _ = text.removeprefix(PREFIX).rpartition(".")
        if not dot or len(text) > _LONGEST:
            return None
        # Compared as text: of Base64, several texts are the same bytes.
        given = text.encode(errors="replace")
        genuine = [
            hmac.compare_digest((PREFIX + self._signed(value, key)).encode(), given)
            for key in self._keys()
            if key
        ]
        if not any(genuine):
            return None
        said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        if "types" in said:
            said["types"] = tuple(said["types"])
        return Ticket(**said)

    def _keys(self) -> list[str | bytes]:
        """Return the app's key, and older ones by which tickets may have been signed."""
        older: list[str | bytes] = self._app.config.get("SECRET_KEY_FALLBACKS") or []
        return [self._app.secret_key or "", *older]

    def _signed(self, value: str, key: str | bytes) -> str:
        signer = Signer(key, salt=self._salt, key_derivation="hmac", digest_method=hashlib.sha256)
        return signer.sign(value.encode(errors="replace")).decode(errors="replace")
