"""``/metrics`` of the stand-alone server: sums over its workers, which may die."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.server.client import call
from tests.server.waiting import eventually
from tests.support import preloaded
from tests.support.server import PROGRAM, Server

MakeServer = Callable[..., Server]


@pytest.fixture
def measured(make_server: MakeServer) -> Server:
    return make_server(WORKERS="2", CHUNKED_UPLOAD_METRICS="1")


def upload(server: Server) -> None:
    assert call(server, "POST", "/uploads/?filename=a", b"hello").status == 200


def figure(server: Server, name: str) -> float:
    answer = call(server, "GET", "/metrics")
    assert answer.status == 200, answer.body
    values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", answer.body.decode(), re.M)
    assert values, answer.body.decode()
    return sum(map(float, values))


def is_counted(server: Server, total: int) -> bool:
    return figure(server, "chunked_upload_chunk_bytes_sum") == total


def has_ended(server: Server, worker: int) -> bool:
    return worker not in server.workers()


def test_every_worker_tells_the_sums_of_all(measured: Server) -> None:
    for _ in range(20):  # each over a connection of its own
        upload(measured)
    eventually(partial(is_counted, measured, 100))
    for _ in range(10):
        assert figure(measured, "chunked_upload_chunk_bytes_sum") == 100
        assert figure(measured, "chunked_upload_uploads") == 20
    before = sorted((measured.instance / "metrics").iterdir())
    listing = preloaded.run([PROGRAM, "list"], cwd=measured.directory, env=measured.environment)
    listing.check_returncode()
    assert sorted((measured.instance / "metrics").iterdir()) == before  # a command counts nothing


def test_workers_die_while_figures_are_read(measured: Server) -> None:
    """What a dead worker has counted stays; what it held goes, and at most its last second."""
    for _ in range(10):
        upload(measured)
    eventually(partial(is_counted, measured, 50))
    stop, wrong = Event(), []

    def scrape() -> None:
        while not stop.is_set():
            try:
                status = call(measured, "GET", "/metrics").status
            except OSError:  # its worker was killed
                continue
            if status != 200:
                wrong.append(status)

    scraping = Thread(target=scrape)
    scraping.start()
    try:
        for total in (55, 60):
            worker = next(pid for pid in measured.workers() if pid != measured.pid)
            os.kill(worker, signal.SIGKILL)
            eventually(partial(has_ended, measured, worker))
            upload(measured)
            eventually(partial(is_counted, measured, total))
    finally:
        stop.set()
        scraping.join()
    assert wrong == []
    files = [path.name for path in (measured.instance / "metrics").iterdir()]
    alive = {str(pid) for pid in measured.workers()}
    held = {re.sub(r"\D", "", name) for name in files if "live" in name}
    assert held <= alive


def test_a_worker_that_is_told_to_end_counts_what_it_has_noted(measured: Server) -> None:
    workers = set(measured.workers()) - {measured.pid}
    for _ in range(10):
        upload(measured)
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
    for worker in workers:
        eventually(partial(has_ended, measured, worker))
    assert figure(measured, "chunked_upload_chunk_bytes_sum") == 50


def test_a_new_run_begins_at_zero(measured: Server) -> None:
    upload(measured)
    measured.stop()
    measured.start()
    assert figure(measured, "chunked_upload_chunk_bytes_sum") == 0
    upload(measured)
    eventually(partial(is_counted, measured, 5))
    assert figure(measured, "chunked_upload_uploads") == 2


def test_a_full_disk_ends_no_worker(measured: Server) -> None:
    """It would, if what a worker writes to through memory had a hole."""
    upload(measured)
    files = list((measured.instance / "metrics").iterdir())
    assert {file.name.rpartition("_")[0] for file in files} == {
        "counter",
        "gauge_livesum",
        "histogram",
    }
    for file in files:
        assert file.stat().st_blocks * 512 >= file.stat().st_size == 2**20, file


def test_counts_that_have_no_place_stop_no_upload(make_server: MakeServer, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    server = make_server(CHUNKED_UPLOAD_METRICS="1", PROMETHEUS_MULTIPROC_DIR=missing)
    upload(server)
    assert call(server, "GET", "/metrics", headers={"Via": "1.1 proxy"}).status == 403
    assert "counts nothing for /metrics" in server.log.read_text()
