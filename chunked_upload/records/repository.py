"""Upload records in the database: the only module that speaks SQL.

Every call opens its own short transaction and gives the connection back before it returns, so
nothing is held while bytes arrive. What a request decided on the basis of a record it had read is
written by compare-and-swap: the UPDATE names the state it expects, and changing no row means that
somebody else was first.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    Select,
    bindparam,
    delete,
    func,
    inspect,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history, set_committed_value

from chunked_upload.errors import LimitExceeded

from . import durability
from .lookup import Lookup
from .model import ChunkedUploadMixin, Status
from .prepared import Statement

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
    "digest_state",
    "digest_offset",
    "md5",
    "path",
    "expires_on",
    "completed_on",
    "notified_on",
)


class KeyTaken(Exception):
    """The client has an upload of this ``client_key`` already."""


@dataclass(frozen=True)
class Quota:
    """What one owner may have open at a time; None is no limit."""

    max_uploads: int | None
    max_bytes: int | None


class Records:
    """The records of one model.

    :param model: a mapped class with :class:`~chunked_upload.ChunkedUploadMixin`.
    :param bind: returns the SQLAlchemy engine that holds its table.
    """

    def __init__(self, model: Any, bind: Callable[[], Engine]) -> None:
        self.model = model
        self._bind = bind
        # An app's own model may name its columns differently.
        self._columns = {a.key: a.columns[0].key for a in inspect(model).column_attrs}
        self._lookup = Lookup(model)
        # Built once: a chunk's statements cost more to put together than to run.
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

    def query(self, upload_set: str) -> Select[Any]:
        """Select what an upload set may see: its own uploads that are not being removed."""
        model = self.model
        return select(model).where(model.upload_set == upload_set, model.status != Status.DELETING)

    def find(self, upload_id: str, *, upload_set: str, owner: str | None) -> Record | None:
        """Return what :meth:`query` selects of one owner (None: of nobody) by its id, detached."""
        return self._lookup.find(self._bind(), upload_id, upload_set=upload_set, owner=owner)

    def first(self, statement: Select[Any]) -> Record | None:
        """Return the first record of a query, detached from any session, or None."""
        with self._session() as session:
            return session.scalars(statement.limit(1)).first()

    def all(self, statement: Select[Any]) -> list[Record]:
        """Return the records of a query, detached."""
        with self._session() as session:
            return list(session.scalars(statement))

    def walk(self, statement: Select[Any]) -> Iterator[Record]:
        """Yield the records of a query of any size, holding no connection between batches."""
        last = 0
        while True:
            page = statement.where(self.model.id > last).order_by(self.model.id).limit(_BATCH)
            records = self.all(page)
            yield from records
            if len(records) < _BATCH:
                return
            last = records[-1].id

    def count(self, statement: Select[Any]) -> int:
        """Return how many records a query has."""
        with self._session() as session:
            counted = select(func.count()).select_from(statement.order_by(None).subquery())
            return session.scalar(counted) or 0

    def refresh(self, record: Record) -> bool:
        """Bring what the engine decides by up to date; what hooks changed stays.

        :return: False when the row is gone.
        """
        row = self._refresh.first(self._bind(), {"this": record.upload_id})
        unchanged = inspect(record).unmodified
        for name, value in zip(_LIVE, row or (), strict=False):
            if name not in unchanged or getattr(record, name) != value:
                set_committed_value(record, name, value)
        return row is not None

    def insert(self, record: Record, quota: Quota | None) -> None:
        """Add a new record, if its owner's quota allows.

        :raises LimitExceeded: counted and inserted in one transaction, so that two requests at
            once cannot both take the last place.
        :raises KeyTaken: when its client has one of the same ``client_key``.
        """
        durability.keep_reserve(self._bind())
        try:
            self._insert(record, quota)
        except IntegrityError as error:
            if record.client_key is None or self.first(self.named_as(record)) is None:
                raise  # about a column of the app's own
            raise KeyTaken from error

    def named_as(self, record: Record) -> Select[Any]:
        """Select the upload that has a record's ``client_key``, removed or not."""
        model = self.model
        return select(model).where(
            model.client_key == record.client_key,
            model.quota_key == record.quota_key,
            model.upload_set == record.upload_set,
        )

    def _insert(self, record: Record, quota: Quota | None) -> None:
        with self._session() as session:
            if quota is not None:
                _one_at_a_time(session.connection(), record.quota_key or "")
                self._check_quota(session, record, quota)
            session.add(record)
            session.commit()
            session.expunge(record)

    def _check_quota(self, session: Session, record: Record, quota: Quota) -> None:
        model = self.model
        held = func.coalesce(func.sum(func.coalesce(model.length, model.reserved)), 0)
        uploads, size = session.execute(
            select(func.count(), held).where(
                model.quota_key == record.quota_key, model.status == Status.UPLOADING
            )
        ).one()
        if quota.max_uploads is not None and uploads >= quota.max_uploads:
            raise LimitExceeded(
                f"Too many unfinished uploads (at most {quota.max_uploads});"
                " complete or delete one first"
            )
        wanted = record.length if record.length is not None else record.reserved
        if quota.max_bytes is not None and size + wanted > quota.max_bytes:
            raise LimitExceeded(
                f"Unfinished uploads would take more than {quota.max_bytes} bytes;"
                " complete or delete one first"
            )

    def raise_fencing_token(self, record: Record) -> None:
        """Fence every request that read the record before: their commit will find another token."""
        with self._transaction() as connection:
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

        What a hook changed on the record goes along in the same UPDATE. On success the record
        carries the new values.

        :param offset: the offset the row must still have.
        :param expired_at: or, the time by which the row must have expired.
        :return: whether the row was as expected and is now changed.
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

    def remove(self, record: Record, *, now: datetime) -> bool:
        """Delete the row, if it is marked for removal and need not stay to refuse late chunks.

        Nothing else counts: a chunk may have moved the offset just before the mark, and a lease may
        be taken, in vain, after it.
        """
        model = self.model
        statement = delete(model).where(
            model.upload_id == record.upload_id,
            model.status == int(Status.DELETING),
            or_(model.client_key.is_(None), model.expires_on <= now),
        )
        with self._transaction() as connection:
            result: CursorResult[Any] = connection.execute(statement)
            return result.rowcount == 1

    @contextmanager
    def with_reserve(self) -> Iterator[None]:
        """Run what must be recorded although the database's disk is full."""
        durability.spend_reserve(self._bind())
        try:
            yield
        finally:
            durability.keep_reserve(self._bind())

    def ping(self) -> None:
        """Ask the database for one row of the table; raises what SQLAlchemy raises."""
        self.first(select(self.model))

    def _changed(
        self, record: Record, unchanged: Set[str], *, beside: Container[str]
    ) -> dict[str, Any]:
        """Return the column attributes that differ from what was read: the work of hooks.

        :param unchanged: attributes that nobody has set.
        :param beside: attributes that need no look.
        """
        touched = self._columns.keys() - unchanged
        return {
            name: getattr(record, name)
            for name in touched
            if name not in beside and get_history(record, name).has_changes()
        }

    def _session(self) -> Session:
        return Session(self._bind(), expire_on_commit=False)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._bind().begin() as connection:
            yield connection


def _loaded(record: Record, unchanged: Set[str], name: str) -> Any:
    """Return the value that was read from the database, whatever a hook made of it since."""
    if name in unchanged:
        return getattr(record, name)
    history = get_history(record, name)
    return history.deleted[0] if history.deleted else getattr(record, name)


def _one_at_a_time(connection: Connection, key: str) -> None:
    """Make transactions about one quota follow each other."""
    if connection.dialect.name == "sqlite":
        # A deferred transaction that reads and then writes fails at once when another wrote in
        # between; an immediate one waits its turn.
        if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": key})
