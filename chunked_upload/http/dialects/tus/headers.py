"""The headers of tus requests, read strictly: each is 400 if it is not what tus 1.0 says.

WSGI joins a header that comes twice with a comma. No value here has one, except Upload-Metadata,
which is a list; so doubled headers are malformed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Request

from chunked_upload.http.errors import BadRequestHeaders

from ...wire.parameters import media_type
from .problems import BODY_TYPE, VERSION, BodyTypeRefused, VersionRefused

#: Offsets and lengths live in 64-bit columns.
_NUMBER = re.compile(r"[0-9]{1,19}")

_OVERRIDE, _DEFERRED = "X-HTTP-Method-Override", "Upload-Defer-Length"


def check_version(request: Request) -> None:
    """Check the version that the client speaks.

    :raises VersionRefused: when it is another one, or missing.
    """
    given = request.headers.get("Tus-Resumable")
    if given is not None and "," in given:
        raise BadRequestHeaders("Tus-Resumable was sent more than once")
    if given != VERSION:
        raise VersionRefused(given)


def overridden_verb(request: Request) -> str | None:
    """Return the verb that a POST stands for; None when it says none."""
    return request.headers.get(_OVERRIDE)


def check_type(request: Request) -> None:
    """Check the type of a body with bytes of the file.

    :raises BodyTypeRefused:
    """
    given = media_type(request.environ)
    if given != BODY_TYPE:
        raise BodyTypeRefused(given)


def read_number(request: Request, name: str) -> int | None:
    """Return a header with a number from 0 to 2^63-1; None when there is none.

    :raises BadRequestHeaders: when it is anything else.
    """
    given = request.headers.get(name)
    if given is None:
        return None
    if not _NUMBER.fullmatch(given) or int(given) >= 2**63:
        raise BadRequestHeaders(f"{name} must be a number from 0 to 2^63-1, not {given[:40]!r}")
    return int(given)


def read_offset(request: Request) -> int:
    """Return ``Upload-Offset``, which every PATCH must have.

    :raises BadRequestHeaders:
    """
    offset = read_number(request, "Upload-Offset")
    if offset is None:
        raise BadRequestHeaders("Upload-Offset is required")
    return offset


def read_length(request: Request) -> int | None:
    """Return the length of a new upload; None when the client defers it.

    :raises BadRequestHeaders: unless exactly one of both headers says so.
    """
    length, deferred = read_number(request, "Upload-Length"), request.headers.get(_DEFERRED)
    if deferred not in (None, "1"):
        raise BadRequestHeaders(f"{_DEFERRED} must be 1, not {deferred[:40]!r}")
    if (length is None) == (deferred is None):
        raise BadRequestHeaders(f"either Upload-Length or {_DEFERRED}: 1 is required, not both")
    return length


@dataclass(frozen=True)
class Concat:
    """What a new upload is to others.

    :param raw: the header as it was sent; HEAD returns it.
    :param urls: the partial uploads of a final one, in order; none for a partial upload.
    """

    raw: str
    urls: tuple[str, ...] = ()


def read_concat(request: Request) -> Concat | None:
    """Return ``Upload-Concat``; None for an upload that has nothing to do with others.

    :raises BadRequestHeaders:
    """
    raw = request.headers.get("Upload-Concat")
    if raw is None:
        return None
    if raw == "partial":
        return Concat(raw)
    kind, _, listed = raw.partition(";")
    urls = split_urls(listed)
    if kind != "final" or not urls:
        raise BadRequestHeaders(
            f"Upload-Concat must be 'partial' or 'final;URL URL', not {raw[:80]!r}"
        )
    for name in ("Upload-Length", _DEFERRED):
        if name in request.headers:
            raise BadRequestHeaders(
                f"{name} must not come with a final upload, whose length is that of its parts"
            )
    return Concat(raw, urls)


def split_urls(listed: str) -> tuple[str, ...]:
    """Return the URLs of a list with spaces between them, and with nothing else."""
    return tuple(url for url in listed.split(" ") if url)
