"""Bodies of clients that ask first (``Expect: 100-continue``, RFC 9110 10.1.1)."""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.http.body import Body


class AskingBody(Body):  # type: ignore[misc]
    """The body of a client that waits to be told to go on."""

    def __init__(self, req: Any, connection: socket.socket) -> None:
        super().__init__(req.body.reader)
        #: Whether it still waits.
        self.asking = getattr(req.body.reader, "length", None) != 0
        self._req = req
        self._connection = connection
        self._answered = False
        self._closes = req.must_close
        req.must_close = self._closes or self.asking

    def announce(self) -> bool:
        """Have the client go on; return False when it has had its answer instead."""
        if self.asking and not self._answered:
            self.asking, self._req.must_close = False, self._closes
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return not self.asking

    def answered(self) -> None:
        """Say that the answer goes out: a client that still waits will send nothing."""
        self._answered = True

    def _read_reader(self, size: int) -> bytes:
        data: bytes = super()._read_reader(size) if self.announce() else b""
        return data
