"""Posts to a configured address, and trusts nothing about it.

The standard library's ``http.client``, since the clients above it (urllib3, httpx) bound each wait
but not the whole request, follow what the environment says of proxies, and connect to whatever a
name means at that moment. Here one deadline holds for all of it, also for a target that sends a
byte a second; what is read has a bound, also the head; and the connection goes to the address that
was checked. No redirect is followed, and no connection is used twice.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .addresses import resolve

#: Bytes that are read of an answer, with its head.
_MOST_READ = 32 * 1024

#: Bytes of its body that are returned.
_MOST_KEPT = 8 * 1024


class WebhookFailed(Exception):
    """No answer, or none that can be read; the text says why and names no secret."""


@dataclass(frozen=True)
class Answer:
    """What a target said.

    :param body: its beginning.
    """

    status: int
    body: bytes


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    networks: Sequence[str],
    seconds: float,
) -> Answer:
    """Post JSON, and return the answer, whatever its status.

    :param networks: private ones in which the address may be.
    :param seconds: for all of it.
    :raises WebhookFailed:
    """
    deadline = time.monotonic() + seconds
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    host = parts.hostname or ""
    try:
        addresses = resolve(host, port, networks=networks, seconds=seconds)
        with (
            _connect(addresses, port, deadline) as plain,
            _secured(plain, host, deadline) if secure else plain as connection,
        ):
            return _exchange(connection, parts.netloc, _path(parts), body, headers, deadline)
    except TimeoutError as error:
        raise WebhookFailed(f"no answer within {seconds:g} seconds") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise WebhookFailed(f"{type(error).__name__}: {error}"[:300]) from error


def _path(parts: Any) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _left(deadline: float) -> float:
    """Return the seconds that are left.

    :raises TimeoutError: when there are none.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    failure: OSError = OSError("the name has no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=_left(deadline))
        except TimeoutError:
            raise
        except OSError as error:
            failure = error
    raise failure


def _secured(plain: socket.socket, host: str, deadline: float) -> ssl.SSLSocket:
    plain.settimeout(_left(deadline))
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _exchange(
    connection: socket.socket,
    host: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    deadline: float,
) -> Answer:
    connection.settimeout(_left(deadline))
    head = {
        "Host": host,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": "chunked-upload",
        "Connection": "close",
        **headers,
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
    answer = http.client.HTTPResponse(_Source(connection, deadline), method="POST")  # type: ignore[arg-type]
    with answer:
        answer.begin()
        return Answer(answer.status, _beginning(answer))


def _beginning(answer: http.client.HTTPResponse) -> bytes:
    """Return the beginning of an answer's body; a body that breaks off is as good as a short one.

    What a target has said is known once its head has come.
    """
    kept = b""
    try:
        while len(kept) < _MOST_KEPT and (more := answer.read1(_MOST_KEPT - len(kept))):
            kept += more
    except (OSError, http.client.HTTPException):
        pass
    return kept


class _Source(io.RawIOBase):
    """What a connection sends, until the deadline, and not more than the bound."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._left = _MOST_READ

    def makefile(self, *_: Any) -> io.BufferedReader:
        """Return the reader that ``HTTPResponse`` asks its socket for."""
        return io.BufferedReader(self, 4096)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise OSError("the answer is too long")
        self._connection.settimeout(_left(self._deadline))
        read = self._connection.recv_into(buffer, min(len(buffer), self._left))
        self._left -= read
        return read
