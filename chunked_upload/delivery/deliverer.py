"""Delivers the events of one upload set: what is due, one after another, each under a lease.

Any number of processes and nodes may do so at once. An event is told at least once: a process may
die after it has told a target and before it has recorded that.

A target that fails is left alone for a while by this process, so that one that hangs takes little
of the time that the others need.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from chunked_upload.engine.engine import UploadEngine
from chunked_upload.logs import storable
from chunked_upload.records.event_queue import LEASE, EventQueue
from chunked_upload.records.events import MOST_SAID, EventMixin
from chunked_upload.records.failures import DatabaseProblem
from chunked_upload.support.measuring import Figure, measured

from .retries import MOST_TRIES, delay_after
from .targets import DeliveryFailed, tell

logger = logging.getLogger(__name__)

#: Failures in a row after which a target rests.
_FAILURES = 2

#: Seconds for which it rests: doubled with each further failure, up to the most.
_REST, _MOST_REST = 1.0, 60.0


@dataclass
class Delivered:
    """How many events were told, will be tried again, and were given up."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0


class Deliverer:
    """Delivers the events of one upload set.

    :param now: returns the time; by default the database's.
    """

    def __init__(self, engine: UploadEngine, *, now: Callable[[], datetime] | None = None) -> None:
        outbox = engine.records.outbox
        if outbox is None:
            raise ValueError("this upload set has neither webhooks nor listeners")
        self._settings = engine.settings
        self._upload_set = outbox.upload_set
        self._queue = EventQueue(outbox)
        self._now = now or outbox.now
        self._resting: dict[str, _Rest] = {}

    def deliver(self, stopped: Callable[[], bool] = lambda: False) -> Delivered:
        """Tell all that is due now, and return what became of it.

        :param stopped: asked before each event.
        """
        done = Delivered()
        while events := self._due():
            for event in events:
                if stopped():
                    return done
                self._deliver(event, done)
        return done

    def clean(self) -> int:
        """Remove what has been kept long enough; give up what nobody is left to be told of."""
        now = self._now()
        self._queue.give_up_forgotten(self._upload_set, self._settings.event_targets, now)
        return self._queue.remove_old(self._upload_set, now - self._settings.event_retention)

    def _due(self) -> list[EventMixin]:
        awake = [name for name in self._settings.event_targets if self._is_awake(name)]
        return self._queue.due(self._upload_set, awake, self._now()) if awake else []

    def _is_awake(self, target: str) -> bool:
        return target not in self._resting or time.monotonic() >= self._resting[target].until

    def _deliver(self, event: EventMixin, done: Delivered) -> None:
        if not self._is_awake(event.target):
            return
        token = self._queue.lease(event, self._now())
        if token is None:
            return
        if event.attempts >= MOST_TRIES:
            self._give_up(event, token, "the process has died in the last try", done)
            return
        try:
            with self._renewing(event, token):
                tell(self._settings, event)
        except DeliveryFailed as error:
            self._failed(event, token, storable(str(error), MOST_SAID), done)
        else:
            self._queue.delivered(event, token, self._now())
            self._resting.pop(event.target, None)
            measured(Figure.EVENTS_DELIVERED)
            done.delivered += 1

    def _failed(self, event: EventMixin, token: str, problem: str, done: Delivered) -> None:
        tries = event.attempts + 1
        delay = delay_after(tries)
        self._resting.setdefault(event.target, _Rest()).again()
        logger.warning(
            "event %s (%s of upload %s) was not taken by %r, try %d of %d: %s",
            event.event_id,
            event.kind,
            event.upload_id,
            event.target,
            tries,
            MOST_TRIES,
            problem,
        )
        if delay is None:
            self._give_up(event, token, problem, done)
        else:
            self._queue.failed(event, token, problem, due_on=self._now() + delay)
            measured(Figure.EVENTS_FAILED)
            done.failed += 1

    def _give_up(self, event: EventMixin, token: str, problem: str, done: Delivered) -> None:
        self._queue.give_up(event, token, problem, self._now())
        measured(Figure.EVENTS_DEAD)
        done.dead += 1

    @contextmanager
    def _renewing(self, event: EventMixin, token: str) -> Iterator[None]:
        """Hold the lease for as long as the target takes."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(LEASE.total_seconds() / 3):
                try:
                    self._queue.renew(event, token, self._now())
                except DatabaseProblem:
                    logger.exception("the lease of event %s was not renewed", event.event_id)

        thread = threading.Thread(target=renew, name="event-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


class _Rest:
    """For how long a target is left alone."""

    def __init__(self) -> None:
        self.until = 0.0
        self._failures = 0

    def again(self) -> None:
        """Note one more failure in a row."""
        self._failures += 1
        if self._failures > _FAILURES:
            seconds = min(_REST * 2.0 ** (self._failures - _FAILURES - 1), _MOST_REST)
            self.until = time.monotonic() + seconds
