"""Limits what one owner may have open in an upload set: how many uploads, and their bytes.

An upload holds its length, or what is ``reserved`` for it if that is more. Bytes are held before
they are stored. The requests of one owner are counted one after another, each in the transaction
that adds the record or raises what it holds, so that two at once cannot both take the last place.

A staged chunk has a record of its own, since it does not say yet to which upload it belongs. It
holds its own bytes, and counts like an upload. There is one exception: if its ``client_key`` is the
id of an open upload that has room for the chunk, the chunk lies in the place that the upload holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, or_, select, text
from sqlalchemy.orm import Session, aliased

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
        one_at_a_time(session.connection(), record.quota_key)
        if _has_place(session, model, record):
            return
        uploads, size = _open_of(session, model, record)
        if self.max_uploads is not None and uploads >= self.max_uploads:
            raise QuotaExceeded(
                f"Too many unfinished uploads (at most {self.max_uploads});"
                " complete or delete one first"
            )
        self._room(size, held(record))

    def grant(
        self, session: Session, model: Any, record: ChunkedUploadMixin, *, least: int, most: int
    ) -> int:
        """Return how many bytes an upload may hold; the result holds as that of :meth:`check`.

        :param least, most: bytes that it needs, and that it can use.
        :raises QuotaExceeded: when there is no room for ``least``.
        """
        one_at_a_time(session.connection(), record.quota_key)
        _, size = _open_of(session, model, record, model.upload_id != record.upload_id)
        room = self._room(size, least)
        return most if room is None else min(most, room)

    def _room(self, size: int, wanted: int) -> int | None:
        """Return the bytes that are free beside ``size`` bytes of other uploads.

        :raises QuotaExceeded: when they are fewer than wanted.
        """
        if self.max_bytes is None:
            return None
        if size + wanted > self.max_bytes:
            raise QuotaExceeded(
                f"Unfinished uploads would take more than {self.max_bytes} bytes;"
                " complete or delete one first"
            )
        return self.max_bytes - size


def held(record: ChunkedUploadMixin) -> int:
    """Return how many bytes an upload holds."""
    return max(record.length or 0, record.reserved or 0)


def _open_of(
    session: Session, model: Any, record: ChunkedUploadMixin, *but: ColumnElement[bool]
) -> tuple[int, int]:
    """Return how many uploads a record's owner has open in its set, and what they hold."""
    holds = case((model.length > model.reserved, model.length), else_=model.reserved)
    target = aliased(model)
    in_place = _takes(target, model).correlate(model).exists()
    uploads, size = session.execute(
        select(func.count(), func.coalesce(func.sum(holds), 0)).where(
            model.quota_key == record.quota_key,
            model.upload_set == record.upload_set,
            model.status == int(Status.UPLOADING),
            or_(model.client_key.is_(None), ~in_place),
            *but,
        )
    ).one()
    return int(uploads), int(size)


def _has_place(session: Session, model: Any, record: ChunkedUploadMixin) -> bool:
    """Return whether a staged chunk lies in the place of an upload."""
    return record.client_key is not None and bool(session.scalar(_takes(model, record)))


def _takes(target: Any, chunk: Any) -> Any:
    """Select the open upload whose place a staged chunk takes."""
    return select(target.id).where(
        target.upload_id == chunk.client_key,
        target.quota_key == chunk.quota_key,
        target.status == int(Status.UPLOADING),
        target.offset + chunk.reserved <= target.length,
    )


def one_at_a_time(connection: Connection, key: str | None) -> None:
    """Make the transactions that name the same key run one after another."""
    if connection.dialect.name == "sqlite":
        # A deferred transaction that reads and then writes fails at once when another one wrote in
        # between. An immediate one waits.
        if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(hashtext(:key))")
        connection.execute(lock, {"key": key or ""})
