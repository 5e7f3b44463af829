"""Sends a buffer's bytes to the store while they arrive, if they come quickly.

Of a slow client the store would hold a connection for as long, and gain little: what takes time
then is the client.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .buffer import Buffer
from .stream import Stream

#: Bytes that tell how quickly they come.
_ENOUGH = 512 * 1024

#: Bytes a second from which on sending them ahead is worth a connection.
_QUICK = 16 * 1024 * 1024


class Ahead:
    """Sends one buffer ahead.

    :param open_stream: opens the stream; None for a buffer that must wait until it is whole.
    """

    def __init__(self, open_stream: Callable[[Buffer], Stream | None]) -> None:
        self._open_stream = open_stream
        self._began = time.monotonic()
        self._decided = False
        self._stream: Stream | None = None

    def add(self, buffer: Buffer, data: memoryview) -> None:
        """Send bytes that have just been added to the buffer."""
        if self._stream is not None:
            self._stream.send(data)
        elif not self._decided and buffer.size >= _ENOUGH:
            self._decided = True
            if buffer.size >= _QUICK * (time.monotonic() - self._began):
                self._start(buffer)

    def stream(self, buffer: Buffer) -> Stream | None:
        """Return the stream if it has got all of its bytes, else break it off."""
        if self._stream is not None and self._stream.size == buffer.size:
            return self._stream
        self.stop()
        return None

    def stop(self) -> None:
        """Break off what is being sent. Idempotent."""
        if self._stream is not None:
            self._stream.abort()
            self._stream = None

    def _start(self, buffer: Buffer) -> None:
        self._stream = self._open_stream(buffer)
        if self._stream is not None:
            for data in buffer.read():
                self._stream.send(data)
