"""The clock that all hosts share: the store's, which dates each of its answers.

A host's own may be wrong by up to a quarter of an hour before the store refuses what it signs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime


class StoreClock:
    """The clock of one store, as heard from its answers."""

    def __init__(self) -> None:
        #: The store's time at the monotonic clock's zero.
        self._zero: float | None = None

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take the time from an answer's headers, if they tell it."""
        with suppress(KeyError, TypeError, ValueError):
            told = parsedate_to_datetime(headers["Date"]).timestamp()
            self._zero = told - time.monotonic()

    @property
    def now(self) -> float | None:
        """Seconds since 1970; None while the store has not answered."""
        return None if self._zero is None else self._zero + time.monotonic()
