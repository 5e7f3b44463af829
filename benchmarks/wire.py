"""HTTP/1.1 as the load generator speaks it: one blocking keep-alive connection, no library.

A request is a head and pieces of memory, handed to the kernel in one ``sendmsg``, so that a chunk
of 8 MiB costs the client one system call and no copy of its own. Replies are parsed just far enough
to find their end. Time limits are the kernel's (SO_SNDTIMEO, SO_RCVTIMEO): Python's own would make
the socket non-blocking and every send a loop.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW0"

_READ_SIZE = 1024 * 1024

#: Pieces per ``sendmsg``: Linux takes at most 1,024 (IOV_MAX).
_MAX_PIECES = 1024

Piece = bytes | memoryview


class LoadError(Exception):
    """A server did not answer as its protocol says; the measurement is void."""


@dataclass(frozen=True)
class Reply:
    """A reply; header names in lower case.

    :param length: bytes of the body, which is kept only when asked for.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    length: int

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Wire:
    """A connection to ``127.0.0.1:port``, opened again when the server has closed it.

    :param timeout: seconds that one send or read may take.
    """

    def __init__(self, port: int, *, timeout: int = 300) -> None:
        self.port = port
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def ask(self, head: bytes, pieces: Iterable[Piece] = (), *, keep_body: bool = True) -> Reply:
        """Send a request and read its reply.

        :raises LoadError: when the connection breaks, or the reply is no HTTP.
        """
        try:
            connection = self.connection()
            send_all(connection, [head, *pieces])
        except OSError as error:
            self.close()
            raise LoadError(f"the server hung up while a request was sent: {error}") from error
        return self.reply(keep_body=keep_body, bodiless=head.startswith(b"HEAD "))

    def reply(self, *, keep_body: bool = True, bodiless: bool = False) -> Reply:
        """Read the reply to what was sent over :meth:`connection`.

        :param bodiless: it answers a HEAD.
        """
        try:
            return self._reply(self.connection(), keep_body, bodiless=bodiless)
        except OSError as error:
            self.close()
            raise LoadError(f"no reply: {error}") from error

    def connection(self) -> socket.socket:
        """Return the open connection."""
        return self._socket or self.connect()

    def connect(self) -> socket.socket:
        """Open the connection."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        limit = struct.pack("ll", self._timeout, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self._socket = connection
        return connection

    def close(self) -> None:
        """Hang up. Idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _reply(self, connection: socket.socket, keep_body: bool, *, bodiless: bool) -> Reply:
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            more = connection.recv(65536)
            if not more:
                self.close()
                raise LoadError(f"the server hung up instead of replying; it sent {got[:200]!r}")
            got += more
        status, headers = parse_head(got[:end])
        if 100 <= status < 200:  # an interim reply (100 Continue) has no body
            raise LoadError(f"an interim reply that nobody asked for: {status}")
        body, length = b"", 0
        if not bodiless and status != 204:
            body, length = self._body(connection, headers, got[end + 4 :], keep_body)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, headers, body, length)

    def _body(
        self, connection: socket.socket, headers: Mapping[str, str], rest: bytes, keep_body: bool
    ) -> tuple[bytes, int]:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = _unchunk(connection, rest)
            return body, len(body)
        if "content-length" in headers:
            return _read_exactly(connection, rest, int(headers["content-length"]), keep_body)
        body = rest
        while more := connection.recv(65536):  # until the server closes
            body += more
        self.close()
        return body, len(body)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Split a reply's head into status and headers, names in lower case.

    :raises LoadError: when it is not HTTP.
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, said = first.partition(" ")
    if not version.startswith("HTTP/1.") or not said[:3].isdigit():
        raise LoadError(f"not an HTTP reply: {first!r}")
    pairs = (line.partition(":") for line in lines)
    return int(said[:3]), {name.lower(): value.strip() for name, _, value in pairs}


def send_all(connection: socket.socket, pieces: list[Piece]) -> None:
    """Send all pieces; as few system calls as the kernel allows."""
    while pieces:
        sent = connection.sendmsg(pieces[:_MAX_PIECES])
        while pieces and sent >= len(pieces[0]):
            sent -= len(pieces[0])
            del pieces[0]
        if sent:
            pieces[0] = memoryview(pieces[0])[sent:]


def head(method: str, target: str, headers: Mapping[str, object]) -> bytes:
    """Build a request's head."""
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def multipart(fields: Mapping[str, str], file_field: str) -> tuple[bytes, bytes]:
    """Build what stands before and after a file's bytes in a form, fields first as browsers do."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{file_field}"; filename="big.bin"'
        "\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode(), f"\r\n--{BOUNDARY}--\r\n".encode()


def form_type() -> str:
    """Return the Content-Type of :func:`multipart`'s forms."""
    return f"multipart/form-data; boundary={BOUNDARY}"


def expect(reply: Reply, *statuses: int) -> Reply:
    """Return the reply if it has one of these statuses.

    :raises LoadError: otherwise, with what the server said.
    """
    if reply.status not in statuses:
        wanted = " or ".join(map(str, statuses))
        raise LoadError(f"expected {wanted}, got {reply.status}: {reply.body[:300]!r}")
    return reply


def _read_exactly(
    connection: socket.socket, begun: bytes, length: int, keep: bool
) -> tuple[bytes, int]:
    if len(begun) >= length:
        return begun[:length], length
    kept = [begun]
    left = length - len(begun)
    buffer = bytearray(min(left, _READ_SIZE))
    while left:
        count = connection.recv_into(buffer, min(left, len(buffer)))
        if not count:
            raise LoadError(f"the reply broke off, {left} bytes are missing")
        if keep:
            kept.append(bytes(buffer[:count]))
        left -= count
    return b"".join(kept) if keep else b"", length


def _unchunk(connection: socket.socket, got: bytes) -> bytes:
    """Read a body with ``Transfer-Encoding: chunked`` (RFC 9112, 7.1), which small replies are."""
    while not (got.endswith(b"0\r\n\r\n")):
        more = connection.recv(65536)
        if not more:
            raise LoadError("the reply broke off")
        got += more
    body = []
    while got:
        size, _, got = got.partition(b"\r\n")
        count = int(size.partition(b";")[0], 16)
        body.append(got[:count])
        got = got[count + 2 :]
    return b"".join(body)
