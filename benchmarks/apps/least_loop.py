"""The least that Python can do with large forms: receive, search, write, hash. Argument: the port.

No framework, no record, no claim, no check: a loop around a socket that takes the bytes in pieces
of 1 MiB, looks in each for the form's boundary, writes it and leaves it to a thread that hashes.
What a server does besides comes on top of this. It has the least of HTTP that the load generator
needs, and one connection at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

PIECE = 1024 * 1024
#: Pieces that may wait to be hashed, as many bytes as the server allows.
WAITING = 8

BOUNDARY = re.compile(rb"boundary=(\S+)")
LENGTH = re.compile(rb"Content-Length: (\d+)")
START = re.compile(rb"Content-Range: bytes (\d+)-")
UPLOAD_ID = re.compile(rb"upload_id[^0-9a-f]*([0-9a-f]{32})")
MD5 = re.compile(rb"md5=([0-9a-f]{32})")


class Upload:
    """A file, and the thread that hashes what is written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.part = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        self._digest = hashlib.md5(usedforsecurity=False)
        self._pieces: SimpleQueue[bytes | memoryview | None] = SimpleQueue()
        self._room = threading.Semaphore(WAITING)
        self._thread = threading.Thread(target=self._hash)
        self._thread.start()

    def take(self, data: bytes | memoryview, position: int) -> None:
        os.pwrite(self.part, data, position)
        self._room.acquire()
        self._pieces.put(data)

    def complete(self) -> str:
        self._pieces.put(None)
        self._thread.join()
        os.close(self.part)
        os.rename(self.path, self.path.with_suffix(".bin"))
        return self._digest.hexdigest()

    def _hash(self) -> None:
        while (data := self._pieces.get()) is not None:
            self._digest.update(data)
            self._room.release()


def serve(connection: socket.socket, uploads: dict[str, Upload]) -> None:
    """Answer the requests of one connection."""
    got = b""
    while True:
        while (end := got.find(b"\r\n\r\n")) < 0:
            more = connection.recv(16 * 1024)
            if not more:
                return
            got += more
        head, got = got[: end + 4], got[end + 4 :]
        length = LENGTH.search(head)
        if head.startswith(b"GET"):
            reply(connection, {})
        elif b"/complete" in head:
            complete(connection, got, uploads)
        else:
            chunk(connection, head, got, int(length[1]) if length else 0, uploads)
        got = b""


def chunk(
    connection: socket.socket, head: bytes, got: bytes, left: int, uploads: dict[str, Upload]
) -> None:
    """Take in a form with a file part as its last."""
    delimiter = b"\r\n--" + BOUNDARY.search(head)[1]  # type: ignore[index]
    position = int(START.search(head)[1])  # type: ignore[index]
    left -= len(got)
    while (begin := got.find(b"octet-stream\r\n\r\n")) < 0:
        more = received(connection, min(left, 4096))
        got += more
        left -= len(more)
    named = UPLOAD_ID.search(got, 0, begin)
    upload_id = named[1].decode() if named else secrets.token_hex(16)
    if upload_id not in uploads:
        uploads[upload_id] = Upload(Path(os.environ["BENCH_FILES"]) / upload_id)
    data = got[begin + 16 :]
    while True:
        end = data.find(delimiter)
        if data:
            uploads[upload_id].take(data if end < 0 else memoryview(data)[:end], position)
        if left == 0:
            break
        position += len(data)
        data = received(connection, min(left, PIECE))
        left -= len(data)
    reply(connection, {"upload_id": upload_id})


def received(connection: socket.socket, size: int) -> bytes:
    """Wait for so many bytes."""
    data = connection.recv(size, socket.MSG_WAITALL)
    if not data:
        raise ConnectionError("the client hung up")
    return data


def complete(connection: socket.socket, got: bytes, uploads: dict[str, Upload]) -> None:
    """Compare the MD5."""
    named, md5 = UPLOAD_ID.search(got), MD5.search(got)
    assert named
    assert md5
    matches = uploads.pop(named[1].decode()).complete() == md5[1].decode()
    reply(connection, {"upload_id": named[1].decode()}, b"200 OK" if matches else b"400 Bad")


def reply(connection: socket.socket, values: dict[str, str], status: bytes = b"200 OK") -> None:
    body = json.dumps(values).encode()
    head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    connection.sendall(head + body)


def main() -> None:
    """Listen, for one connection after the other."""
    uploads: dict[str, Upload] = {}
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, suppress(ConnectionError):
                serve(connection, uploads)


if __name__ == "__main__":
    main()
