"""The protocol over a bare socket: requests as bytes, so that they can be cut, stalled and broken.

:class:`Wire` is one connection that does nothing by itself; :class:`Client` speaks the protocol
over one kept-alive connection, for tests that need many good requests quickly. A request is built
by functions here (``form_chunk``, ``raw_chunk``, …) and has a head and a body, so that a test can
send exactly as much of it as it wants.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.support.protocol import md5_of

BOUNDARY = "----wire-boundary"


@dataclass(frozen=True)
class Request:
    """One HTTP request as it goes over the wire."""

    head: bytes
    body: bytes

    def __bytes__(self) -> bytes:
        return self.head + self.body


@dataclass(frozen=True)
class Reply:
    """One HTTP reply; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is not one."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def detail(self) -> str:
        """What an error says."""
        return str(self.json.get("detail", ""))

    @property
    def offset(self) -> int:
        """The offset that the answer tells."""
        return int(self.json["offset"])


class Wire:
    """One TCP connection to a server on 127.0.0.1.

    :param timeout: seconds after which a read fails; far above what any answer may take.
    """

    def __init__(self, port: int, *, timeout: float = 60) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def local_port(self) -> int:
        """This end's port, by which the server's end can be told."""
        port: int = self.socket.getsockname()[1]
        return port

    def send(self, data: bytes | Request) -> None:
        """Send bytes as they are."""
        self.socket.sendall(bytes(data))

    def try_send(self, data: bytes) -> None:
        """Send bytes to a server that may have hung up already."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def half_close(self) -> None:
        """Say that nothing more will come, and go on listening (FIN)."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Drop the connection as a crash of the client would (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Hang up. Idempotent."""
        self.socket.close()

    def reply(self, method: str = "POST") -> Reply:
        """Read the next reply.

        :param method: verb of the request it answers; a reply to HEAD has no body.
        :raises OSError: when the connection ends without one.
        """
        try:
            answer = http.client.HTTPResponse(self.socket, method=method)
            answer.begin()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers, answer.read())
        except http.client.HTTPException as error:
            raise ConnectionError(f"no reply: {error!r}") from error

    def wait_for_continue(self) -> None:
        """Read the answer to ``Expect: 100-continue``: a view has begun to read the body."""
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            byte = self.socket.recv(1)
            assert byte, said
            said += byte
        assert said.startswith(b"HTTP/1.1 100 "), said

    def ask(self, request: Request | bytes, method: str = "POST") -> Reply:
        """Send a request whole and read its reply."""
        self.send(request)
        return self.reply(method)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def request(
    method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Request:
    """Build a request with Content-Length (unless ``headers`` frame it otherwise)."""
    sent = {"Host": "127.0.0.1", **(headers or {})}
    framed = {name.lower() for name in sent} & {"content-length", "transfer-encoding"}
    if not framed and (body or method in ("POST", "PUT", "PATCH")):
        sent["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items()), "", ""]
    return Request("\r\n".join(lines).encode("utf-8", "surrogateescape"), body)


def content_range(start: int, size: int, total: int) -> str:
    """Write the Content-Range of ``size`` bytes at ``start``."""
    return f"bytes {start}-{start + size - 1}/{total}"


def form_chunk(
    data: bytes,
    start: int,
    total: int,
    *,
    upload_id: str | None = None,
    filename: str = "file.bin",
    headers: Mapping[str, str] | None = None,
) -> Request:
    """Build a chunk as a form, the ``upload_id`` before the file."""
    parts = []
    if upload_id is not None:
        parts.append(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n'
            f"{upload_id}\r\n".encode()
        )
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
    )
    body = b"".join(parts) + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    sent = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Range": content_range(start, len(data), total),
        **(headers or {}),
    }
    return request("POST", "/uploads/", body, sent)


def raw_chunk(
    data: bytes, start: int, total: int, *, upload_id: str | None = None, method: str = "PUT"
) -> Request:
    """Build a chunk as a bare body; without ``upload_id`` it creates."""
    sent = {
        "Content-Type": "application/octet-stream",
        "Content-Range": content_range(start, len(data), total),
    }
    if upload_id is None:
        return request("POST", "/uploads/", data, sent)
    return request(method, f"/uploads/{upload_id}", data, sent)


def completion(upload_id: str, md5: str) -> Request:
    """Build a completion as a form."""
    body = f"upload_id={upload_id}&md5={md5}".encode()
    return request(
        "POST", "/uploads/complete", body, {"Content-Type": "application/x-www-form-urlencoded"}
    )


class Client:
    """The protocol's requests over one kept-alive connection, opened again when it broke."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._wire: Wire | None = None

    def ask(self, asked: Request, method: str = "POST") -> Reply:
        """Send a request and return its reply.

        A connection that the server has closed meanwhile is opened again, once; a request is
        never repeated on a connection that has carried it alone.
        """
        if self._wire is not None:
            try:
                return self._ask(asked, method)
            except OSError:
                self.close()
        return self._ask(asked, method)

    def _ask(self, asked: Request, method: str) -> Reply:
        if self._wire is None:
            self._wire = Wire(self.port)
        try:
            reply = self._wire.ask(asked, method)
        except OSError:
            self.close()
            raise
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def connection(self) -> Wire:
        """Return the connection, opening it."""
        self._wire = self._wire or Wire(self.port)
        return self._wire

    def chunk(
        self, data: bytes, start: int, total: int, upload_id: str | None = None, **options: Any
    ) -> Reply:
        """Post a chunk as a form."""
        return self.ask(form_chunk(data, start, total, upload_id=upload_id, **options))

    def put(self, upload_id: str, data: bytes, start: int, total: int) -> Reply:
        """Put a raw chunk."""
        return self.ask(raw_chunk(data, start, total, upload_id=upload_id))

    def create(self, data: bytes, total: int, **options: Any) -> str:
        """Post a first chunk; returns the upload's id."""
        reply = self.chunk(data, 0, total, **options)
        assert reply.status == 200, reply
        return str(reply.json["upload_id"])

    def complete(self, upload_id: str, data_or_md5: bytes | str) -> Reply:
        """Complete with an MD5, or with the MD5 of data."""
        md5 = data_or_md5 if isinstance(data_or_md5, str) else md5_of(data_or_md5)
        return self.ask(completion(upload_id, md5))

    def state(self, upload_id: str) -> Reply:
        """Get where an upload stands."""
        return self.ask(request("GET", f"/uploads/{upload_id}"), "GET")

    def offset(self, upload_id: str) -> int:
        """Get the offset of an upload."""
        return self.state(upload_id).offset

    def delete(self, upload_id: str) -> Reply:
        """Abort an upload, or delete its file."""
        return self.ask(request("DELETE", f"/uploads/{upload_id}"), "DELETE")

    def download(self, upload_id: str) -> Reply:
        """Get the finished file."""
        return self.ask(request("GET", f"/uploads/{upload_id}/file"), "GET")

    def close(self) -> None:
        """Hang up. Idempotent."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
