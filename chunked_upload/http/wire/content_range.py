"""The Content-Range header of a chunk (RFC 9110 14.4), read strictly.

Werkzeug's parser lets ``bytes 0-10/10``, other units and numbers past 2^63 through; here each is
an error that says what was expected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chunked_upload.http.errors import BadRequestHeaders

#: Offsets live in signed 64-bit columns.
_LIMIT = 2**63

# ASCII digits only, and few enough that int() stays cheap and allowed. Units have no case
# (RFC 9110 14.1).
CONTENT_RANGE = re.compile(
    r"bytes (?P<start>[0-9]{1,19})-(?P<end>[0-9]{1,19})/(?P<total>[0-9]{1,19})",
    re.IGNORECASE | re.ASCII,
)


#: What a pattern must have: first and last byte, and the file's length.
GROUPS = ("start", "end", "total")


@dataclass(frozen=True)
class ContentRange:
    """The bytes ``[start, stop)`` of a file of ``total`` bytes."""

    start: int
    stop: int
    total: int

    @property
    def size(self) -> int:
        """Bytes in this chunk."""
        return self.stop - self.start


def parse_content_range(value: str, pattern: re.Pattern[str] = CONTENT_RANGE) -> ContentRange:
    """Read ``bytes a-b/total`` (b inclusive, as on the wire).

    :param pattern: another form, with the groups ``start``, ``end`` and ``total``.
    :raises BadRequestHeaders: unless a ≤ b < total < 2^63.
    """
    match = pattern.fullmatch(value.strip(" \t"))
    if match is None and pattern is CONTENT_RANGE:
        raise BadRequestHeaders("Content-Range must be 'bytes first-last/total', three numbers")
    if match is None:
        raise BadRequestHeaders(f"Content-Range must match {pattern.pattern}")
    try:
        first, last, total = (int(match[name]) for name in GROUPS)
    except (TypeError, ValueError) as error:  # a group that is missing, or no number
        raise BadRequestHeaders("Content-Range must have three numbers") from error
    if first < 0:
        raise BadRequestHeaders("Content-Range: the first byte comes before the file")
    if total >= _LIMIT:
        raise BadRequestHeaders("Content-Range: the total must be below 2^63")
    if last < first:
        raise BadRequestHeaders("Content-Range: the last byte comes before the first")
    if last >= total:
        raise BadRequestHeaders("Content-Range: the last byte must be below the total")
    return ContentRange(first, last + 1, total)
