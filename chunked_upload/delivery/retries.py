"""When an event is tried again: Standard Webhooks' schedule, over three days, with jitter."""

from __future__ import annotations

import random
from datetime import timedelta

_SECOND, _MINUTE, _HOUR = (timedelta(seconds=seconds) for seconds in (1, 60, 3600))

#: How long to wait after each failed try.
DELAYS = (
    5 * _SECOND,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)

#: Tries until an event is given up.
MOST_TRIES = len(DELAYS) + 1

#: By which share a delay is longer or shorter, so that many events do not come back at one moment.
_JITTER = 0.2


def delay_after(tries: int) -> timedelta | None:
    """Return how long to wait after so many tries have failed; None to give up."""
    if tries >= MOST_TRIES:
        return None
    return DELAYS[tries - 1] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
