"""Makes the engine of an upload set for a model, with the tables that its settings take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.engine.parts import Emit
from chunked_upload.engine.pieces import is_piece
from chunked_upload.records.day_bytes import day_model
from chunked_upload.records.events import EventKind, Outbox, event_model
from chunked_upload.records.repository import Record, Records
from chunked_upload.records.shares import share_model
from chunked_upload.settings.keys import Settings
from chunked_upload.storage.stores import Stores


class Engines:
    """The engines of one upload set, by model.

    :param name: the upload set's.
    :param connect: returns the SQLAlchemy engine for a model.
    :param emit: see :class:`UploadEngine`.
    """

    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        *,
        name: str,
        db: SQLAlchemy,
        connect: Callable[[Any], Engine],
        emit: Emit,
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._name = name
        self._db = db
        self._connect = connect
        self._emit = emit
        self._made: dict[Any, UploadEngine] = {}

    def of(self, model: Any) -> UploadEngine:
        """Return the engine for a model."""
        if model not in self._made:
            self._made[model] = self._make(model)
        return self._made[model]

    def make_models(self, model: Any) -> None:
        """Make the models that go with a model, so that ``db.create_all()`` makes all tables."""
        self._share_model(model)
        self._day_model(model)
        self._outbox(model)

    def tell_of_deletion(self, connection: Connection, record: Record) -> None:
        """Write the event of a record that the app's own session is deleting."""
        outbox = self.of(type(record)).records.outbox
        if outbox is not None and not is_piece(record):
            outbox.write(connection, EventKind.DELETED, record, {})

    def _make(self, model: Any) -> UploadEngine:
        records = Records(
            model,
            lambda: self._connect(model),
            share_model=self._share_model(model),
            day_model=self._day_model(model),
            outbox=self._outbox(model),
        )
        return UploadEngine(
            settings=self._settings,
            storage=self._stores.current,
            old_storage=self._stores.old,
            records=records,
            emit=self._emit,
        )

    def _share_model(self, model: Any) -> Any:
        """Return the model of the links to a model's uploads; None when there are none."""
        if not self._settings.share:
            return None
        return share_model(self._db, getattr(model, "__bind_key__", None))

    def _day_model(self, model: Any) -> Any:
        """Return the model of the bytes by day; None when no day is limited."""
        if not self._settings.counts_days:
            return None
        return day_model(self._db, getattr(model, "__bind_key__", None))

    def _outbox(self, model: Any) -> Outbox | None:
        """Return what takes the events of a model's uploads; None when nobody is told."""
        targets = self._settings.event_targets
        if not targets:
            return None
        events = event_model(self._db, getattr(model, "__bind_key__", None))
        return Outbox(events, lambda: self._connect(model), upload_set=self._name, targets=targets)
