"""The journal: what went wrong, and what administrators did. Nothing of ordinary requests is in it.

It is short. Old entries are removed when new ones are written, by their age and by their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CursorResult,
    Engine,
    Integer,
    SmallInteger,
    String,
    delete,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from chunked_upload.logs import storable

from .model import UTCDateTime


class Kind(StrEnum):
    """What an entry is about."""

    #: A request that failed or met a limit, or a hook that raised.
    FAILURE = "failure"
    #: What an administrator did.
    ACTION = "action"


#: How long entries of a kind are kept, and how many.
KEPT = {Kind.FAILURE: (timedelta(days=2), 5_000), Kind.ACTION: (timedelta(days=90), 20_000)}

_WHAT, _SET, _ID, _NAME, _DETAIL = 64, 64, 32, 255, 512

#: The columns that have text from outside, and how long it may be.
_TEXTS = {"what": _WHAT, "upload_set": _SET, "upload_id": _ID, "who": _NAME, "detail": _DETAIL}


class JournalMixin:
    """One entry."""

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    #: When it happened last.
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    kind: Mapped[str] = mapped_column(String(16))
    #: The action, or the kind of failure, such as ``storage_full``.
    what: Mapped[str] = mapped_column(String(_WHAT))
    upload_set: Mapped[str | None] = mapped_column(String(_SET))
    upload_id: Mapped[str | None] = mapped_column(String(_ID), index=True)
    #: The administrator, or the owner whose request failed.
    who: Mapped[str | None] = mapped_column(String(_NAME))
    #: The HTTP status that the client got.
    status: Mapped[int | None] = mapped_column(SmallInteger)
    detail: Mapped[str | None] = mapped_column(String(_DETAIL))
    #: How often it happened within a moment.
    times: Mapped[int] = mapped_column(Integer, default=1)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry; its fields are those of :class:`JournalMixin`."""

    kind: Kind
    what: str
    at: datetime
    upload_set: str | None = None
    upload_id: str | None = None
    who: str | None = None
    status: int | None = None
    detail: str | None = None
    times: int = 1


#: The attribute of a Flask-SQLAlchemy object that keeps its model (see model.py).
_ATTRIBUTE = "_chunked_upload_journal_model"


def journal_model(db: Any) -> Any:
    """Return the model of entries on ``db`` (table ``chunked_upload_journal``)."""
    if not hasattr(db, _ATTRIBUTE):
        names = {"__tablename__": "chunked_upload_journal", "__module__": __name__}
        setattr(db, _ATTRIBUTE, type("ChunkedUploadJournal", (JournalMixin, db.Model), names))
    return getattr(db, _ATTRIBUTE)


class Journal:
    """The journal of one database.

    :param bind: returns the SQLAlchemy engine that holds the table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self._model = model
        self._bind = bind

    def add(self, entries: Iterable[Entry]) -> None:
        """Write entries, and remove those that are too old or too many."""
        rows = [_row(entry) for entry in entries]
        if not rows:
            return
        with self._bind().begin() as connection:
            connection.execute(insert(self._model), rows)
        for kind in {Kind(row["kind"]) for row in rows}:
            self._trim(kind, max(row["at"] for row in rows))

    def recent(self, kind: Kind, *, since: datetime, most: int) -> list[Entry]:
        """Return the entries of a kind since a time, the newest first."""
        model = self._model
        return self._read(model.kind == kind.value, model.at >= since, most=most)

    def of(self, upload_id: str, *, most: int = 100) -> list[Entry]:
        """Return an upload's entries, the newest first."""
        return self._read(self._model.upload_id == upload_id, most=most)

    def _read(self, *conditions: Any, most: int) -> list[Entry]:
        names = Entry.__dataclass_fields__
        columns = [getattr(self._model, name) for name in names]
        newest = select(*columns).where(*conditions).order_by(self._model.id.desc()).limit(most)
        with self._bind().connect() as connection:
            rows = [dict(zip(names, row, strict=True)) for row in connection.execute(newest)]
        return [Entry(**{**row, "kind": Kind(row["kind"])}) for row in rows]

    def _trim(self, kind: Kind, now: datetime) -> int:
        model, (age, number) = self._model, KEPT[kind]
        of_kind = select(model.id).where(model.kind == kind.value)
        last = of_kind.order_by(model.id.desc()).offset(number).limit(1).scalar_subquery()
        old = delete(model).where(
            model.kind == kind.value, (model.at < now - age) | (model.id <= last)
        )
        with self._bind().begin() as connection:
            removed: CursorResult[Any] = connection.execute(old)
            return removed.rowcount


def _row(entry: Entry) -> dict[str, Any]:
    """Return an entry's columns: texts without secrets, and such as the database takes."""
    row = asdict(entry)
    row["kind"] = entry.kind.value
    for name, most in _TEXTS.items():
        row[name] = row[name] and storable(row[name], most)
    return row
