"""What every line of a request's log tells: the request, the upload, and whose it is.

Whoever answers a request begins a context and ends it; those who learn of the upload or the caller
note it. Outside of a request, notes have no effect.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar, Token
from dataclasses import dataclass

#: Request ids that are taken from callers: what identifiers look like, and nothing that could break
#: a line or a header.
_USUAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)

#: Where the environment of a request has its id.
REQUEST_ID = "chunked_upload.request_id"


@dataclass(slots=True)
class LogContext:
    """One request, as far as it is known."""

    request_id: str
    upload_id: str | None = None
    owner: str | None = None


_current: ContextVar[LogContext | None] = ContextVar("chunked_upload_log", default=None)


def request_id(given: str | None) -> str:
    """Return the id that a caller or a proxy has given a request, if it is usual, or a new one."""
    if given is not None and _USUAL.fullmatch(given):
        return given
    return os.urandom(16).hex()


def begin(identifier: str) -> Token[LogContext | None]:
    """Begin a request's context; return what :func:`end` needs."""
    return _current.set(LogContext(identifier))


def end(token: Token[LogContext | None]) -> None:
    """End a request's context."""
    _current.reset(token)


def current() -> LogContext | None:
    """Return the context of the request that this thread answers, if any."""
    return _current.get()


def note_upload(upload_id: str | None) -> None:
    """Note which upload the request is about."""
    if (context := _current.get()) is not None:
        context.upload_id = upload_id


def note_owner(owner: str | None) -> None:
    """Note who sent the request."""
    if (context := _current.get()) is not None:
        context.owner = owner
