"""Adds new records, each in a transaction of its own.

SQLAlchemy's session takes a quarter of the processor time of a new upload's first chunk. As in the
look-up (:mod:`.lookup`), a record that consists of plain columns does without, unless the
transaction does more than add it, or the app listens to what a session does. Such a record is then
like one that a session has added and expunged.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ClauseElement, Column, Engine, insert, inspect
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from .events import EventKind, Outbox
from .lookup import is_plain
from .model import ChunkedUploadMixin
from .prepared import Statement
from .queries import UploadQuery
from .quota import Quota, check_ticket, one_at_a_time
from .relationships import load_references

#: What an app may listen to that a session does with a record that it adds.
_MAPPER_EVENTS = ("before_insert", "after_insert")
_SESSION_EVENTS = (
    *("after_begin", "after_transaction_create", "after_transaction_end"),
    *("before_attach", "after_attach", "transient_to_pending"),
    *("before_flush", "after_flush", "after_flush_postexec", "pending_to_persistent"),
    *("before_commit", "after_commit", "persistent_to_detached"),
)

#: Modules of functions that compute a column's default from nothing.
_OWN = ("builtins", "chunked_upload.")


class KeyTaken(Exception):
    """The client already has an upload with this ``client_key``."""


class Insertion:
    """Adds records of one model.

    :param model: a mapped class with :class:`~chunked_upload.ChunkedUploadMixin`.
    :param outbox: takes their events; None when nobody is told.
    """

    def __init__(self, model: Any, outbox: Outbox | None) -> None:
        self._model, self._outbox = model, outbox
        self._mapper: Any = inspect(model)
        self._columns: dict[str, Column[Any]] = {
            attribute.key: attribute.columns[0]
            for attribute in self._mapper.column_attrs
            if attribute.key != "id"
        }
        self._plain = (
            is_plain(self._mapper)
            and self._mapper.version_id_col is None
            and all(map(_is_known, self._columns.values()))
        )
        self._statement = Statement(insert(model).returning(model.id))
        #: One that is never used, and knows what is listened to in all sessions.
        self._session = Session()

    def add(
        self,
        record: ChunkedUploadMixin,
        engine: Engine,
        *,
        quota: Quota | None,
        unless: UploadQuery | None,
        event: EventKind | None,
    ) -> None:
        """Add a record; it is detached then. The parameters are those of ``Records.insert``.

        :raises QuotaExceeded: when the quota does not allow it.
        :raises KeyTaken: when there is one of ``unless``.
        :raises IntegrityError: when there is such a record already.
        """
        told = None if self._outbox is None else event
        adds_more = (record.ticket, quota, unless, told) != (None, None, None, None)
        if not adds_more and self._is_plain(record, engine):
            self._add_alone(record, engine)
        else:
            self._add_in_session(record, engine, quota, unless, told)

    def _is_plain(self, record: ChunkedUploadMixin, engine: Engine) -> bool:
        """Whether nobody can tell that a record was added without a session."""
        return (
            self._plain
            and record.id is None
            and engine.dialect.insert_returning
            # An app may have the database compute a value (``func.now()``).
            and not any(isinstance(value, ClauseElement) for value in vars(record).values())
            and not any(getattr(self._mapper.dispatch, name) for name in _MAPPER_EVENTS)
            and not any(getattr(self._session.dispatch, name) for name in _SESSION_EVENTS)
        )

    def _add_alone(self, record: ChunkedUploadMixin, engine: Engine) -> None:
        given = vars(record)
        for name, column in self._columns.items():
            if name not in given:
                set_committed_value(record, name, _default(column))
        values = {column.key: given[name] for name, column in self._columns.items()}
        (made,) = self._statement.change_and_read(engine, values) or ()
        set_committed_value(record, "id", made)
        make_transient_to_detached(record)

    def _add_in_session(
        self,
        record: ChunkedUploadMixin,
        engine: Engine,
        quota: Quota | None,
        unless: UploadQuery | None,
        event: EventKind | None,
    ) -> None:
        with Session(engine, expire_on_commit=False) as session:
            if record.ticket is not None:
                check_ticket(session, self._model, record)
            if unless is not None:
                one_at_a_time(session.connection(), record.client_key)
                if session.scalars(unless.limit(1)).first() is not None:
                    raise KeyTaken
            if quota is not None:
                quota.check(session, self._model, record)
            session.add(record)
            if event is not None and self._outbox is not None:
                session.flush()  # which gives it its id
                self._outbox.write(session.connection(), event, record, {})
            session.commit()
            load_references(record)
            session.expunge(record)
        if event is not None and self._outbox is not None:
            self._outbox.wrote()


def _is_known(column: Column[Any]) -> bool:
    """Return whether a column's default can be computed here."""
    default: Any = column.default
    if default is None:
        return column.server_default is None
    if default.is_callable:
        return str(default.arg.__module__).startswith(_OWN)
    return bool(default.is_scalar)


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg
