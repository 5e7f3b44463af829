"""The bytes that each owner has announced on each day (UTC), for the limit of a day.

Bytes are charged in the transaction that holds them for an upload, before they are stored. So
uploads that run in parallel cannot exceed the limit together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CursorResult,
    Date,
    Integer,
    String,
    UniqueConstraint,
    case,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from .model import ChunkedUploadMixin


class DayMixin:
    """What one owner has announced on one day, in one upload set."""

    __table_args__ = (UniqueConstraint("quota_key", "upload_set", "day"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    quota_key: Mapped[str] = mapped_column(String(255))
    upload_set: Mapped[str] = mapped_column(String(64))
    day: Mapped[date] = mapped_column(Date, index=True)
    size: Mapped[int] = mapped_column(BigInteger)


#: The attribute of a Flask-SQLAlchemy object that keeps its models, by bind key (see model.py).
_ATTRIBUTE = "_chunked_upload_day_models"


def day_model(db: Any, bind_key: str | None = None) -> Any:
    """Return the model of days on ``db`` (table ``chunked_upload_day``), made at the first call.

    :param db: a Flask-SQLAlchemy object.
    :param bind_key: of the uploads' model.
    """
    made: dict[str | None, Any] = vars(db).setdefault(_ATTRIBUTE, {})
    if bind_key not in made:
        names = {
            "__tablename__": "chunked_upload_day",
            "__module__": __name__,
            "__bind_key__": bind_key,
        }
        kind = f"ChunkedUploadDay_{bind_key}" if bind_key else "ChunkedUploadDay"
        made[bind_key] = type(kind, (DayMixin, db.Model), names)
    return made[bind_key]


class DayBytes:
    """The days of one table. Every call takes part in the session of its caller.

    Calls for one owner must not run at the same time (quota.one_at_a_time).

    :param now: returns the time that says which day it is.
    """

    def __init__(self, model: Any, now: Callable[[], datetime]) -> None:
        self._model = model
        self.now = now

    def used(self, session: Session, quota_key: str | None, upload_set: str) -> int:
        """Return what an owner has announced today."""
        today = self._of(quota_key, upload_set, self.now().date())
        return session.scalar(select(self._model.size).where(*today)) or 0

    def charge(self, session: Session, record: ChunkedUploadMixin, size: int) -> None:
        """Add bytes to today's."""
        model, day = self._model, self.now().date()
        this = self._of(record.quota_key, record.upload_set, day)
        added: CursorResult[Any] = session.connection().execute(
            update(model).where(*this).values(size=model.size + size)
        )
        if added.rowcount == 0:
            key = record.quota_key or ""
            session.add(model(quota_key=key, upload_set=record.upload_set, day=day, size=size))
            session.flush()

    def give_back(self, session: Session, record: ChunkedUploadMixin, size: int) -> None:
        """Take bytes that will not arrive off the day on which their upload began."""
        model = self._model
        this = self._of(record.quota_key, record.upload_set, record.created_on.date())
        left = case((model.size > size, model.size - size), else_=0)
        session.connection().execute(update(model).where(*this).values(size=left))

    def forget(self, session: Session) -> None:
        """Remove the days before today."""
        session.connection().execute(delete(self._model).where(self._model.day < self.now().date()))

    def _of(self, quota_key: str | None, upload_set: str, day: date) -> tuple[Any, ...]:
        model = self._model
        return (
            model.quota_key == (quota_key or ""),
            model.upload_set == upload_set,
            model.day == day,
        )
