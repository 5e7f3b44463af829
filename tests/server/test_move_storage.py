"""``chunked-upload move-storage`` beside a server that takes uploads and sends files meanwhile."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import preloaded
from tests.support.s3 import MIB, PART, ClientStorage, Store
from tests.support.server import PROGRAM, Server

#: Large enough for the move to be killed in the middle of a file.
SIZES = (3 * PART, PART + 5, MIB, 10, 0)


def data_of(number: int, size: int) -> bytes:
    return hashlib.shake_256(b"%d" % number).digest(size)


class Client:
    """Uploads and downloads; knows the MD5 of every file that was completed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.md5s: dict[str, str] = {}
        self.downloads = 0

    def upload(self, data: bytes, name: str) -> str:
        """Upload a file whole, and complete it."""
        made = json.loads(self._send("PUT", f"/uploads/{name}", data))
        self.complete(made["upload_id"], data)
        return str(made["upload_id"])

    def complete(self, upload_id: str, data: bytes) -> None:
        """Complete an upload."""
        md5 = hashlib.md5(data).hexdigest()
        body = json.dumps({"upload_id": upload_id, "md5": md5}).encode()
        self._send("POST", "/uploads/complete", body, **{"Content-Type": "application/json"})
        self.md5s[upload_id] = md5

    def chunk(self, data: bytes, start: int, total: int, upload_id: str = "") -> str:
        """Send a chunk; return the upload's id."""
        content_range = f"bytes {start}-{start + len(data) - 1}/{total}"
        sent = self._send("POST", f"/uploads/{upload_id}", data, **{"Content-Range": content_range})
        return str(json.loads(sent)["upload_id"])

    def check(self, upload_id: str) -> None:
        """Download a file and compare it."""
        found = hashlib.md5(self._send("GET", f"/uploads/{upload_id}/file")).hexdigest()
        assert found == self.md5s[upload_id], upload_id
        self.downloads += 1

    def _send(self, verb: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        url = self._server.url + path
        headers = {"Content-Type": "application/octet-stream"} | headers
        asked = urllib.request.Request(url, body, headers, method=verb)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{verb} {path}: {error.code} {error.read()!r}") from error


@pytest.fixture
def bucket(versitygw: Store) -> ClientStorage:
    return versitygw.storage()


class Visitors:
    """Upload and download all the time, until the block ends; raise what failed then."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._done = threading.Event()
        self._threads = ThreadPoolExecutor(2)

    def __enter__(self) -> None:
        self._running = [self._threads.submit(work) for work in (self._download, self._upload)]

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._threads.shutdown()
        for visitor in self._running:
            visitor.result()

    def _download(self) -> None:
        while not self._done.is_set():
            for upload_id in list(self._client.md5s):
                self._client.check(upload_id)

    def _upload(self) -> None:
        number = 100
        while not self._done.wait(0.1):
            self._client.upload(data_of(number, 1000), f"{number}.bin")
            number += 1


def expire_leases(server: Server) -> None:
    """Have the half minute pass for which a killed process keeps its uploads to itself."""
    with closing(sqlite3.connect(server.instance / "chunked_upload.db", timeout=30)) as database:
        database.execute("UPDATE chunked_upload SET lease_until = 0 WHERE lease_until IS NOT NULL")
        database.commit()


def start_move(server: Server, *options: str) -> preloaded.Command:
    return preloaded.Command(
        [PROGRAM, "move-storage", "--json", *options], cwd=server.directory, env=server.environment
    )


def test_killed_repeated_and_run_twice_at_once_while_the_server_works(
    tmp_path: Path, versitygw: Store, bucket: ClientStorage
) -> None:
    with Server(tmp_path) as before:
        client = Client(before)
        for number, size in enumerate(SIZES):
            client.upload(data_of(number, size), f"{number}.bin")
        open_data = data_of(99, 2 * MIB)
        unfinished = client.chunk(open_data[:MIB], 0, len(open_data))
    settings = versitygw.settings(bucket.bucket) | {"CHUNKED_UPLOAD_OLD_STORAGE": "file:"}
    with Server(tmp_path, settings) as server:
        client._server = server
        with Visitors(client):
            first = start_move(server, "--jobs", "2", "--rate", "5M", "--delete-after", "0")
            deadline = time.monotonic() + 60
            while not bucket.multiparts():  # a file is being copied
                assert time.monotonic() < deadline
                assert first.poll() is None
                time.sleep(0.05)
            first.kill()
            first.result()
            expire_leases(server)
            client.chunk(open_data[MIB:], MIB, len(open_data), unfinished)
            client.complete(unfinished, open_data)
            both = [start_move(server, "--delete-after", "0") for _ in range(2)]
            for process in both:
                ended = process.result(timeout=200)
                assert ended.returncode == 0, ended
        for upload_id in client.md5s:
            client.check(upload_id)
        assert client.downloads > 2 * len(SIZES)
    assert [path for path in server.root.rglob("*") if path.is_file()] == []
    # A process that is killed while it asks the store leaves that to delete-orphans.
    assert [key for key in bucket.multiparts() if "/question-" not in key] == []
    assert len([key for key in bucket.all_keys() if "/question-" not in key]) == len(client.md5s)
    with Server(tmp_path, versitygw.settings(bucket.bucket)) as alone:
        client._server = alone
        for upload_id in client.md5s:
            client.check(upload_id)
