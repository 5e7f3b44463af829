"""What a request has prepared to be recorded, between the hooks before and after it."""

from __future__ import annotations

from typing import Protocol

from chunked_upload.records.repository import Record


class PendingCommit(Protocol):
    """What a request has prepared: a chunk or a completion, not recorded yet."""

    @property
    def record(self) -> Record: ...

    @property
    def committed(self) -> bool: ...

    def commit(self) -> None: ...
