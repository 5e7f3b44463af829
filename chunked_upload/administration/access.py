"""Who may administrate: whoever the app's ``admin_loader`` knows.

The loader says who sent a request: an administrator's name, or None. Refusals are counted and
logged. Those of a network address that is refused too often are only counted for a while, so that
nobody floods the log. The right token counts all the same: behind one proxy or router an attacker
and an administrator may have one address, and nobody guesses a token of 256 random bits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Request

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.access import callers, csrf, origins
from chunked_upload.http.errors import CsrfRefused
from chunked_upload.http.security import security_event
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.support.addresses import network
from chunked_upload.support.measuring import Figure, measured

#: Refusals of one network address within a span of seconds, after which they are not logged.
_MOST, _SPAN = 10, 60.0

#: Addresses that are remembered at a time.
_ADDRESSES = 10_000


class AdminRefused(ChunkedUploadError):
    """403: the caller is no administrator."""

    def __init__(self, reason: str) -> None:
        super().__init__(403, detail="This is for administrators", reason=reason)


class AdminOff(ChunkedUploadError):
    """404: there is no admin token, and so no admin page."""

    def __init__(self) -> None:
        super().__init__(
            404,
            detail="There is no admin page",
            reason="it is there once there is a token for it:"
            " chunked-upload create-token NAME --scope admin",
        )


class TooManyRefusals(ChunkedUploadError):
    """429: the caller's address was refused too often within a minute."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            429,
            detail="Too many refused requests",
            reason=f"this network address was refused {_MOST} times; try again in {seconds} s",
        )
        self.headers["Retry-After"] = str(seconds)


class Admins:
    """Decides who may administrate an app.

    :param upload_set: the app's first one, whose settings hold.
    """

    def __init__(self, upload_set: BoundUploadSet) -> None:
        self._upload_set = upload_set
        self._load: Callable[[Request], Any] = upload_set.settings.admin_loader
        self._refusals = Refusals()

    @property
    def by_token(self) -> bool:
        """Whether administrators sign in on the page, with a Bearer token.

        The loader says so by its attribute ``takes_token``.
        """
        return bool(getattr(self._load, "takes_token", False))

    def who(self, request: Request) -> str:
        """Return the name of the administrator who sent a request.

        :raises AdminRefused, TooManyRefusals:
        """
        name = callers.owner_key(self._load(request))
        if name is not None:
            return name
        address = network(request.remote_addr or "")
        if (seconds := self._refusals.wait_of(address)) > 0:
            measured(Figure.ADMIN_REFUSALS)
            raise TooManyRefusals(seconds)
        raise self._refusal(request, address)

    def check_origin(self, request: Request) -> None:
        """Refuse a request that changes something and that another site may have caused.

        :raises AdminRefused, CsrfRefused:
        """
        if request.headers.get("Authorization", "").lower().startswith("bearer "):
            return  # no browser sends it by itself
        if origins.is_foreign(request, ()):
            raise AdminRefused("another site has caused this request")
        if request.mimetype != "application/json":
            raise CsrfRefused("send JSON, with Content-Type: application/json")
        if self._upload_set.checks_csrf:
            csrf.check_head(request, fields_follow=False)

    def _refusal(self, request: Request, address: str) -> AdminRefused:
        given = "Authorization" in request.headers
        if not self.by_token:
            refusal = AdminRefused("sign in as an administrator")
        elif given:
            refusal = AdminRefused("the token is not one that counts, with the scope admin")
        else:
            # Whoever opens the page has not sent one yet.
            return AdminRefused("send the header Authorization: Bearer TOKEN, of an admin token")
        measured(Figure.ADMIN_REFUSALS)
        self._refusals.note(address)
        security_event(refusal, request, upload_set=self._upload_set.name, owner=None)
        return refusal


class Refusals:
    """How often each network address was refused lately, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        #: By address: when the span began, and the refusals in it.
        self._counts: dict[str, tuple[float, int]] = {}

    def note(self, address: str) -> None:
        """Count one refusal."""
        now = self._clock()
        with self._lock:
            begun, count = self._counts.pop(address, (now, 0))
            if now - begun >= _SPAN:
                begun, count = now, 0
            self._counts[address] = begun, count + 1
            while len(self._counts) > _ADDRESSES:
                del self._counts[next(iter(self._counts))]

    def wait_of(self, address: str) -> int:
        """Return for how many seconds an address gets 429, and no line in the log; else 0."""
        begun, count = self._counts.get(address, (0.0, 0))
        left = begun + _SPAN - self._clock()
        return max(0, int(left) + 1) if count >= _MOST and left > 0 else 0
