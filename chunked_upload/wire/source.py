"""Where the bytes of a body are read from: the server's stream or, under gunicorn, the connection.

gunicorn copies a body through buffers of its own before an app gets it, which costs as much as
writing it to disk. It hands the connection to the app too (``gunicorn.socket``). So of a body of
known length only what gunicorn has read ahead is taken from its stream; the rest is received into
the buffer that is written and hashed. gunicorn's count of what is left is kept, so that it knows
where the next request begins. For any other server, connection (TLS) or stream (a middleware's, a
chunked body's) it is the stream that is read.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from ..turnstile import aside

#: What is there already of so many bytes is taken without stepping aside for it.
_SMALL = 128 * 1024


class Source(Protocol):
    """What a request's body is read from."""

    def read(self, size: int) -> bytes:
        """Return up to so many bytes, after waiting for them; none at the end of input.

        :raises OSError: when the connection breaks.
        """


def source_of(environ: Mapping[str, Any]) -> Source:
    """Return what to read the body of a request from."""
    stream = environ["wsgi.input"]
    connection = environ.get("gunicorn.socket")
    server = sys.modules.get("gunicorn.http.body")
    # Exactly: a TLS connection, or one of gevent's, has to be read in its own way.
    if server is None or type(connection) is not socket.socket:
        return _Stream(stream)
    if not isinstance(stream, server.Body):
        return _Stream(stream)
    if type(stream.reader) is server.LengthReader:
        return _Connection(stream, connection)
    # A transfer coding, whose errors are no OSErrors.
    return _Stream(stream, sys.modules["gunicorn.http.errors"].ParseException)


class _Stream:
    """The server's stream.

    :param error: what else it raises for a body that is broken.
    """

    def __init__(self, stream: Any, error: type[Exception] = EOFError) -> None:
        self._stream = stream
        self._error = error

    def read(self, size: int) -> bytes:
        try:
            with aside():
                data: bytes = self._stream.read(size)
        except self._error as error:
            raise OSError(str(error)) from error
        return data


class _Connection:
    """The connection, behind what gunicorn has read of the body already."""

    def __init__(self, stream: Any, connection: socket.socket) -> None:
        self._stream = stream
        self._connection = connection

    def read(self, size: int) -> bytes:
        stream, reader = self._stream, self._stream.reader
        announce = getattr(stream, "announce", None)
        if announce is not None and not announce():
            return b""
        left: int = stream.buf.tell()  # by somebody who read a line, say
        if left:
            data: bytes = stream.read(min(size, left))
            return data
        size = min(size, reader.length)
        held = reader.unreader.buf.seek(0, os.SEEK_END)
        # Not by the stream, which would read on to have a whole kilobyte.
        ahead: bytes = reader.read(min(size, held)) if held else b""
        size -= len(ahead)
        if not size:
            return ahead
        data = self._receive(size)
        reader.length -= len(data)
        return ahead + data if ahead else data

    def _receive(self, size: int) -> bytes:
        there = b""
        if size <= _SMALL:
            with suppress(BlockingIOError):
                there = self._connection.recv(size, socket.MSG_DONTWAIT)
                if not there or len(there) == size:
                    return there
        with aside():
            data = self._connection.recv(size - len(there), socket.MSG_WAITALL)
        return there + data if there else data
