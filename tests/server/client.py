"""A plain HTTP client for a real server, and raw connections for what no client would send."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from tests.support.server import Server

BOUNDARY = "----------------boundary"


class Listening(Protocol):
    """A server, or what stands before it, on a port of 127.0.0.1."""

    port: int


@dataclass(frozen=True)
class Answer:
    """One response, read whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


def call(
    server: Listening,
    method: str,
    path: str,
    body: bytes | Iterator[bytes] | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 60,
) -> Answer:
    """Send one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def put(server: Listening, upload_id: str, data: bytes, start: int, total: int) -> Answer:
    """Send raw bytes for a known upload."""
    return call(server, "PUT", f"/uploads/{upload_id}", data, content_range(start, data, total))


def create(server: Listening, data: bytes, total: int, name: str = "file.bin") -> str:
    """Send a file's first bytes; returns the upload's id."""
    answer = call(server, "POST", f"/uploads/?filename={name}", data, content_range(0, data, total))
    assert answer.status == 200, answer
    return str(answer.json["upload_id"])


def state(server: Listening, upload_id: str) -> dict[str, Any]:
    """Ask where an upload stands."""
    answer = call(server, "GET", f"/uploads/{upload_id}")
    assert answer.status == 200, answer
    return answer.json


def complete(server: Listening, upload_id: str, data: bytes) -> Answer:
    """Complete an upload with the MD5 of data."""
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    body = json.dumps({"upload_id": upload_id, "md5": md5}).encode()
    return call(server, "POST", "/uploads/complete", body, {"Content-Type": "application/json"})


def content_range(start: int, data: bytes, total: int) -> dict[str, str]:
    """Return the headers of a raw chunk."""
    return {
        "Content-Range": f"bytes {start}-{start + len(data) - 1}/{total}",
        "Content-Type": "application/octet-stream",
    }


def form(data: bytes, **fields: str) -> bytes:
    """Write a multipart body with fields, then the file part."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="file.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join([*parts, head]).encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


FORM_TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@contextlib.contextmanager
def connect(server: Listening, timeout: float = 30) -> Iterator[socket.socket]:
    """Open a raw connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        yield connection


def head(method: str, path: str, **headers: str | int) -> bytes:
    """Write the head of a request; underscores in names become hyphens."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: test", *lines, "", ""]).encode()


def read_answer(connection: socket.socket) -> Answer:
    """Read one response from a raw connection."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Answer(response.status, response.headers, response.read())


class Heads:
    """The responses on a connection, one after the other, interim ones too."""

    def __init__(self, connection: socket.socket) -> None:
        self._stream: BinaryIO = connection.makefile("rb")

    def next(self) -> tuple[int, http.client.HTTPMessage]:
        """Return the status and the headers of the next response."""
        version, status, *_ = self._stream.readline().split(maxsplit=2)
        assert version == b"HTTP/1.1"
        return int(status), http.client.parse_headers(self._stream)

    def final(self) -> tuple[list[int], dict[str, Any]]:
        """Return the statuses up to the final response's, and the JSON of that one."""
        statuses = []
        while True:
            status, headers = self.next()
            statuses.append(status)
            if status >= 200:
                content = self._stream.read(int(headers["Content-Length"]))
                return statuses, json.loads(content or b"{}")

    def wait_for_offset(self, offset: int) -> float:
        """Read interim responses up to one that tells an offset; return the seconds it took."""
        began = time.monotonic()
        while True:
            status, headers = self.next()
            assert status in (100, 104)
            if int(headers["Upload-Offset"] or -1) >= offset:
                return time.monotonic() - began


def chunked(data: bytes, size: int = 10_000, *, end: bool = True) -> bytes:
    """Encode data for ``Transfer-Encoding: chunked``; without ``end``, as if cut off."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    coded = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces]
    return b"".join(coded) + (b"0\r\n\r\n" if end else b"")


def stored_files(server: Server) -> list[str]:
    """Return every file below the server's storage root, relative to it, sorted."""
    return sorted(str(p.relative_to(server.root)) for p in server.root.rglob("*") if p.is_file())
