"""The look-up of a request that writes, which takes the write lease in the same statement.

It is for storages whose leases are in the record (engine/record_lease.py). The lease is taken if
the record still takes these bytes: its caller's, open, not expired, and with that offset. Otherwise
nothing changes, and the caller finds out why by the usual look-up. The database computes the new
list of leases, which needs functions of PostgreSQL's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Engine,
    String,
    and_,
    bindparam,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from .lookup import Lookup
from .model import ChunkedUploadMixin, Status
from .prepared import Statement

#: What a client's declarations have for an upload that gets no bytes by requests.
_JOINED = "joined"


class Range(NamedTuple):
    """The bytes that a request is about to append to its upload.

    :param start: the upload's offset.
    :param stop: their end; None when it is not known.
    :param total: the file's length, if the request declares it.
    :param appends: whether what arrives counts even if the rest is missing.
    :param storage: the name of the storage that they go to.
    """

    start: int
    stop: int | None
    total: int | None
    appends: bool
    storage: str


class LeasedLookup:
    """Finds records of one model, and takes leases in them.

    :param bind: returns the SQLAlchemy engine that holds the model's table.
    :param lookup: the usual look-up of the model.
    :param now: returns the time by which uploads expire.
    """

    def __init__(
        self,
        model: Any,
        bind: Callable[[], Engine],
        lookup: Lookup,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._model, self._bind, self._lookup, self._now = model, bind, lookup, now
        #: Made when first asked for: a third of an app's start went into them; SQLite needs none.
        self._statements: dict[tuple[bool, bool], Statement] = {}

    @property
    def works(self) -> bool:
        """Whether the database can do it, for this model."""
        return self._bind().dialect.name == "postgresql" and self._lookup.is_plain

    def find(
        self,
        upload_id: str,
        *,
        upload_set: str,
        owner: str | None,
        ticket: str | None,
        writes: Range,
    ) -> ChunkedUploadMixin | None:
        """Return the record as its new lease has left it, detached; None when nothing was changed.

        :param owner: the owner it must have; None for an upload without one.
        :param ticket: the ticket by which it must have been begun; None for any.
        """
        values: dict[str, Any] = {
            "this": upload_id,
            "of_set": upload_set,
            "of_ticket": ticket,
            "begin": writes.start,
            "end": writes.stop,
            "total": writes.total,
            "storage": writes.storage,
            "at": self._now(),
        }
        if owner is not None:
            values["of_owner"] = owner
        row = self._statement(appends=writes.appends, owned=owner is not None).change_and_read(
            self._bind(), values
        )
        if row is None:
            return None
        record = self._lookup.record(row)
        record.found_leased = True
        return record

    def _statement(self, *, appends: bool, owned: bool) -> Statement:
        made = self._statements.get((appends, owned))
        if made is None:  # two threads may make it: either will do
            made = self._statements[appends, owned] = Statement(
                self._update(appends=appends, owned=owned)
            )
        return made

    def _update(self, *, appends: bool, owned: bool) -> Any:
        model = self._model
        begin, end = bindparam("begin", type_=BigInteger), bindparam("end", type_=BigInteger)
        total = bindparam("total", type_=BigInteger)
        ticket = bindparam("of_ticket", type_=model.ticket.type)
        number = model.fencing_token + 1
        more = (1,) if appends else ()
        return (
            update(model)
            .where(
                model.upload_id == bindparam("this"),
                model.upload_set == bindparam("of_set"),
                model.owner == bindparam("of_owner") if owned else model.owner.is_(None),
                or_(ticket.is_(None), model.ticket == ticket),
                model.status == int(Status.UPLOADING),
                model.expires_on > bindparam("at", type_=model.expires_on.type),
                or_(model.stored_in.is_(None), model.stored_in == bindparam("storage")),
                model.offset == begin,
                or_(model.length.is_(None), total.is_(None), model.length == total),
                or_(model.length.is_(None), model.length > begin),
                or_(model.length.is_(None), end.is_(None), model.length >= end),
                model.declared[_JOINED].as_string().is_(None),
            )
            .values(
                {
                    model.fencing_token: number,
                    model.write_leases: _entered(
                        model.write_leases,
                        begin,
                        end,
                        func.jsonb_build_array(number, begin, end, *more),
                    ),
                }
            )
            .returning(*self._lookup.columns)
        )


def _entered(
    column: Any, begin: ColumnElement[int], end: ColumnElement[int], entry: ColumnElement[Any]
) -> ColumnElement[Any]:
    """Return the list of leases with one more, and without those that overlap it."""
    leases = func.coalesce(cast(column, JSONB), _none())
    lease = func.jsonb_array_elements(leases, type_=JSONB).column_valued("lease")
    low, high = (cast(lease[at].as_string(), BigInteger) for at in (1, 2))
    overlaps = and_(or_(end.is_(None), low < end), or_(high.is_(None), begin < high))
    others = select(func.jsonb_agg(lease)).where(not_(overlaps)).scalar_subquery()
    return cast(func.coalesce(others, _none()).op("||")(func.jsonb_build_array(entry)), JSON)


def _none() -> ColumnElement[Any]:
    return cast(literal("[]", String), JSONB)
