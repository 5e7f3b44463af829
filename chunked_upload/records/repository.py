"""Upload records in the database: found, added, changed by compare-and-swap, removed.

Every call is a short transaction of its own, so nothing is held while bytes arrive. When a request
has decided something from a record that it read, it writes by compare-and-swap: the UPDATE names
the state it expects, and if no row changes, another request was first.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Set
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CursorResult,
    Engine,
    bindparam,
    delete,
    func,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history, set_committed_value

from . import durability
from .claims import Claims
from .lease import CompletionLeases
from .lookup import Lookup
from .model import ChunkedUploadMixin, Status
from .prepared import Statement
from .queries import Queries, UploadQuery
from .quota import Quota, one_at_a_time
from .relationships import load_references, references
from .target import Targets

Record = ChunkedUploadMixin

#: Records read at a time by :meth:`Records.walk`.
_BATCH = 200

#: The columns that other requests change while an upload lives.
_LIVE = (
    "status",
    "fencing_token",
    "offset",
    "received",
    "length",
    "reserved",
    "checksums",
    "checksum_states",
    "path",
    "target",
    "expires_on",
    "completed_on",
    "notified_on",
    "claimed_by",
    "storage_state",
    "write_leases",
)


class KeyTaken(Exception):
    """The client already has an upload with this ``client_key``."""


class Records:
    """The records of one model.

    :param model: a mapped class with :class:`~chunked_upload.ChunkedUploadMixin`.
    :param bind: returns the SQLAlchemy engine that holds its table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self.model = model
        #: The queries to pass to :meth:`first`, :meth:`all`, :meth:`walk` and :meth:`count`.
        self.queries = Queries(model)
        self._bind = bind
        self.leases = CompletionLeases(model, bind)
        self.targets = Targets(model, bind)
        self.claims = Claims(model, bind)
        # An app's own model may name its columns differently.
        self._columns = {a.key: a.columns[0].key for a in inspect(model).column_attrs}
        self._lookup = Lookup(model)
        self._references = references(model)
        # Built once: building a chunk's statements takes longer than running them.
        this = model.upload_id == bindparam("this")
        live = [getattr(model, name) for name in _LIVE]
        self._refresh = Statement(select(*live).where(this))
        self._raise_fencing_token = (
            update(model).where(this).values(fencing_token=model.fencing_token + 1)
        )
        swap = update(model).where(
            this,
            model.status == bindparam("was_status"),
            model.fencing_token == bindparam("was_token"),
        )
        self._swap = Statement(swap)
        self._swap_at_offset = Statement(swap.where(model.offset == bindparam("was_offset")))
        self._swap_expired = Statement(swap.where(model.expires_on <= bindparam("expired_at")))

    def query(self, upload_set: str) -> UploadQuery:
        """Select the uploads that an upload set may show: its own that are not being removed."""
        return self.queries.visible(upload_set)

    def find(self, upload_id: str, *, upload_set: str, owner: str | None) -> Record | None:
        """Return an owner's upload by its id, detached; for None, one without an owner."""
        return self._lookup.find(self._bind(), upload_id, upload_set=upload_set, owner=owner)

    def first(self, statement: UploadQuery) -> Record | None:
        """Return the first record of a query, detached from any session, or None."""
        with self._session() as session:
            return session.scalars(statement.limit(1).options(*self._references)).first()

    def all(self, statement: UploadQuery) -> list[Record]:
        """Return the records of a query, detached."""
        with self._session() as session:
            return list(session.scalars(statement.options(*self._references)))

    def walk(self, statement: UploadQuery) -> Iterator[Record]:
        """Yield the records of a query of any size; hold no connection between batches."""
        last = 0
        while True:
            page = statement.where(self.model.id > last).order_by(self.model.id).limit(_BATCH)
            records = self.all(page)
            yield from records
            if len(records) < _BATCH:
                return
            last = records[-1].id

    def count(self, statement: UploadQuery) -> int:
        """Return how many records a query selects."""
        with self._session() as session:
            counted = select(func.count()).select_from(statement.order_by(None).subquery())
            return session.scalar(counted) or 0

    def known_ids(self, upload_ids: Iterable[str]) -> set[str]:
        """Return which of the ids have a record."""
        return {record.upload_id for record in self.all(self.queries.with_ids(upload_ids))}

    def is_others_file(self, path: str, record: Record) -> bool:
        """Return whether another upload's finished file has this name."""
        return self.first(self.queries.with_file(path, but=record)) is not None

    def refresh(self, record: Record) -> bool:
        """Read the columns again that other requests change; keep the changes of hooks.

        :return: False when the row is gone.
        """
        row = self._refresh.first(self._bind(), {"this": record.upload_id})
        unchanged = inspect(record).unmodified
        for name, value in zip(_LIVE, row or (), strict=False):
            if name not in unchanged or getattr(record, name) != value:
                set_committed_value(record, name, value)
        return row is not None

    def insert(
        self, record: Record, quota: Quota | None, *, unless: UploadQuery | None = None
    ) -> None:
        """Add a new record, if its owner's quota allows.

        :param unless: uploads that a ``client_key`` may also mean, beside those that have it.
        :raises QuotaExceeded: when it does not. The record is counted and inserted in one
            transaction, so that two requests at once cannot both take the last place.
        :raises KeyTaken: when the client already has an upload with this ``client_key``, or one of
            ``unless``.
        """
        durability.keep_reserve(self._bind())
        try:
            self._insert(record, quota, unless)
        except IntegrityError as error:
            if record.client_key is None or self.first(self.queries.named_as(record)) is None:
                raise  # a constraint of the app's own
            raise KeyTaken from error

    def _insert(self, record: Record, quota: Quota | None, unless: UploadQuery | None) -> None:
        with self._session() as session:
            if unless is not None:
                one_at_a_time(session.connection(), record.client_key)
                if session.scalars(unless.limit(1)).first() is not None:
                    raise KeyTaken
            if quota is not None:
                quota.check(session, self.model, record)
            session.add(record)
            session.commit()
            load_references(record)
            session.expunge(record)

    def hold(self, record: Record, quota: Quota, *, least: int, most: int) -> int:
        """Hold more bytes for an upload, if its owner's quota allows.

        :param least, most: bytes that it needs, and that it can use, from the start of its file.
        :return: how many it holds now.
        :raises QuotaExceeded: when there is no room for ``least``.
        """
        model = self.model
        with self._session() as session:
            held = quota.grant(session, model, record, least=least, most=most)
            more = update(model).where(model.upload_id == record.upload_id, model.reserved < held)
            session.execute(
                more.values(reserved=held), execution_options={"synchronize_session": False}
            )
            session.commit()
        set_committed_value(record, "reserved", held)
        return held

    def raise_fencing_token(self, record: Record) -> None:
        """Fence every request that read the record earlier: its commit will find another token."""
        with self._bind().begin() as connection:
            connection.execute(self._raise_fencing_token, {"this": record.upload_id})

    def swap(
        self,
        record: Record,
        values: dict[str, Any],
        *,
        offset: int | None = None,
        expired_at: datetime | None = None,
    ) -> bool:
        """Write ``values`` if the row still has this record's status and fencing token (and
        ``offset``).

        The same UPDATE writes what a hook changed on the record. On success the record has the new
        values.

        :param offset: the offset that the row must still have.
        :param expired_at: the time by which the row must have expired; None for no such condition.
        :return: whether the row was as expected and has been changed.
        """
        unchanged = inspect(record).unmodified
        changes = self._changed(record, unchanged, beside=values) | values
        expected = {
            "this": record.upload_id,
            "was_status": _loaded(record, unchanged, "status"),
            "was_token": _loaded(record, unchanged, "fencing_token"),
        }
        statement = self._swap
        if offset is not None:
            statement, expected["was_offset"] = self._swap_at_offset, offset
        elif expired_at is not None:
            statement, expected["expired_at"] = self._swap_expired, expired_at
        columns = {self._columns[name]: value for name, value in changes.items()}
        if statement.change(self._bind(), columns | expected) != 1:
            return False
        for name, value in changes.items():
            set_committed_value(record, name, value)
        return True

    def rename(self, record: Record, key: str | None, *, visitor: str | None) -> bool:
        """Change a record's ``client_key`` and visitor.

        :return: False when another request has changed or taken it, or the record is gone.
        """
        model = self.model
        statement = update(model).where(
            model.upload_id == record.upload_id,
            model.client_key == record.client_key,
            model.status == int(record.status),
        )
        try:
            with self._bind().begin() as connection:
                result: CursorResult[Any] = connection.execute(
                    statement.values(client_key=key, visitor=visitor)
                )
        except IntegrityError:
            return False
        set_committed_value(record, "client_key", key)
        set_committed_value(record, "visitor", visitor)
        return result.rowcount == 1

    def record_checksums(self, record: Record, **values: dict[str, Any]) -> None:
        """Write the checksums of bytes that no request can change any more.

        Nothing else is written: the changes of hooks wait for :meth:`swap`.

        :param values: ``checksums`` or ``checksum_states``.
        """
        model = self.model
        statement = update(model).where(
            model.upload_id == record.upload_id,
            model.status == int(record.status),
            model.offset == record.offset,
        )
        columns = {getattr(model, name): value for name, value in values.items()}
        with self._bind().begin() as connection:
            connection.execute(statement.values(columns))
        for name, value in values.items():
            set_committed_value(record, name, value)

    def remove(self, record: Record, *, now: datetime) -> bool:
        """Delete the row, if it is marked for removal and need not stay to refuse late chunks.

        Offset and token are not compared: a chunk may have moved the offset just before the mark,
        and a request may take a (useless) lease after it.
        """
        model = self.model
        statement = delete(model).where(
            model.upload_id == record.upload_id,
            model.status == int(Status.DELETING),
            or_(model.client_key.is_(None), model.expires_on <= now),
        )
        with self._bind().begin() as connection:
            result: CursorResult[Any] = connection.execute(statement)
            return result.rowcount == 1

    @contextmanager
    def with_reserve(self) -> Iterator[None]:
        """Let the statements in the block use the reserve when the database's disk is full."""
        durability.spend_reserve(self._bind())
        try:
            yield
        finally:
            durability.keep_reserve(self._bind())

    def ping(self) -> None:
        """Read one row of the table; raise SQLAlchemy's error if the database does not answer."""
        self.first(select(self.model))

    def _changed(
        self, record: Record, unchanged: Set[str], *, beside: Container[str]
    ) -> dict[str, Any]:
        """Return the column attributes that hooks have changed since the record was read.

        :param unchanged: attributes that have not been set.
        :param beside: attributes to leave out.
        """
        touched = self._columns.keys() - unchanged
        return {
            name: getattr(record, name)
            for name in touched
            if name not in beside and get_history(record, name).has_changes()
        }

    def _session(self) -> Session:
        return Session(self._bind(), expire_on_commit=False)


def _loaded(record: Record, unchanged: Set[str], name: str) -> Any:
    """Return the value that was read from the database, even if a hook has changed it since."""
    if name in unchanged:
        return getattr(record, name)
    history = get_history(record, name)
    return history.deleted[0] if history.deleted else getattr(record, name)
