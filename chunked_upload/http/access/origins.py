"""Which requests another site caused, as browsers tell (Fetch Metadata, and Origin, RFC 6454)."""

from __future__ import annotations

from collections.abc import Collection

from flask import Request

#: Verbs that change nothing (RFC 9110 9.2.1).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_OWN = ("same-origin", "none")


def is_foreign(request: Request, allowed: Collection[str]) -> bool:
    """Return whether a page of another site caused a request, other than by a link to here.

    :param allowed: origins of other sites that are trusted as this one.
    """
    origin = request.headers.get("Origin", "")
    site = request.headers.get("Sec-Fetch-Site", "").lower()
    if origin in allowed or site in _OWN:
        return False
    if request.method in _SAFE:
        is_link = request.headers.get("Sec-Fetch-Mode", "").lower() == "navigate"
        return site == "cross-site" and not is_link
    return site == "cross-site" or (bool(origin) and not _is_own(request, origin))


def _is_own(request: Request, origin: str) -> bool:
    # Not the scheme: a proxy that does TLS may not tell.
    return origin.partition("://")[2].lower() == request.host.lower()
