"""Pieces: uploads whose bytes become part of another upload. They are never files of their own.

The name of a piece says nothing about the file, so the rules about names and types hold for the
joined upload that it becomes part of. A joined upload gets no bytes but those of its pieces.
"""

from __future__ import annotations

from typing import Any

from chunked_upload.records.repository import Record

_PIECE, _JOINED = "piece", "joined"

#: What a record keeps among its client's declarations when it is a piece, or is joined of pieces.
PIECE: dict[str, Any] = {_PIECE: True}
JOINED: dict[str, Any] = {_JOINED: True}


def is_piece(record: Record) -> bool:
    """Return whether an upload is a piece of another one."""
    return bool((record.declared or {}).get(_PIECE))


def is_joined(record: Record) -> bool:
    """Return whether an upload is joined of pieces."""
    return bool((record.declared or {}).get(_JOINED))
