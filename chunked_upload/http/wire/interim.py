"""Interim responses (RFC 9110 15.2): what a client is told before the answer, while it still sends.

WSGI has no way to send them, so they go over the socket, where the server gives the app one. They
are advice: what cannot be sent at once is left out, and the request goes on as it would without.
"""

from __future__ import annotations

import re
import select
from collections.abc import Mapping
from typing import Any

from .client_socket import client_socket

#: RFC 9110 5.6.2 and 5.5: names of headers, and values without anything that could end a line.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def send_interim(
    environ: Mapping[str, Any], status: int, reason: str, headers: Mapping[str, str]
) -> bool:
    """Send an interim response now; call it before the answer starts.

    :param environ: the WSGI environment of the request.
    :param status: 102 to 199. 100 is the server's, which sends it when the body is read.
    :returns: whether it was sent. Not to HTTP/1.0 (RFC 9110 15.2), not without a socket, not to a
        client that has left or reads nothing, and not with a header that no response may have.
    """
    connection = client_socket(environ)
    if connection is None or environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        return False
    lines = _lines(status, reason, headers)
    return lines is not None and _send(connection, lines)


def _lines(status: int, reason: str, headers: Mapping[str, str]) -> bytes | None:
    if not all(_NAME.fullmatch(name) for name in headers):
        return None
    if not all(_VALUE.fullmatch(value) for value in (reason, *headers.values())):
        return None
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {reason}\r\n{fields}\r\n".encode("latin-1")


def _send(connection: Any, data: bytes) -> bool:
    try:
        # A client that reads nothing must not hold up its own upload.
        if not _takes_more(connection):
            return False
        connection.sendall(data)
    except (OSError, ValueError):  # the client has left, which reading its body will tell
        return False
    return True


def _takes_more(connection: Any) -> bool:
    look = select.poll()
    look.register(connection, select.POLLOUT)
    return any(events == select.POLLOUT for _, events in look.poll(0))
