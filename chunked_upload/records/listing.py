"""Pages of uploads for operators, by keyset: a page starts after the last row of the one before.

So the hundredth page is read as fast as the first, and uploads that arrive meanwhile move nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, func, select, tuple_

from .filters import UploadFilter
from .model import Status

#: The columns of a row. The long ones (metadata, states of checksums) are left out.
_COLUMNS = (
    "id",
    "upload_id",
    "filename",
    "status",
    "offset",
    "length",
    "owner",
    "upload_set",
    "stored_in",
    "created_on",
    "completed_on",
    "notified_on",
    "expires_on",
)


class Sort(StrEnum):
    """How a list is sorted."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    NAME = "name"
    #: Unfinished uploads alone, by when they expire.
    EXPIRES = "expires"


_DESCENDING = frozenset({Sort.NEWEST, Sort.LARGEST})

#: A row of a list, with the columns above and what else is asked for.
ListedRow = Row[Any]

#: A row's place in the list: what it is sorted by (None for its id), and its id.
Place = tuple[Any, int]


class Listing:
    """The lists of one model's records.

    :param bind: returns the SQLAlchemy engine that holds its table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self._model = model
        self._bind = bind
        self._columns = [getattr(model, name).label(name) for name in _COLUMNS]

    def page(
        self,
        upload_sets: Collection[str],
        wanted: UploadFilter,
        *,
        now: datetime,
        sort: Sort,
        after: Place | None,
        limit: int,
        hook_waits: bool = False,
    ) -> list[ListedRow]:
        """Return the rows after a place, with the columns above and ``key``, their place's first.

        :param hook_waits: only completed uploads whose ``on_completion`` has not returned.
        """
        model, key = self._model, self._key(sort)
        query: Select[Any] = select(*self._columns, key.label("key")).where(
            model.upload_set.in_(list(upload_sets)), model.status != int(Status.DELETING)
        )
        if wanted.status is Status.COMPLETE:
            # Nearly all uploads are; by the index on the status, SQLite would sort all of them.
            query = query.where(model.status != int(Status.UPLOADING))
            wanted = replace(wanted, status=None)
        query = wanted.narrow(query, model, now=now)
        if hook_waits:
            query = query.where(model.status == int(Status.COMPLETE), model.notified_on.is_(None))
        if sort is Sort.EXPIRES:
            query = query.where(model.status == int(Status.UPLOADING))
        down = sort in _DESCENDING
        if after is not None:
            here: Any = model.id if key is model.id else tuple_(key, model.id)
            there: Any = after[1] if key is model.id else tuple_(*after)
            query = query.where(here < there if down else here > there)
        columns = (model.id,) if key is model.id else (key, model.id)
        query = query.order_by(*(one.desc() if down else one for one in columns))
        return self._rows(query.limit(limit))

    def being_sent(
        self, upload_set: str, *, expires_after: datetime, limit: int
    ) -> list[ListedRow]:
        """Return the unfinished uploads that expire last: where each chunk sets the time again,
        those that got a chunk most recently.
        """
        model = self._model
        query: Select[Any] = select(*self._columns, model.write_leases).where(
            model.upload_set == upload_set,
            model.status == int(Status.UPLOADING),
            model.expires_on > expires_after,
        )
        return self._rows(query.order_by(model.expires_on.desc()).limit(limit))

    def _key(self, sort: Sort) -> ColumnElement[Any]:
        model = self._model
        keys: dict[Sort, Any] = {
            Sort.LARGEST: func.coalesce(model.length, model.offset),
            Sort.SMALLEST: func.coalesce(model.length, model.offset),
            Sort.NAME: model.filename,
            Sort.EXPIRES: model.expires_on,
        }
        found: ColumnElement[Any] = keys.get(sort, model.id)
        return found

    def _rows(self, query: Select[Any]) -> list[ListedRow]:
        with self._bind().connect() as connection:
            return list(connection.execute(query))
