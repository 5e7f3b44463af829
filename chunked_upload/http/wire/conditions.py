"""Unreadable conditional headers are ignored (RFC 9110 13.1.3 to 13.1.5).

Werkzeug fails on dates that the calendar or Python does not have, a year of twenty digits for
example, and the answer would be 500.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from werkzeug.http import parse_date

#: Headers with a date; If-Range may have an entity tag instead, of which parse_date makes None.
_DATED = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE")


def drop_unreadable(environ: MutableMapping[str, Any]) -> None:
    """Take dates that cannot be read out of a request's environment.

    Without its condition a range would be another request than the one that was sent, so it goes
    with an If-Range.
    """
    for name in _DATED:
        if name in environ and not _is_readable(environ[name]):
            del environ[name]
            if name == "HTTP_IF_RANGE":
                environ.pop("HTTP_RANGE", None)


def _is_readable(text: str) -> bool:
    try:
        parse_date(text)
    except Exception:  # whatever email.utils and datetime raise; both say little about it
        return False
    return True
