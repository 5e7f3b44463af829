"""How far a record says that its checksums are."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from chunked_upload.checksum.registry import find
from chunked_upload.records.repository import Record


def digest_offset(record: Record, name: str = "md5") -> int:
    """Return how many bytes the recorded state has seen."""
    offset: int = record.checksum_states.get(name, {}).get("offset", 0)
    return offset


def digest_state(record: Record, name: str = "md5") -> bytes | None:
    """Return the recorded state."""
    state = record.checksum_states.get(name, {}).get("state")
    return None if state is None else b64decode(state)


def digest_of_state(record: Record, name: str = "md5") -> str:
    """Return the checksum of what the recorded state has seen."""
    state = digest_state(record, name)
    if state is None and digest_offset(record, name) == 0:
        return find(name)().hexdigest()  # no byte was hashed in time for the commit
    return find(name).thaw(state or b"").hexdigest()


def states(offset: int, state: bytes | None, name: str = "md5") -> dict[str, Any]:
    """Return what a record holds for a state."""
    entry: dict[str, Any] = {"offset": offset}
    if state is not None:
        entry["state"] = b64encode(state).decode()
    return {name: entry}
