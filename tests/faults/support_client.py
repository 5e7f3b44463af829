"""A client that never gives up, and remembers what it was promised.

It speaks HTTP over a socket of its own, asks where the upload stands after every failure, as
``examples/upload.sh`` does, and compares what the server says and stores with what was
acknowledged before.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.protocol import md5_of

#: What a request raises when the server is down or dies under it.
Unreachable = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """Status, and the body as bytes and as JSON when it is."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage | None = None

    @property
    def json(self) -> dict[str, Any]:
        try:
            parsed = json.loads(self.body)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


class Http:
    """Requests to one server, over a connection that is kept and made again when it breaks."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", timeout: float = 60) -> None:
        self._host = host
        self._port = port
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None
        #: Whether replies are lost on their way by now.
        self.unplugged: Callable[[], bool] = lambda: False

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request.

        :raises OSError, http.client.HTTPException: when no whole answer came (:data:`Unreachable`).
        """
        connection = self._connect()
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            answer = Answer(response.status, response.read(), response.headers)
            if self.unplugged():
                raise ConnectionResetError("the reply came after the power was cut")
        except Unreachable:
            self.close()
            raise
        if response.will_close:
            self.close()
        return answer

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                self._host, self._port, timeout=self._timeout
            )
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection

    # The protocol

    def create(self, data: bytes, total: int, filename: str, *, form: bool = False) -> Answer:
        """Send the first chunk, raw or as a form."""
        headers = {"Content-Range": f"bytes 0-{len(data) - 1}/{total}"}
        if form:
            body, content_type = multipart(data, filename)
            return self.request("POST", "/uploads/", body, headers | {"Content-Type": content_type})
        name = urllib.parse.quote(filename)
        return self.request(
            "POST",
            f"/uploads/?filename={name}",
            data,
            headers | {"Content-Type": "application/octet-stream"},
        )

    def put(
        self, upload_id: str, data: bytes, start: int, total: int, *, form: bool = False
    ) -> Answer:
        """Send a later chunk, raw or as a form."""
        headers = {"Content-Range": f"bytes {start}-{start + len(data) - 1}/{total}"}
        if form:
            body, content_type = multipart(data, "chunk", upload_id=upload_id)
            return self.request("POST", "/uploads/", body, headers | {"Content-Type": content_type})
        return self.request("PUT", f"/uploads/{upload_id}", data, headers)

    def state(self, upload_id: str) -> Answer:
        """Ask where an upload stands."""
        return self.request("GET", f"/uploads/{upload_id}")

    def complete(self, upload_id: str, md5: str) -> Answer:
        """Complete an upload."""
        body = urllib.parse.urlencode({"upload_id": upload_id, "md5": md5})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", "/uploads/complete", body, headers)

    def delete(self, upload_id: str) -> Answer:
        """Remove an upload."""
        return self.request("DELETE", f"/uploads/{upload_id}")

    def health(self) -> Answer:
        """Ask how the server feels."""
        return self.request("GET", "/healthz")


def multipart(data: bytes, filename: str, **fields: str) -> tuple[bytes, str]:
    """Return a form with the fields and then the file, and its content type."""
    boundary = "faults-7e3f1c"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'Content-Disposition: form-data; name="file"; filename="{filename}"'
    parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def part_path(root: Path, upload_id: str) -> Path:
    """Return where the local storage keeps an unfinished upload's bytes."""
    return root / ".incoming" / upload_id[:2] / f"{upload_id}.part"


def promoted_files(root: Path) -> list[Path]:
    """Return every file below the root that clients may see."""
    return [
        path
        for path in root.rglob("*")
        if path.is_file() and ".incoming" not in path.relative_to(root).parts
    ]


class Upload:
    """One file on its way to a server that keeps dying.

    :param report: told of every broken promise.
    :param wait: called after each failure; returns when it is worth trying again.
    :param root: the server's storage, whose bytes are compared.
    """

    #: Failures in a row without any progress before the upload counts as stuck.
    PATIENCE = 60

    def __init__(
        self,
        http: Http,
        rng: random.Random,
        *,
        size: int,
        chunk: int,
        filename: str,
        root: Path,
        report: Callable[[str], object],
        wait: Callable[[], object],
    ) -> None:
        self.http = http
        self.data = rng.randbytes(size)
        self.md5 = md5_of(self.data)
        self.filename = filename
        self.upload_id: str | None = None
        self.acked = 0
        #: Acknowledged requests, the completion included.
        self.acks = 0
        self.complete = self.completing = False
        self._rng = rng
        self._chunk = chunk
        self._root = root
        self._report = report
        self._wait = wait
        self._failures = 0

    def run(self) -> bool:
        """Upload and complete; False when it got stuck (which was reported)."""
        while not self.complete:
            try:
                self.attempt()
            except Stuck:
                return False
        return True

    def attempt(self) -> None:
        """Send the next request; after a failure, ask first where the upload stands.

        :raises Stuck: when none of many tries has made progress.
        """
        try:
            self._step()
        except ConnectionRefusedError:
            self._failures = max(self._failures, 1)
            self._wait()  # the server is down; that it comes back is for others to see to
        except Unreachable as error:
            self._failed(f"no answer: {error!r}")

    def check_stored(self) -> None:
        """Compare the bytes on the disk with what was acknowledged."""
        acked = self.acked  # before looking: it only grows
        if self.upload_id is None or self.completing:
            return
        path = part_path(self._root, self.upload_id)
        stored = path.read_bytes()[:acked] if path.exists() else b""
        if stored != self.data[:acked] and not self.completing:
            self._report(f"{acked} bytes were acknowledged, {len(stored)} or others are there")

    def _step(self) -> None:
        if self._failures and self.upload_id is not None:
            self._ask()
        if self.complete:
            return
        if self.acked < len(self.data):
            self._send()
        else:
            self._finish()

    def _ask(self) -> None:
        assert self.upload_id is not None
        answer = self.http.state(self.upload_id)
        if answer.status >= 500:
            self._failed(f"state: {answer.status} {answer.body[:200]!r}")
            return
        if answer.status != 200:
            self._report(f"an acknowledged upload is gone: {answer.status} {answer.body[:200]!r}")
            self.upload_id, self.acked = None, 0
            return
        offset = answer.json["offset"]
        if offset < self.acked:
            self._report(f"the offset went back from {self.acked} to {offset}")
        self.acked = offset

    def _send(self) -> None:
        size = self._rng.randint(1, 2 * self._chunk)
        piece = self.data[self.acked : self.acked + size]
        form = self._rng.random() < 0.5
        if self.upload_id is None:
            answer = self.http.create(piece, len(self.data), self.filename, form=form)
        else:
            answer = self.http.put(self.upload_id, piece, self.acked, len(self.data), form=form)
        if answer.status == 200:
            expected = self.acked + len(piece)
            if answer.json["offset"] != expected:
                self._report(f"offset {answer.json['offset']} instead of {expected}")
            self.upload_id = answer.json["upload_id"]
            self.acked = answer.json["offset"]
            self._progress()
        elif answer.status == 400 and answer.json.get("detail") == "Offsets do not match":
            offset = answer.json["offset"]
            if offset < self.acked:
                self._report(f"the offset went back from {self.acked} to {offset}")
            self.acked = offset
            self._failed("offset")
        elif answer.status >= 500:
            self._failed(f"chunk: {answer.status} {answer.body[:200]!r}")
        else:
            self._report(f"chunk refused: {answer.status} {answer.body[:200]!r}")
            self._failed("refused")

    def _finish(self) -> None:
        assert self.upload_id is not None
        self.completing = True  # from now on the part may be gone, and the file be there
        answer = self.http.complete(self.upload_id, self.md5)
        if answer.status == 200:
            self._progress()
            self.complete = True
            if answer.json["md5"] != self.md5 or answer.json["status"] != 2:
                self._report(f"completed as {answer.json}")
        elif answer.status >= 500:
            self._failed(f"complete: {answer.status} {answer.body[:200]!r}")
        else:
            self._report(f"completion refused: {answer.status} {answer.body[:200]!r}")
            self._failed("refused")

    def _progress(self) -> None:
        self.acks += 1
        self._failures = 0

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures > self.PATIENCE:
            self._report(f"stuck at {self.acked} of {len(self.data)}: {why}")
            raise Stuck(why)
        self._wait()

    def check_promoted(self) -> None:
        """Download the completed file and compare it."""
        for _ in range(20):
            try:
                answer = self.http.request("GET", f"/uploads/{self.upload_id}/file")
            except Unreachable:
                self._wait()
                continue
            if answer.status < 500:
                if answer.status != 200 or md5_of(answer.body) != self.md5:
                    self._report(f"the completed file is wrong: {answer.status}")
                return
            time.sleep(0.05)
        self._report("the completed file cannot be had")


class Stuck(Exception):
    """An upload makes no progress although its client keeps trying."""
