"""The request body that the bundled server gives to the app as ``wsgi.input``.

gunicorn copies a body through buffers of its own before an app gets it, which costs as much as
writing it to disk. Here only what gunicorn has read ahead is taken from them; the rest is received
from the connection into the very buffer that is written and hashed. gunicorn's count of what is
left is kept, so that it is known where the next request begins. A body with a transfer coding is
read by gunicorn.

A client that asks first (``Expect: 100-continue``, RFC 9110 10.1.1) is told to continue when the
body is read, not before: a chunk that is refused is never sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.errors import ParseException

from .connection import Connection


class ConnectionBody(Body):  # type: ignore[misc]
    """The body of one request.

    :param request: gunicorn's request, whose own body this one replaces.
    :param asks: whether the client waits to be told to continue.
    """

    def __init__(self, request: Any, connection: Connection, *, asks: bool) -> None:
        super().__init__(request.body.reader)
        self._request = request
        self._connection = connection
        #: Whether the client still waits.
        self.asking = asks and getattr(self.reader, "length", None) != 0
        self._answered = False
        self._closes = request.must_close
        request.must_close = self._closes or self.asking
        self._has_length = type(self.reader) is LengthReader
        self._has_ended = False

    def read(self, size: int | None = None) -> bytes:
        """Return up to ``size`` bytes after waiting for them; none at the end of the body.

        :raises OSError: when the connection or the transfer coding breaks.
        """
        if size is None or size < 0 or not self._has_length:
            return self._by_gunicorn(super().read, size)
        return self._read_counted(size, self._receive_whole)

    def read1(self, size: int = 64 * 1024) -> bytes:
        """Return up to ``size`` bytes that have arrived, after waiting for some; none at the end.

        :raises OSError: when the connection or the transfer coding breaks.
        """
        if not self._has_length:
            return self._by_gunicorn(self._read_piece, size)
        return self._read_counted(size, self._receive_arrived)

    def trailers(self) -> list[tuple[str, str]]:
        """Return the trailer fields of a body with a transfer coding that has been read.

        gunicorn holds their number and size to the limits of headers, and refuses those that would
        change how the request is read.
        """
        fields: list[tuple[str, str]] = self._request.trailers
        return fields

    def answered(self) -> None:
        """Note that the answer goes out: a client that still waits will send nothing."""
        self._answered = True

    @property
    def unread(self) -> int | None:
        """How many bytes the app has not read; None when that is unknown."""
        if self.failed or self.asking:
            return None
        if self._has_length:
            left: int = self.reader.length
            return left
        return 0 if self._has_ended else None

    def _announce(self) -> bool:
        """Tell the client to continue; return False when it has had its answer instead."""
        if self.asking and not self._answered:
            self.asking, self._request.must_close = False, self._closes
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return not self.asking

    def _read_counted(self, size: int, receive: Callable[[int, bytes], bytes]) -> bytes:
        if not self._announce():
            return b""
        if left := self.buf.tell():  # somebody has read a line, say
            return self._by_gunicorn(super().read, min(size, left))
        size = min(size, self.reader.length)
        held = self.reader.unreader.buf.seek(0, os.SEEK_END)
        # Not by the method of Body, which would read on to have a whole kilobyte.
        ahead: bytes = self.reader.read(min(size, held)) if held else b""
        size -= len(ahead)
        if not size:
            return ahead
        try:
            data = receive(size, ahead)
        except OSError:
            self.failed = True
            raise
        self.reader.length -= len(data)
        return ahead + data if ahead else data

    def _receive_whole(self, size: int, _: bytes) -> bytes:
        return self._connection.receive(size, whole=True)

    def _receive_arrived(self, size: int, ahead: bytes) -> bytes:
        return self._connection.receive_arrived(size, waits=not ahead)

    def _by_gunicorn(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        try:
            data = read(size)
        except ParseException as error:  # what gunicorn raises for a broken transfer coding
            raise OSError(str(error)) from error
        self._has_ended = not data
        return data

    def _read_piece(self, size: int | None) -> bytes:
        """Return what one chunk of the transfer coding has, as far as it has arrived.

        gunicorn's reader waits until it has as many bytes as it is asked for. Asked for one, it
        keeps those that came with it, and gives them at once.
        """
        if self.buf.tell():  # somebody has read a line, say
            return super().read(min(size or 0, self.buf.tell()))  # type: ignore[no-any-return]
        first: bytes = self._read_reader(1)
        held = self.reader.buf.tell()
        return first + self._read_reader(min(size or held, held)) if held else first

    def _read_reader(self, size: int) -> bytes:
        data: bytes = super()._read_reader(size) if self._announce() else b""
        return data
