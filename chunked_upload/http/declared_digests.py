"""Checksums of a file that its client declared at the beginning, whichever dialect completes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chunked_upload.records.repository import Record

#: The key among all that a record keeps of its client's declarations.
_KEY = "digests"


def kept_digests(digests: Mapping[str, str]) -> dict[str, Any]:
    """Return what a record keeps of a client's checksums, given in hex digits by name."""
    return {_KEY: dict(digests)} if digests else {}


def declared_digests(record: Record) -> dict[str, str]:
    """Return the checksums that the client declared, in hex digits by name."""
    return dict((record.declared or {}).get(_KEY, {}))
