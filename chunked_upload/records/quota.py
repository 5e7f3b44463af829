"""Limits what one owner may have open, counted in the transaction that adds a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from .model import ChunkedUploadMixin, Status


class QuotaExceeded(Exception):
    """The owner's quota has no room for the upload; the text says which limit."""


@dataclass(frozen=True)
class Quota:
    """What one owner may have open at a time; None means no limit."""

    max_uploads: int | None
    max_bytes: int | None

    def check(self, session: Session, model: Any, record: ChunkedUploadMixin) -> None:
        """Check that a new record fits; the result holds until the session's transaction ends.

        :raises QuotaExceeded: when it does not fit.
        """
        _one_at_a_time(session.connection(), record.quota_key or "")
        held = func.coalesce(func.sum(func.coalesce(model.length, model.reserved)), 0)
        uploads, size = session.execute(
            select(func.count(), held).where(
                model.quota_key == record.quota_key, model.status == int(Status.UPLOADING)
            )
        ).one()
        if self.max_uploads is not None and uploads >= self.max_uploads:
            raise QuotaExceeded(
                f"Too many unfinished uploads (at most {self.max_uploads});"
                " complete or delete one first"
            )
        wanted = record.length if record.length is not None else record.reserved
        if self.max_bytes is not None and size + wanted > self.max_bytes:
            raise QuotaExceeded(
                f"Unfinished uploads would take more than {self.max_bytes} bytes;"
                " complete or delete one first"
            )


def _one_at_a_time(connection: Connection, key: str) -> None:
    """Make the transactions of one quota run one after another."""
    if connection.dialect.name == "sqlite":
        # A deferred transaction that reads and then writes fails at once when another one wrote in
        # between. An immediate one waits.
        if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})
