"""The columns of a record that other requests change: read again, changed by compare-and-swap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine, bindparam, inspect, select, update
from sqlalchemy.orm.attributes import set_committed_value

from .changes import changed, loaded
from .events import EventKind, Outbox
from .model import ChunkedUploadMixin
from .prepared import Statement

Record = ChunkedUploadMixin

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
    "stored_in",
    "other_copy",
    "write_leases",
)


class LiveRecords:
    """The records of one model, as requests change them.

    :param bind: returns the SQLAlchemy engine that holds its table.
    :param outbox: takes their events; None when nobody is told.
    """

    def __init__(
        self, model: Any, bind: Callable[[], Engine], *, outbox: Outbox | None = None
    ) -> None:
        self._bind = bind
        self.outbox = outbox
        # An app's own model may name its columns differently.
        self._columns = {a.key: a.columns[0].key for a in inspect(model).column_attrs}
        # Built once: building a chunk's statements takes longer than running them.
        this = model.upload_id == bindparam("this")
        live = [getattr(model, name) for name in _LIVE]
        self._refresh = Statement(select(*live).where(this))
        swap = update(model).where(
            this,
            model.status == bindparam("was_status"),
            model.fencing_token == bindparam("was_token"),
        )
        self._swap = Statement(swap)
        at_offset = swap.where(model.offset == bindparam("was_offset"))
        self._swap_at_offset = Statement(at_offset)
        self._swap_and_refresh = Statement(at_offset.returning(*live))
        self._swap_expired = Statement(swap.where(model.expires_on <= bindparam("expired_at")))

    def refresh(self, record: Record) -> bool:
        """Read the columns again that other requests change; keep the changes of hooks.

        :return: False when the row is gone.
        """
        row = self._refresh.first(self._bind(), {"this": record.upload_id})
        _take_in(record, row or ())
        return row is not None

    def swap(
        self,
        record: Record,
        values: dict[str, Any],
        *,
        offset: int | None = None,
        expired_at: datetime | None = None,
        event: EventKind | None = None,
    ) -> bool:
        """Write ``values`` if the row still has this record's status and fencing token (and
        ``offset``).

        The same UPDATE writes what a hook changed on the record. On success the record has the new
        values.

        :param offset: the offset that the row must still have.
        :param expired_at: the time by which the row must have expired; None for no such condition.
        :param event: what happens to the upload by this change; told in the same transaction.
        :return: whether the row was as expected and has been changed.
        """
        unchanged = inspect(record).unmodified
        changes = changed(record, self._columns, unchanged, beside=values) | values
        expected = {
            "this": record.upload_id,
            "was_status": loaded(record, unchanged, "status"),
            "was_token": loaded(record, unchanged, "fencing_token"),
        }
        statement = self._swap
        if offset is not None:
            statement, expected["was_offset"] = self._swap_at_offset, offset
        elif expired_at is not None:
            statement, expected["expired_at"] = self._swap_expired, expired_at
        columns = {self._columns[name]: value for name, value in changes.items()}
        parameters = columns | expected
        if event is None or self.outbox is None:
            done = statement.change(self._bind(), parameters)
        else:
            tell = partial(self.outbox.write, kind=event, record=record, values=changes)
            done = statement.change_with(self._bind(), parameters, tell)
            self.outbox.wrote()
        if done != 1:
            return False
        for name, value in changes.items():
            set_committed_value(record, name, value)
        return True

    def swap_and_refresh(self, record: Record, values: dict[str, Any], *, offset: int) -> bool:
        """Write ``values`` as :meth:`swap` does, and read the record again as :meth:`refresh` does.

        That is one statement where the database can return what it has changed.
        """
        engine = self._bind()
        if not engine.dialect.update_returning or not inspect(record).unmodified >= set(_LIVE):
            return self.swap(record, values, offset=offset) and self.refresh(record)
        expected = {
            "this": record.upload_id,
            "was_status": record.status,
            "was_token": record.fencing_token,
            "was_offset": offset,
        }
        columns = {self._columns[name]: value for name, value in values.items()}
        row = self._swap_and_refresh.change_and_read(engine, columns | expected)
        _take_in(record, row or ())
        return row is not None


def _take_in(record: Record, row: Sequence[Any]) -> None:
    """Set the columns that other requests change to what was read; nothing of an empty row."""
    unchanged = inspect(record).unmodified
    for name, value in zip(_LIVE, row, strict=False):
        if name not in unchanged or getattr(record, name) != value:
            set_committed_value(record, name, value)
