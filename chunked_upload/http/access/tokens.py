"""API tokens: of which name one is, and what it may do.

There are two kinds. Those of ``CHUNKED_UPLOAD_TOKENS`` may upload and read, and count until the
configuration changes. Those in the database (``chunked-upload create-token``) have scopes and an
expiry, and can be revoked while the service runs. A process remembers for a few seconds what the
database said of a token, so that a chunk asks for nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Request

from chunked_upload.engine.failures import translate_failures
from chunked_upload.records.failures import DatabaseProblem, missing
from chunked_upload.records.tokens import TokenMixin, TokenTable

logger = logging.getLogger(__name__)

#: What a token may be for: sending uploads, reading finished files, the admin page.
SCOPES = UPLOAD, READ, ADMIN = ("upload", "read", "admin")

#: How tokens in the database begin, by which scanners for leaked secrets know them.
PREFIX = "chup_"

_TOKEN = re.compile(r"chup_[\w-]{43}", re.ASCII)

#: Seconds for which an answer of the database counts: so long a revoked token may still work.
CACHE_SECONDS = 5.0

#: Answers that are remembered; wrong tokens must not fill the memory.
_MOST_REMEMBERED = 4096


@dataclass(frozen=True)
class Token:
    """A token that counts.

    :param name: uploads belong to it.
    :param scopes: some of :data:`SCOPES`.
    :param expires_on: None for never.
    :param asked_until: until when this is known (monotonic seconds).
    """

    name: str
    scopes: frozenset[str]
    expires_on: datetime | None = None
    asked_until: float = math.inf


class TokenInvalid(Exception):
    """The token does not count; the text says why."""


def new_token() -> str:
    """Return a new token with 256 random bits."""
    return f"{PREFIX}{secrets.token_urlsafe(32)}"


def hash_token(token: str) -> str:
    """Return a token's SHA-256, which is stored. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def bearer(request: Request) -> str | None:
    """Return the text that a request has as its Bearer token."""
    given: str | None = request.environ.get("HTTP_AUTHORIZATION")
    if given is None:
        return None
    scheme, _, token = given.strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


class StoredTokens:
    """The tokens in the database, as one process knows them.

    :param now: returns the time by which tokens expire.
    """

    def __init__(self, table: TokenTable, now: Callable[[], datetime]) -> None:
        self.table = table
        self.now = now
        #: By digest: what the database said, and until when it counts (monotonic seconds).
        self._said: dict[str, tuple[TokenMixin | None, float]] = {}

    def find(self, digest: str) -> Token | None:
        """Return the token with this digest; None when there is none.

        :raises TokenInvalid: when it has been revoked, or has expired.
        """
        row, until = self._row(digest)
        if row is None:
            return None
        if row.revoked_on is not None:
            raise TokenInvalid("the token has been revoked; ask for a new one")
        if row.expires_on is not None and row.expires_on <= self.now():
            raise TokenInvalid(
                f"the token has expired, on {row.expires_on:%Y-%m-%d %H:%M} UTC; ask for a new one"
            )
        return Token(row.name, frozenset(row.scopes.split()), row.expires_on, until)

    def any_of(self, scope: str) -> bool:
        """Return whether a token with this scope counts now; one statement, and no cache."""
        with translate_failures():
            try:
                return self.table.has(scope, now=self.now())
            except DatabaseProblem as error:
                if missing(error) is None:
                    raise
                return False

    def _row(self, digest: str) -> tuple[TokenMixin | None, float]:
        asked = time.monotonic()
        row, until = self._said.get(digest, (None, 0.0))
        if asked < until:
            return row, until
        try:
            with translate_failures():
                row = self._read(digest)
        finally:
            if len(self._said) >= _MOST_REMEMBERED:
                self._said.clear()
        self._said[digest] = said = row, asked + CACHE_SECONDS
        return said

    def _read(self, digest: str) -> TokenMixin | None:
        try:
            return self.table.find(digest)
        except DatabaseProblem as error:
            if (lacking := missing(error)) is None:
                raise
            # The app has been upgraded and not migrated: configured tokens go on working.
            logger.warning("tokens are not looked up: the database has no %s", lacking)
            return None


class Tokens:
    """Every token that an upload set knows.

    :param configured: digest by name, or None.
    :param stored: None where the app has no table of tokens.
    """

    def __init__(self, configured: Mapping[str, str] | None, stored: StoredTokens | None) -> None:
        self._configured = configured or {}
        self.stored = stored
        #: What was made of tokens that count; by their text, since hashing it costs more than that.
        self._kept: dict[str, tuple[Token, Any]] = {}

    def kept(self, given: str) -> Any:
        """Return what :meth:`keep` has kept for a token; None when it may not count any more."""
        token, made = self._kept.get(given, (None, None))
        if token is None or token.asked_until <= time.monotonic():
            return None
        stored, expires_on = self.stored, token.expires_on
        expired = stored is not None and expires_on is not None and expires_on <= stored.now()
        return None if expired else made

    def keep(self, given: str, token: Token, made: Any) -> None:
        """Keep what was made of a token that counts."""
        if len(self._kept) >= _MOST_REMEMBERED:
            self._kept.clear()
        self._kept[given] = token, made

    def find(self, given: str) -> Token | None:
        """Return the token of this text; None for a text that is no token of this service.

        :raises TokenInvalid: when it is one that has been revoked or has expired.
        """
        digest = hash_token(given)
        # Compare every token, in constant time, so that the time reveals nothing.
        matches = [
            name for name, known in self._configured.items() if hmac.compare_digest(digest, known)
        ]
        if matches:
            return Token(matches[0], frozenset((UPLOAD, READ)))
        if self.stored is None or not _TOKEN.fullmatch(given):
            return None
        return self.stored.find(digest)

    def claims(self, given: str) -> bool:
        """Return whether a text can only be meant as a token of this service."""
        return self.stored is not None and given.startswith(PREFIX)
