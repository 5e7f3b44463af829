"""The rows of the outbox as those see them who deliver events, and who look after them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CursorResult,
    Delete,
    Select,
    Update,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from chunked_upload.logs import storable

from .events import MOST_SAID, EventMixin, EventStatus, Outbox
from .model import UTCDateTime

#: How long a lease lasts that is not renewed.
LEASE = timedelta(seconds=60)

#: Rows that are read at a time.
_BATCH = 20


@dataclass(frozen=True)
class EventTotal:
    """The events of one upload set for one target that have one status.

    :param since: when the oldest of them happened.
    """

    upload_set: str
    target: str
    status: EventStatus
    events: int
    since: datetime


class EventQueue:
    """The events in the table of an outbox, those of other upload sets too."""

    def __init__(self, outbox: Outbox) -> None:
        self._model = outbox.model
        self._bind = outbox.bind
        #: Returns the time by the database's clock.
        self.now: Callable[[], datetime] = outbox.now

    # Deliver

    def due(self, upload_set: str, targets: Collection[str], now: datetime) -> list[EventMixin]:
        """Return some of an upload set's events that are due for these targets."""
        model, earlier = self._model, aliased(self._model)
        waits = exists().where(
            earlier.upload_id == model.upload_id,
            earlier.target == model.target,
            earlier.upload_set == model.upload_set,
            earlier.status == int(EventStatus.WAITING),
            earlier.id < model.id,
        )
        found = select(model).where(
            model.status == int(EventStatus.WAITING),
            model.due_on <= now,
            model.upload_set == upload_set,
            model.target.in_(targets),
            ~waits,
        )
        return self._all(found.order_by(model.due_on, model.id).limit(_BATCH))

    def lease(self, event: EventMixin, now: datetime) -> str | None:
        """Begin a try: take an event's lease; return its token, or None when another has it."""
        model, token = self._model, uuid.uuid4().hex
        due = update(model).where(
            model.id == event.id, model.status == int(EventStatus.WAITING), model.due_on <= now
        )
        taken = self._run(
            due.values(lease_token=token, due_on=now + LEASE, attempts=model.attempts + 1)
        )
        return token if taken else None

    def renew(self, event: EventMixin, token: str, now: datetime) -> bool:
        """Hold a lease for longer; return False when it is lost."""
        return bool(self._run(self._leased(event, token).values(due_on=now + LEASE)))

    def delivered(self, event: EventMixin, token: str, now: datetime) -> None:
        """End a try that has succeeded."""
        values = {"status": int(EventStatus.DELIVERED), "ended_on": now, "problem": None}
        self._run(self._leased(event, token).values(lease_token=None, **values))

    def failed(self, event: EventMixin, token: str, problem: str, *, due_on: datetime) -> None:
        """End a try that has failed, and have another one at a time."""
        values = {"due_on": due_on, "problem": storable(problem, MOST_SAID)}
        self._run(self._leased(event, token).values(lease_token=None, **values))

    def give_up(self, event: EventMixin, token: str, problem: str, now: datetime) -> None:
        """End the last try: the event is a dead letter."""
        values = {
            "status": int(EventStatus.DEAD),
            "ended_on": now,
            "problem": storable(problem, MOST_SAID),
        }
        self._run(self._leased(event, token).values(lease_token=None, **values))

    # Look after

    def of_upload(self, upload_id: str) -> list[EventMixin]:
        """Return what has happened to an upload, and who has been told, in order."""
        model = self._model
        return self._all(
            select(model).where(model.upload_id == upload_id).order_by(model.id, model.target)
        )

    def with_status(
        self, status: EventStatus, *, most: int, since: datetime | None = None
    ) -> list[EventMixin]:
        """Return events, the newest first.

        :param most: how many.
        :param since: only those that happened from then on.
        """
        model = self._model
        found = select(model).where(model.status == int(status))
        if since is not None:
            found = found.where(model.created_on >= since)
        return self._all(found.order_by(model.id.desc()).limit(most))

    def resend(self, event_ids: Sequence[str] | None, now: datetime) -> int:
        """Have events sent again from now on, with all tries; return how many rows that are.

        :param event_ids: of any that are not waiting; None for every dead letter.
        """
        model = self._model
        chosen = update(model).where(model.status != int(EventStatus.WAITING))
        if event_ids is None:
            chosen = chosen.where(model.status == int(EventStatus.DEAD))
        else:
            chosen = chosen.where(model.event_id.in_(event_ids))
        values = {"status": int(EventStatus.WAITING), "attempts": 0, "due_on": now}
        return self._run(chosen.values(ended_on=None, **values))

    def totals(self) -> list[EventTotal]:
        """Return what waits and what is dead, by upload set and target."""
        model = self._model
        statement = (
            select(
                model.upload_set,
                model.target,
                model.status,
                func.count(),
                func.min(model.created_on, type_=UTCDateTime),
            )
            .where(model.status != int(EventStatus.DELIVERED))
            .group_by(model.upload_set, model.target, model.status)
        )
        with self._bind().connect() as connection:
            return [
                EventTotal(upload_set, target, EventStatus(status), int(events), since)
                for upload_set, target, status, events, since in connection.execute(statement)
            ]

    def remove_old(self, upload_set: str, before: datetime) -> int:
        """Remove an upload set's events that were delivered or given up before a time."""
        model = self._model
        ended = delete(model).where(model.upload_set == upload_set, model.ended_on < before)
        return self._run(ended.where(model.status != int(EventStatus.WAITING)))

    def give_up_forgotten(self, upload_set: str, targets: Collection[str], now: datetime) -> int:
        """Make dead letters of events for targets that are no longer configured.

        :param targets: those that are.
        """
        model = self._model
        forgotten = update(model).where(
            model.upload_set == upload_set,
            model.status == int(EventStatus.WAITING),
            model.target.not_in(targets),
            # Until then another node may know it, which has another configuration for a while.
            model.created_on < now - timedelta(days=7),
        )
        problem = "no server has been configured to know this target for a week"
        return self._run(
            forgotten.values(status=int(EventStatus.DEAD), ended_on=now, problem=problem)
        )

    def _leased(self, event: EventMixin, token: str) -> Update:
        model = self._model
        return update(model).where(
            model.id == event.id,
            model.lease_token == token,
            model.status == int(EventStatus.WAITING),
        )

    def _all(self, statement: Select[Any]) -> list[EventMixin]:
        with Session(self._bind(), expire_on_commit=False) as session:
            return list(session.scalars(statement))

    def _run(self, statement: Update | Delete) -> int:
        with self._bind().begin() as connection:
            result: CursorResult[Any] = connection.execute(
                statement, execution_options={"synchronize_session": False}
            )
            return result.rowcount
