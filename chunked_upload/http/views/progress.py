"""Records what has arrived of a long request before its end, so that a crash costs little of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from chunked_upload.engine.chunk import Chunk
from chunked_upload.records.repository import Record

#: Progress is recorded after so many bytes or seconds. More often costs throughput.
_BYTES, _SECONDS = 32 * 1024 * 1024, 1.0


class Progress:
    """A request's progress.

    :param then: called with the record each time.
    """

    def __init__(self, chunk: Chunk, then: Callable[[Record], None]) -> None:
        self._chunk = chunk
        self._then = then
        self._size, self._time = 0, time.monotonic()

    def record(self) -> None:
        """Record what has arrived, if it is time to."""
        chunk, now = self._chunk, time.monotonic()
        if chunk.received - self._size >= _BYTES or now - self._time >= _SECONDS:
            chunk.commit_progress()
            self._then(chunk.record)
            self._size, self._time = chunk.received, time.monotonic()
