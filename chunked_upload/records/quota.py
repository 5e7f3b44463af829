"""Limits what one owner may have in an upload set: how many uploads, their bytes, bytes in a day.

An upload holds its length, or what is ``reserved`` for it if that is more. Bytes are held before
they are stored. The requests of one owner are counted one after another, each in the transaction
that adds the record or raises what it holds, so that two at once cannot both take the last place.

A staged chunk has a record of its own, since it does not say yet to which upload it belongs. It
holds its own bytes, and counts like an upload. There is one exception: if its ``client_key`` is the
id of an open upload that has room for the chunk, the chunk lies in the place that the upload holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from chunked_upload.settings.limits import Limits

from .day_bytes import DayBytes
from .model import ChunkedUploadMixin, Status


class QuotaExceeded(Exception):
    """The owner's quota has no room for the upload; the text says which limit.

    :param retry_after: seconds until it has room again, if time alone makes some.
    """

    def __init__(self, problem: str, *, retry_after: int | None = None) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class Used(NamedTuple):
    """What an owner has in an upload set; stored ones are all, finished or not."""

    open_uploads: int
    open_bytes: int
    stored_files: int
    stored_bytes: int


@dataclass(frozen=True)
class Quota:
    """What one owner may have.

    :param days: counts bytes by the day; None where no day is limited.
    """

    limits: Limits
    days: DayBytes | None = None

    def check(self, session: Session, model: Any, record: ChunkedUploadMixin) -> None:
        """Check that a new record fits; the result holds until the session's transaction ends.

        :raises QuotaExceeded: when it does not fit.
        """
        one_at_a_time(session.connection(), record.quota_key)
        if _has_place(session, model, record):
            return
        used = self._used(session, model, record)
        most = self.limits.open_uploads
        if most is not None and used.open_uploads >= most:
            raise QuotaExceeded(
                f"Too many unfinished uploads (at most {most}); complete or delete one first"
            )
        most = self.limits.stored_files
        if most is not None and used.stored_files >= most:
            raise QuotaExceeded(f"Too many uploads (at most {most}); delete one first")
        size = held(record)
        self._room(used, size)
        self._charge(session, record, least=size, most=size)

    def grant(
        self, session: Session, model: Any, record: ChunkedUploadMixin, *, least: int, most: int
    ) -> int:
        """Return how many bytes an upload may hold; the result holds as that of :meth:`check`.

        :param least, most: bytes that it needs, and that it can use.
        :raises QuotaExceeded: when there is no room for ``least``.
        """
        one_at_a_time(session.connection(), record.quota_key)
        used = self._used(session, model, record, model.upload_id != record.upload_id)
        room = self._room(used, least)
        most = most if room is None else min(most, room)
        if self.days is None:
            return most
        # Another request may have held more for it meanwhile.
        this = model.upload_id == record.upload_id
        row = session.execute(select(model.length, model.reserved).where(this)).one_or_none()
        has = 0 if row is None else max(row[0] or 0, row[1] or 0)
        return has + self._charge(session, record, least=least - has, most=most - has)

    def _used(
        self, session: Session, model: Any, record: ChunkedUploadMixin, *among: ColumnElement[bool]
    ) -> Used:
        limits, stored = self.limits, True
        if limits.stored_files is None and limits.stored_bytes is None:
            stored = False
        return used_of(session, model, record.quota_key, record.upload_set, *among, stored=stored)

    def _room(self, used: Used, wanted: int) -> int | None:
        """Return the bytes that are free beside those of other uploads; None for no limit.

        :raises QuotaExceeded: when they are fewer than wanted.
        """
        free = []
        if (most := self.limits.open_bytes) is not None:
            if used.open_bytes + wanted > most:
                raise QuotaExceeded(
                    f"Unfinished uploads would take more than {most} bytes;"
                    " complete or delete one first"
                )
            free.append(most - used.open_bytes)
        if (most := self.limits.stored_bytes) is not None:
            if used.stored_bytes + wanted > most:
                raise QuotaExceeded(
                    f"Your files would take more than {most} bytes"
                    f" ({max(0, most - used.stored_bytes)} are left); delete one first"
                )
            free.append(most - used.stored_bytes)
        return min(free, default=None)

    def _charge(
        self, session: Session, record: ChunkedUploadMixin, *, least: int, most: int
    ) -> int:
        """Charge this day with bytes, and return how many.

        :raises QuotaExceeded: when the day has no room for ``least``.
        """
        limit, days = self.limits.bytes_per_day, self.days
        if days is None or most <= 0:
            return max(0, most)
        if limit is not None:
            free = limit - days.used(session, record.quota_key, record.upload_set)
            if least > free:
                now = days.now()
                raise QuotaExceeded(
                    f"More than {limit} bytes in one day ({max(0, free)} are left until"
                    f" {next_day(now):%Y-%m-%dT%H:%MZ}); try again then",
                    retry_after=seconds_left(now),
                )
            most = min(most, free)
        days.charge(session, record, most)
        return most


def check_ticket(session: Session, model: Any, record: ChunkedUploadMixin) -> None:
    """Check that a ticket may begin one more upload; the result holds as that of ``Quota.check``.

    :raises QuotaExceeded:
    """
    most = int((record.ticket or "").rpartition(".")[2])
    one_at_a_time(session.connection(), f"ticket:{record.ticket}")
    begun = session.scalar(select(func.count()).where(model.ticket == record.ticket)) or 0
    if begun >= most:
        raise QuotaExceeded(f"The ticket has begun {begun} uploads, which is all it may")


def seconds_left(now: datetime) -> int:
    """Return how many seconds a day (UTC) still has, at least one."""
    return max(1, math.ceil((next_day(now) - now).total_seconds()))


def next_day(now: datetime) -> datetime:
    """Return when the next day (UTC) begins."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def held(record: ChunkedUploadMixin) -> int:
    """Return how many bytes an upload holds."""
    return max(record.length or 0, record.reserved or 0)


def used_of(
    session: Session,
    model: Any,
    quota_key: str | None,
    upload_set: str,
    *among: ColumnElement[bool],
    stored: bool = True,
) -> Used:
    """Return what an owner has in an upload set.

    :param stored: count finished uploads too; without them, the figures are of open ones alone.
    """
    holds = case((model.length > model.reserved, model.length), else_=model.reserved)
    target = aliased(model)
    in_place = _takes(target, model).correlate(model).exists()
    # In one statement, since an upload may be completed between two.
    is_open = model.status == int(Status.UPLOADING)
    size = case((is_open, holds), else_=model.offset)
    counted = or_(model.client_key.is_(None), ~is_open, ~in_place)
    found = session.execute(
        select(
            func.count(case((is_open, 1))),
            func.coalesce(func.sum(case((is_open, holds), else_=0)), 0),
            func.count(),
            func.coalesce(func.sum(size), 0),
        ).where(
            model.quota_key == quota_key,
            model.upload_set == upload_set,
            model.status.in_([int(Status.UPLOADING), int(Status.COMPLETE)]) if stored else is_open,
            counted,
            *among,
        )
    ).one()
    return Used(*map(int, found))


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
