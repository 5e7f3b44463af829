"""Upload records in the database: found, added, changed by compare-and-swap, removed.

Every call is a short transaction of its own, so nothing is held while bytes arrive. When a request
has decided something from a record that it read, it writes by compare-and-swap: the UPDATE names
the state it expects, and if no row changes, another request was first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CursorResult,
    Engine,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from . import durability
from .claims import Claims
from .clock import DatabaseClock
from .day_bytes import DayBytes
from .events import EventKind, Outbox
from .insertion import Insertion
from .insertion import KeyTaken as KeyTaken
from .lease import CompletionLeases
from .leased_lookup import LeasedLookup
from .listing import Listing
from .live import LiveRecords
from .lookup import Lookup
from .model import ChunkedUploadMixin, Status
from .queries import Queries, UploadQuery
from .quota import Quota, Used, one_at_a_time, used_of
from .relationships import references
from .shares import Shares
from .target import Targets
from .totals import Totals

Record = ChunkedUploadMixin

#: Records read at a time by :meth:`Records.walk`.
_BATCH = 200


class Records(LiveRecords):
    """The records of one model.

    :param model: a mapped class with :class:`~chunked_upload.ChunkedUploadMixin`.
    :param bind: returns the SQLAlchemy engine that holds its table.
    :param share_model: of the links to completed files; None when there are none.
    :param outbox: takes the uploads' events; None when nobody is told.
    :param day_model: of the bytes by day; None when they are not counted.
    """

    def __init__(
        self,
        model: Any,
        bind: Callable[[], Engine],
        *,
        share_model: Any = None,
        day_model: Any = None,
        outbox: Outbox | None = None,
    ) -> None:
        super().__init__(model, bind, outbox=outbox)
        self.model = model
        #: The queries to pass to :meth:`first`, :meth:`all`, :meth:`walk` and :meth:`count`.
        self.queries = Queries(model)
        self.leases = CompletionLeases(model, bind)
        self.targets = Targets(model, bind)
        self.claims = Claims(model, bind)
        self.totals = Totals(model, bind)
        self.listing = Listing(model, bind)
        self.clock = DatabaseClock(bind, self.leases.now)
        if outbox is not None:
            outbox.now = self.clock.now
        self.days = None if day_model is None else DayBytes(day_model, self.clock.now)
        self.shares = None if share_model is None else Shares(share_model, bind)
        self._lookup = Lookup(model)
        self._insertion = Insertion(model, outbox)
        self.leased_lookup = LeasedLookup(model, bind, self._lookup, now=self.clock.now)
        self._references = references(model)
        this = model.upload_id == bindparam("this")
        self._raise_fencing_token = (
            update(model).where(this).values(fencing_token=model.fencing_token + 1)
        )

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

    def with_parts(self, upload_ids: Iterable[str]) -> set[str]:
        """Return which of the ids have a record of an upload that is not complete, or copied."""
        found = self.all(self.queries.with_ids(upload_ids))
        return {
            record.upload_id
            for record in found
            if record.status != Status.COMPLETE or record.other_copy is not None
        }

    def existing(self, upload_ids: Iterable[str]) -> set[str]:
        """Return which of the ids have a record, in whatever state."""
        return {record.upload_id for record in self.all(self.queries.with_ids(upload_ids))}

    def is_others_file(self, path: str, record: Record) -> bool:
        """Return whether another upload's finished file has this name."""
        return self.first(self.queries.with_file(path, but=record)) is not None

    def insert(
        self,
        record: Record,
        quota: Quota | None,
        *,
        unless: UploadQuery | None = None,
        event: EventKind | None = None,
    ) -> None:
        """Add a new record, if its owner's quota allows.

        :param unless: uploads that a ``client_key`` may also mean, beside those that have it.
        :param event: what happens to the upload by this; told in the same transaction.
        :raises QuotaExceeded: when it does not. The record is counted and inserted in one
            transaction, so that two requests at once cannot both take the last place.
        :raises KeyTaken: when the client already has an upload with this ``client_key``, or one of
            ``unless``.
        """
        engine = self._bind()
        durability.keep_reserve(engine)
        try:
            self._insertion.add(record, engine, quota=quota, unless=unless, event=event)
        except IntegrityError as error:
            if record.client_key is None or self.first(self.queries.named_as(record)) is None:
                raise  # a constraint of the app's own
            raise KeyTaken from error

    def hold(self, record: Record, quota: Quota, *, least: int, most: int) -> int:
        """Hold more bytes for an upload, if its owner's quota allows.

        :param least, most: bytes that it needs, and that it can use, from the start of its file.
        :return: how many it holds now.
        :raises QuotaExceeded: when there is no room for ``least``.
        """
        model = self.model
        with self._session() as session:
            granted = quota.grant(session, model, record, least=least, most=most)
            this = model.upload_id == record.upload_id
            more = update(model).where(this, model.reserved < granted)
            session.execute(
                more.values(reserved=granted), execution_options={"synchronize_session": False}
            )
            session.commit()
        set_committed_value(record, "reserved", granted)
        return granted

    @property
    def database(self) -> Engine:
        """The engine of the database, whose connections :mod:`.pool` counts."""
        return self._bind()

    def usage(self, quota_key: str, *, upload_set: str) -> tuple[Used, int]:
        """Return what an owner has in an upload set, and the bytes of today if days are counted."""
        with self._session() as session:
            used = used_of(session, self.model, quota_key, upload_set)
            today = 0 if self.days is None else self.days.used(session, quota_key, upload_set)
            return used, today

    def give_back(self, record: Record, size: int) -> None:
        """Take bytes that did not come off the day on which an upload began."""
        if self.days is not None and size > 0:
            with self._session() as session:
                one_at_a_time(session.connection(), record.quota_key)
                self.days.give_back(session, record, size)
                session.commit()

    def forget_days(self) -> None:
        """Remove the counts of days before today."""
        if self.days is not None:
            with self._session() as session:
                self.days.forget(session)
                session.commit()

    def raise_fencing_token(self, record: Record) -> None:
        """Fence every request that read the record earlier: its commit will find another token."""
        with self._bind().begin() as connection:
            connection.execute(self._raise_fencing_token, {"this": record.upload_id})

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
        with self._session() as session:
            if self.days is not None:
                self._give_back(session, self.days, record)
            connection = session.connection()
            if self.shares is not None:
                self.shares.remove_of(record.upload_id, connection)
            result: CursorResult[Any] = connection.execute(statement)
            session.commit()
            return result.rowcount == 1

    def _give_back(self, session: Session, days: DayBytes, record: Record) -> None:
        """Give back what of an upload that is being removed has not arrived, once."""
        one_at_a_time(session.connection(), record.quota_key)
        model = self.model
        this = select(model.length, model.reserved, model.offset, model.received).where(
            model.upload_id == record.upload_id, model.status == int(Status.DELETING)
        )
        found = session.execute(this).one_or_none()
        if found is None:
            return
        length, reserved, offset, received = found
        arrived = offset + sum(stop - start for start, stop in received)
        if (left := max(length or 0, reserved or 0) - arrived) > 0:
            days.give_back(session, record, left)
            # The row may stay, to refuse late chunks; what is given back must not be again.
            session.connection().execute(
                update(model)
                .where(model.upload_id == record.upload_id)
                .values(length=None, reserved=arrived)
            )

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

    def _session(self) -> Session:
        return Session(self._bind(), expire_on_commit=False)
