"""Clients that upload file after file while somebody does bad things to their server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.support_client import Http, Upload, promoted_files
from tests.support.scorecard import Run, Size
from tests.support.server import Server
from tests.support.site import wait_until

_CLIENTS = 8

#: Of how many chunks the largest file consists; each upload draws one of these.
_PIECES = {Size.REDUCED: (80, 8), Size.FULL: (800, 80, 8)}


class Clients:
    """Threads that upload until ``uploads`` files are done *and* :meth:`last_call` was given.

    :param size: of the largest file, in bytes.
    :param kind: how they upload.
    """

    def __init__(
        self,
        run: Run,
        server: Server,
        uploads: int,
        *,
        size: int = 400_000,
        kind: type[Upload] = Upload,
    ) -> None:
        self._run = run
        self._server = server
        self._left = uploads
        self._size = size
        self._kind = kind
        self._enough = threading.Event()
        self._up = threading.Event()
        self._up.set()
        self._unplugged = threading.Event()
        self._lock = threading.Lock()
        self._at_work: dict[threading.Thread, Upload] = {}
        self._finished: list[Upload] = []
        seeds = [run.random.random() for _ in range(_CLIENTS)]
        self._threads = [threading.Thread(target=self._work, args=(seed,)) for seed in seeds]
        for thread in self._threads:
            thread.start()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Say that the server is down; clients whose request fails wait until it is up again."""
        self._up.clear()
        try:
            yield
        finally:
            self._up.set()

    @contextmanager
    def unplug(self) -> Iterator[None]:
        """Lose every reply from now on, as a power cut does, until the server is up again.

        The kernel that plays the power cut goes on, and reports syncs as done that are lost
        (test_power_cut_itself.py shows it). No machine without power sends such a reply.
        """
        self._unplugged.set()
        try:
            with self.hold():
                yield
        finally:
            self._unplugged.clear()

    def wait_for_an_ack(self) -> None:
        """Wait until one more request has been acknowledged."""
        before = self._acks()
        wait_until(lambda: self._acks() > before, what="an acknowledged request")

    def last_call(self) -> None:
        """Let clients end after the upload they are at, if enough are done."""
        self._enough.set()

    def join(self) -> None:
        """Wait until the clients have ended; the server must stay up meanwhile."""
        for thread in self._threads:
            thread.join()

    def check_stored(self) -> None:
        """Compare every unfinished upload's bytes on the disk with what was acknowledged."""
        with self._lock:
            at_work = list(self._at_work.values())
        for upload in at_work:
            upload.check_stored()

    def check(self) -> None:
        """Check every finished upload, and that nothing else was promoted."""
        for upload in self._finished:
            upload.check_promoted()
            upload.http.close()
        visible = len(promoted_files(self._server.root))
        self._run.check(
            visible == len(self._finished),
            f"{visible} promoted files for {len(self._finished)} completed uploads",
        )
        self._run.count("uploads", len(self._finished))
        self._run.count("acks", sum(upload.acks for upload in self._finished))

    def _work(self, seed: float) -> None:
        rng = Random(seed)
        http = Http(self._server.port, timeout=30)
        http.unplugged = self._unplugged.is_set
        while self._more():
            upload = self._kind(
                http,
                rng,
                size=rng.randint(1, self._size),
                chunk=self._size // rng.choice(_PIECES[self._run.size]),
                filename=rng.choice(["same name.bin", f"{rng.random()}.bin"]),
                root=self._server.root,
                report=self._run.violation,
                wait=self._pause,
            )
            with self._lock:
                self._at_work[threading.current_thread()] = upload
            if upload.run():
                with self._lock:
                    self._finished.append(upload)
        http.close()

    def _acks(self) -> int:
        with self._lock:
            uploads = {*self._at_work.values(), *self._finished}
        return sum(upload.acks for upload in uploads)

    def _pause(self) -> None:
        time.sleep(0.02)
        self._up.wait()

    def _more(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0 or not self._enough.is_set()
