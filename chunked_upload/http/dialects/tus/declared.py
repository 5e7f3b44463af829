"""What a record keeps of a tus client's declarations, which HEAD returns as they were sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chunked_upload.records.repository import Record

#: The key among all that a record keeps of its client's declarations.
_KEY = "tus"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The headers of the request that created an upload.

    :param metadata: ``Upload-Metadata``, empty for none.
    :param concat: ``Upload-Concat``, empty for none.
    :param finals: ids of the final uploads that wait for a partial one.
    """

    metadata: str = ""
    concat: str = ""
    finals: Sequence[str] = ()

    @classmethod
    def of(cls, record: Record) -> Declared:
        """Return what a record keeps; nothing for an upload of another dialect."""
        return cls(**(record.declared or {}).get(_KEY, {}))

    @property
    def is_partial(self) -> bool:
        """Whether the upload is a piece of a final one."""
        return self.concat == "partial"

    @property
    def is_final(self) -> bool:
        """Whether the upload gets its bytes from partial ones."""
        return self.concat.startswith("final")

    def dump(self) -> dict[str, Any]:
        """Return it as a record keeps it."""
        return {_KEY: {name: value for name, value in asdict(self).items() if value}}
