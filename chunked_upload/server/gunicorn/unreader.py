"""Reads of gunicorn's own that let other requests pass while they wait.

gunicorn reads heads, and bodies for apps that do not read from the connection themselves. Mostly
the bytes are there. Where they are not, the thread waits for a client, and must not hold up those
at the turnstile: a head that is sent byte by byte would cost every other request its patience.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from gunicorn.http.unreader import SocketUnreader

from .request_gate import stepping_out


class PassingUnreader(SocketUnreader):  # type: ignore[misc]
    """gunicorn's reader of a plain connection, stepping aside when nothing has come yet."""

    @classmethod
    def replace(cls, connection: Any) -> None:
        """Let a new connection (gunicorn's ``TConn``) be read by one of these, but for TLS."""
        there = getattr(connection.parser, "unreader", None)
        if type(there) is SocketUnreader and type(connection.sock) is socket.socket:
            there.__class__ = cls

    def chunk(self, size_hint: int | None = None) -> bytes:
        size = max(self.mxchunk, min(size_hint or 0, self.max_body_chunk))
        if self.sock.gettimeout() is None:  # with one, Python waits whatever the flags say
            with suppress(BlockingIOError):
                there: bytes = self.sock.recv(size, socket.MSG_DONTWAIT)
                return there
        with stepping_out():
            data: bytes = super().chunk(size_hint)
        return data
