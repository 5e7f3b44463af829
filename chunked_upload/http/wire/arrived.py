"""Read what has arrived of a body, without waiting for a full buffer.

The prefix that arrived of a broken or stalled request counts in the offset dialects, so its bytes
must not be held back until a buffer is full. The bundled server and Werkzeug's have ``read1()``.
gunicorn's ``read(n)`` returns at n bytes or at the end, but its socket tells how many bytes wait
there. Of other servers, little is asked at a time while a client is slow.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import Callable, Mapping
from typing import Any

from .client_socket import client_socket

#: Asked of a server that may hold back what has come, or drop it when the body breaks: of a slow
#: client, and at most. gunicorn never asks for less itself.
LITTLE, MUCH = 1024, 64 * 1024

Read = Callable[[int], bytes]


def prompt_read(environ: Mapping[str, Any], stream: Any, *, is_plain: bool) -> Read | None:
    """Return a function that reads up to so many bytes after waiting for some.

    :param stream: the body.
    :param is_plain: whether its bytes are those on the wire: it has no transfer coding.
    :returns: None when the stream has only ``read()``, which may hold bytes back.
    """
    if hasattr(stream, "read1"):
        read: Read = stream.read1
        return read
    connection = client_socket(environ)
    if is_plain and type(connection) is socket.socket:  # of TLS, other bytes wait in the socket
        return lambda size: stream.read(min(size, max(LITTLE, _waiting_in(connection))))
    return None


def _waiting_in(connection: socket.socket) -> int:
    """Return how many bytes can be received from a socket without waiting."""
    try:
        told = fcntl.ioctl(connection, termios.FIONREAD, bytes(4))
    except OSError:  # closed meanwhile, which reading will tell
        return 0
    count: int = struct.unpack("i", told)[0]
    return count
