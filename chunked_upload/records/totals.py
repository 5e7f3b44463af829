"""What a table of uploads holds in all, for operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, and_, case, func, select

from .model import Status, UTCDateTime


@dataclass(frozen=True)
class Total:
    """The uploads of one upload set that have one status.

    :param held: bytes that are recorded.
    :param waiting: those whose ``on_completion`` has not returned yet.
    :param waiting_since: when the oldest of them was completed.
    """

    upload_set: str
    status: Status
    uploads: int
    held: int
    waiting: int
    waiting_since: datetime | None


class PlacesTotal(NamedTuple):
    """The uploads of one status that have their bytes in one storage.

    Its name is None in records from before storages had one. ``waiting`` are those whose
    ``on_completion`` has not returned.
    """

    status: Status
    stored_in: str | None
    uploads: int
    held: int
    waiting: int


class OwnersTotal(NamedTuple):
    """The uploads of one owner, and their recorded bytes; those without an owner are None's."""

    owner: str | None
    uploads: int
    held: int


class Totals:
    """The totals of one model's records.

    :param connect: returns the SQLAlchemy engine that holds its table.
    """

    def __init__(self, model: Any, connect: Callable[[], Engine]) -> None:
        self._model = model
        self._connect = connect

    def by_status(self) -> list[Total]:
        """Return what the table holds, by upload set and status: one pass over it."""
        model = self._model
        waits = and_(model.status == int(Status.COMPLETE), model.notified_on.is_(None))
        statement = select(
            model.upload_set,
            model.status,
            func.count(),
            func.coalesce(func.sum(model.offset), 0),
            func.count(case((waits, 1))),
            func.min(case((waits, model.completed_on)), type_=UTCDateTime),
        ).group_by(model.upload_set, model.status)
        with self._connect().connect() as connection:
            return [
                Total(upload_set, Status(status), int(uploads), int(held), int(waiting), since)
                for upload_set, status, uploads, held, waiting, since in connection.execute(
                    statement
                )
            ]

    def by_place(self) -> list[PlacesTotal]:
        """Return what the table holds, by status and storage: one pass over it."""
        model = self._model
        waits = and_(model.status == int(Status.COMPLETE), model.notified_on.is_(None))
        statement = select(
            model.status,
            model.stored_in,
            func.count(),
            func.coalesce(func.sum(model.offset), 0),
            func.count(case((waits, 1))),
        ).group_by(model.status, model.stored_in)
        with self._connect().connect() as connection:
            return [
                PlacesTotal(Status(status), name, int(uploads), int(held), int(waiting))
                for status, name, uploads, held, waiting in connection.execute(statement)
            ]

    def of(self, statement: Select[Any]) -> tuple[int, int]:
        """Return how many records a query selects, and how many bytes they have."""
        size = func.coalesce(func.sum(self._model.offset), 0)
        sums = statement.order_by(None).with_only_columns(func.count(), size)
        with self._connect().connect() as connection:
            count, total = connection.execute(sums).one()
            return int(count), int(total)

    def largest_owners(self, upload_set: str, most: int) -> list[OwnersTotal]:
        """Return the owners with most bytes in an upload set.

        :param most: how many owners.
        """
        model = self._model
        held = func.coalesce(func.sum(model.offset), 0)
        statement = (
            select(model.owner, func.count(), held)
            .where(model.upload_set == upload_set, model.status != int(Status.DELETING))
            .group_by(model.owner)
            .order_by(held.desc())
            .limit(most)
        )
        with self._connect().connect() as connection:
            rows = connection.execute(statement)
            return [OwnersTotal(owner, int(uploads), int(size)) for owner, uploads, size in rows]
