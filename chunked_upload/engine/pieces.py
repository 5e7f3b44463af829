"""Pieces: uploads whose bytes become part of another upload. They are never files of their own.

The name of a piece says nothing about the file, so the rules about names and types hold for the
upload that it becomes part of.
"""

from __future__ import annotations

from typing import Any

from chunked_upload.records.repository import Record

_KEY = "piece"

#: What a record keeps among its client's declarations when it is a piece.
PIECE: dict[str, Any] = {_KEY: True}


def is_piece(record: Record) -> bool:
    """Return whether an upload is a piece of another one."""
    return bool((record.declared or {}).get(_KEY))
