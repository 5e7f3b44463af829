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
_PATTERN = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})", re.IGNORECASE | re.ASCII)


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


def parse_content_range(value: str) -> ContentRange:
    """Read ``bytes a-b/total`` (b inclusive, as on the wire).

    :raises BadRequestHeaders: unless a ≤ b < total < 2^63.
    """
    match = _PATTERN.fullmatch(value.strip(" \t"))
    if match is None:
        raise BadRequestHeaders("Content-Range must be 'bytes first-last/total', three numbers")
    first, last, total = (int(number) for number in match.groups())
    if total >= _LIMIT:
        raise BadRequestHeaders("Content-Range: the total must be below 2^63")
    if last < first:
        raise BadRequestHeaders("Content-Range: the last byte comes before the first")
    if last >= total:
        raise BadRequestHeaders("Content-Range: the last byte must be below the total")
    return ContentRange(first, last + 1, total)
