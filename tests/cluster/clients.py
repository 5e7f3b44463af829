"""Clients that upload through the balancer in several dialects, and never give up."""

from __future__ import annotations

import random
import threading
import time
import uuid
from typing import Any, ClassVar
from urllib.parse import urlencode

from tests.cluster.cluster import Cluster
from tests.faults.support_client import Answer, Http, Upload
from tests.faults.support_tus import TusUpload
from tests.support.scorecard import Run, Size

#: Seconds between two tries; the balancer may avoid a node for a few seconds.
_PAUSE = 0.2

#: Seconds before each request, at reduced size: clients that keep two processors busy make nothing
#: fail that others do not.
THINKING = 0.03

#: Of ten uploads, so many are larger than a part of the store (tests/support/s3.py).
_LARGE = 1


class ResumableUpload(TusUpload):
    """One file by the IETF's resumable uploads: created with some bytes, then appended to."""

    VERSION: ClassVar[dict[str, str]] = {"Upload-Draft-Interop-Version": "8"}
    FOLDER: ClassVar[str] = "/uploads/"
    APPENDED: ClassVar[tuple[int, ...]] = (200, 204)

    def _piece(self) -> bytes:
        piece = super()._piece()
        # The last byte completes it, which is left to an append.
        return piece if self.upload_id else piece[: len(self.data) - 1]

    def _create(self, piece: bytes) -> Answer:
        headers = {
            **self.VERSION,
            "Upload-Complete": "?0",
            "Upload-Length": str(len(self.data)),
            "Content-Type": "application/octet-stream",
        }
        return self.http.request("POST", self.FOLDER, piece, headers)

    def _append(self, piece: bytes) -> Answer:
        last = self.acked + len(piece) == len(self.data)
        headers = {
            **self.VERSION,
            "Upload-Offset": str(self.acked),
            "Upload-Complete": "?1" if last else "?0",
            "Content-Type": "application/partial-upload",
        }
        return self.http.request("PATCH", f"/uploads/{self.upload_id}", piece, headers)


class DropzoneUpload(Upload):
    """One file by Dropzone's chunks, in any order, each sent until it is answered.

    What counts as acknowledged are the bytes up to the first chunk without an answer.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._name = str(uuid.UUID(int=self._rng.getrandbits(128)))
        self._size = max(self._chunk, -(-len(self.data) // 20))
        #: How many chunks there are.
        self.count = -(-len(self.data) // self._size)
        self._left = list(range(self.count))
        self._rng.shuffle(self._left)

    def _step(self) -> None:
        answer = self.post(self._left[-1], self.http)
        if answer.status == 200:
            self._left.pop()
            self.upload_id = answer.json["upload_id"]
            self.acked = min(len(self.data), self._size * min(self._left, default=self.count))
            self._progress()
            self.complete = not self._left
            if self.complete and answer.json.get("status") != 2:
                self._report(f"Dropzone's last chunk did not complete the upload: {answer}")
        elif answer.status >= 500:
            self._failed(f"Dropzone: {answer.status} {answer.body[:200]!r}")
        else:
            self._report(f"Dropzone's chunk refused: {answer.status} {answer.body[:200]!r}")
            self._failed("refused")

    def post(self, index: int, http: Http) -> Answer:
        """Send one chunk."""
        fields = {
            "filename": self.filename,
            "dzuuid": self._name,
            "dzchunkindex": index,
            "dzchunkbyteoffset": index * self._size,
            "dzchunksize": self._size,
            "dztotalchunkcount": self.count,
            "dztotalfilesize": len(self.data),
        }
        piece = self.data[index * self._size : (index + 1) * self._size]
        headers = {"Content-Type": "application/octet-stream"}
        return http.request("POST", f"/uploads/?{urlencode(fields)}", piece, headers)


#: Every way to upload.
KINDS: tuple[type[Upload], ...] = (Upload, TusUpload, ResumableUpload, DropzoneUpload)


class _Thoughtful(Http):
    """Requests of somebody who waits a moment before each of them."""

    def request(self, *arguments: Any, **options: Any) -> Answer:
        time.sleep(THINKING)
        return super().request(*arguments, **options)


class Crowd:
    """Threads that upload file after file until :meth:`finish`.

    :param clients: how many threads.
    :param size: of the largest ordinary file, in bytes.
    :param large: of the files that are larger than a part of the store; 0 for none.
    """

    def __init__(
        self, run: Run, cluster: Cluster, *, clients: int, size: int = 300_000, large: int = 0
    ) -> None:
        self._run = run
        self._cluster = cluster
        self._size = size
        self._large = large
        self._enough = threading.Event()
        self.uploads: list[Upload] = []
        seeds = [run.random.random() for _ in range(clients)]
        self._threads = [
            threading.Thread(target=self._work, args=(number, seed), daemon=True)
            for number, seed in enumerate(seeds)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def acks(self) -> int:
        """How many requests have been acknowledged."""
        return sum(upload.acks for upload in list(self.uploads))

    def finish(self) -> None:
        """Let each thread end after the upload it is at, and count what they did."""
        self._enough.set()
        for thread in self._threads:
            thread.join()
        for upload in self.uploads:
            self._run.count(type(upload).__name__)
            self._run.check(upload.complete, f"{upload.upload_id} was given up")
        self._run.count("acks", self.acks)

    def _work(self, number: int, seed: float) -> None:
        rng = random.Random(seed)
        kind = _Thoughtful if self._run.size is Size.REDUCED else Http
        http = kind(self._cluster.port, timeout=30)
        while not self._enough.is_set():
            upload = self._upload(http, rng, KINDS[(number + len(self.uploads)) % len(KINDS)])
            self.uploads.append(upload)
            self._cluster.expect(upload)
            upload.run()
        http.close()

    def _upload(self, http: Http, rng: random.Random, kind: type[Upload]) -> Upload:
        most = self._large if self._large and rng.randrange(10) < _LARGE else self._size
        size = rng.randint(2 if most == self._size else most // 2, most)
        upload = kind(
            http,
            rng,
            size=size,
            chunk=max(1, size // rng.choice([2, 5, 20])),
            filename=rng.choice(["same name.bin", f"{rng.random()}.bin"]),
            root=self._cluster.directory,
            report=self._run.violation,
            wait=lambda: time.sleep(_PAUSE),
        )
        upload.PATIENCE = 600
        return upload
