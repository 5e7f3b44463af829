"""The clock that all hosts share: the database's.

When an upload expires is written by one host and judged by others, whose own clocks may be wrong. A
process asks the database for the time once a minute, and counts on from there by its monotonic
clock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from chunked_upload.support.clock import utcnow

logger = logging.getLogger(__name__)

#: Seconds for which an answer counts.
_ASKED_EVERY = 60.0

#: Seconds until a database that has not answered is asked again.
_ASKED_AGAIN = 5.0

#: A difference that is worth a line in the log. Signed requests to a store fail from 15 minutes on.
_NOTABLE = timedelta(minutes=5)


class DatabaseClock:
    """The clock of one database.

    :param connect: returns its SQLAlchemy engine.
    :param ask: asks it for the seconds since 1970.
    """

    def __init__(self, connect: Callable[[], Engine], ask: Callable[[], float]) -> None:
        self._connect = connect
        self._ask_database = ask
        self._lock = threading.Lock()
        #: When to ask next, by the monotonic clock.
        self._due = 0.0
        #: The database's time at the monotonic clock's zero.
        self._zero: datetime | None = None

    def now(self) -> datetime:
        """Return the time, aware and in UTC.

        If the database has never answered, it is this host's: the caller's own statement says what
        is wrong with the database.
        """
        if self._connect().dialect.name == "sqlite":
            return utcnow()  # the same clock
        # While one request asks, the others need not wait, unless nothing is known yet.
        if self._is_due() and self._lock.acquire(blocking=self._zero is None):
            try:
                if self._is_due():
                    self._ask()
            finally:
                self._lock.release()
        zero = self._zero
        return utcnow() if zero is None else zero + timedelta(seconds=time.monotonic())

    def _is_due(self) -> bool:
        return time.monotonic() >= self._due

    def _ask(self) -> None:
        before = time.monotonic()
        try:
            seconds = self._ask_database()
        except SQLAlchemyError:
            # From now on: asking may have taken long, and others have waited for it.
            self._due = time.monotonic() + _ASKED_AGAIN
            return
        first, after = self._zero is None, time.monotonic()
        self._due = after + _ASKED_EVERY
        told = datetime.fromtimestamp(seconds, UTC)
        self._zero = told - timedelta(seconds=(before + after) / 2)
        if first and abs(ahead := utcnow() - told) > _NOTABLE:
            logger.warning(
                "this host's clock is %d seconds %s the database's, which counts",
                abs(ahead).total_seconds(),
                "ahead of" if ahead > timedelta(0) else "behind",
            )
