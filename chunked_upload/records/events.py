"""The outbox: what happened to uploads, and whom that still has to be told.

An event is written in the transaction that makes it true, one row for each target, so that neither
can be without the other whenever a process dies. delivery/ sends what is due. The rows of one
upload are due for a target one after another: a later one waits until the earlier one has been
delivered or given up. Their order is that of their ids, since the transactions that write them
change the same row of the upload first.

A process that delivers an event takes a lease: it moves the time at which the event is due again,
and writes a token. If it dies, the event is due again when the lease ends.
"""

from __future__ import annotations

import enum
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Index, Integer, SmallInteger, String, Text
from sqlalchemy import insert as insert_into
from sqlalchemy.orm import Mapped, mapped_column

from chunked_upload.support.clock import utcnow

from .model import ChunkedUploadMixin, UTCDateTime

#: Characters that are kept of what went wrong.
MOST_SAID = 500


class EventStatus(enum.IntEnum):
    """What became of an event, for one target."""

    WAITING = 1
    DELIVERED = 2
    #: Given up after the last try, until someone has it sent again.
    DEAD = 3


class EventKind(enum.StrEnum):
    """What happened to an upload."""

    CREATED = "upload.created"
    COMPLETED = "upload.completed"
    EXPIRED = "upload.expired"
    DELETED = "upload.deleted"


class EventMixin:
    """One event, for one target."""

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    #: The same for every target; receivers know a repetition by it.
    event_id: Mapped[str] = mapped_column(String(36))
    upload_set: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(32))
    upload_id: Mapped[str] = mapped_column(String(32))
    #: JSON, exactly as it is sent and signed.
    payload: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime] = mapped_column(UTCDateTime)
    status: Mapped[int] = mapped_column(SmallInteger)
    #: Tries that have begun.
    attempts: Mapped[int] = mapped_column(Integer)
    #: When it is to be tried next; while it is being tried, when its lease ends.
    due_on: Mapped[datetime] = mapped_column(UTCDateTime)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    #: When it was delivered or given up.
    ended_on: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: What went wrong at the last try.
    problem: Mapped[str | None] = mapped_column(String(MOST_SAID))


_TABLE = "chunked_upload_event"

#: The attribute of a Flask-SQLAlchemy object that keeps its models, by bind key (see model.py).
_ATTRIBUTE = "_chunked_upload_event_models"


def event_model(db: Any, bind_key: str | None = None) -> Any:
    """Return the model of events on ``db``, made at the first call.

    :param db: a Flask-SQLAlchemy object.
    :param bind_key: of the uploads' model.
    """
    made: dict[str | None, Any] = vars(db).setdefault(_ATTRIBUTE, {})
    if bind_key not in made:
        names = {
            "__tablename__": _TABLE,
            "__module__": __name__,
            "__bind_key__": bind_key,
            "__table_args__": (
                Index(f"ix_{_TABLE}_status_due_on", "status", "due_on"),
                Index(f"ix_{_TABLE}_upload_id", "upload_id"),
                Index(f"ix_{_TABLE}_event_id", "event_id"),
            ),
        }
        kind = f"ChunkedUploadEvent_{bind_key}" if bind_key else "ChunkedUploadEvent"
        made[bind_key] = type(kind, (EventMixin, db.Model), names)
    return made[bind_key]


class Outbox:
    """Writes the events of one upload set.

    :param model: of events.
    :param bind: returns the SQLAlchemy engine that holds its table.
    :param targets: the names of those who are told.
    """

    def __init__(
        self,
        model: Any,
        bind: Callable[[], Engine],
        *,
        upload_set: str,
        targets: Sequence[str],
    ) -> None:
        self.model = model
        self.bind = bind
        self.upload_set = upload_set
        self.targets = targets
        #: Set by the records, which know their database's clock.
        self.now: Callable[[], datetime] = utcnow
        #: Called after a transaction that wrote events; set by who delivers them.
        self.wrote: Callable[[], object] = lambda: None

    def write(
        self,
        connection: Connection,
        kind: EventKind,
        record: ChunkedUploadMixin,
        values: Mapping[str, Any],
    ) -> None:
        """Write an event in the transaction of a connection.

        :param values: what the transaction changes of the record.
        """
        now = self.now()
        row = {
            "event_id": f"evt_{uuid.uuid4().hex}",
            "upload_set": self.upload_set,
            "kind": str(kind),
            "upload_id": record.upload_id,
            "payload": json.dumps(_message(kind, now, record, values)),
            "created_on": now,
            "due_on": now,
            "status": int(EventStatus.WAITING),
            "attempts": 0,
        }
        rows = [{**row, "target": target} for target in self.targets]
        connection.execute(insert_into(self.model.__table__), rows)


def _message(
    kind: EventKind, now: datetime, record: ChunkedUploadMixin, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what receivers get, in Standard Webhooks' form."""

    def of(name: str) -> Any:
        return values.get(name, getattr(record, name))

    completed = of("completed_on")
    return {
        "type": str(kind),
        "timestamp": now.isoformat(),
        "data": {
            "upload_id": record.upload_id,
            "upload_set": record.upload_set,
            "owner": record.owner,
            "filename": of("filename"),
            "length": of("length"),
            "offset": of("offset"),
            "checksums": of("checksums") or {},
            "metadata": of("extra_fields") or {},
            "path": of("path"),
            "created_on": record.created_on.isoformat(),
            "completed_on": None if completed is None else completed.isoformat(),
        },
    }
