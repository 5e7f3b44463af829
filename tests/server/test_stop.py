"""Stopping: running uploads finish or stay resumable, and no process is left behind."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.client import Answer, connect, content_range, create, head, read_answer, state
from tests.server.waiting import eventually
from tests.support.server import Server

DATA = bytes(range(256)) * 4000
FIRST = 100_000
MORE = 400_000


def begin_chunk(server: Server, upload_id: str, connection: socket.socket) -> None:
    """Send a chunk's head and some of its bytes, and wait until the server has written some."""
    span = content_range(FIRST, DATA[FIRST:], len(DATA))["Content-Range"]
    connection.sendall(
        head(
            "PUT",
            f"/uploads/{upload_id}",
            Content_Length=len(DATA) - FIRST,
            Content_Range=span,
        )
    )
    connection.sendall(DATA[FIRST:MORE])
    part = server.root / ".incoming" / upload_id[:2] / f"{upload_id}.part"
    eventually(lambda: part.stat().st_size > FIRST)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_running_upload_finishes_before_the_server_ends(
    make_server: Callable[..., Server], workers: str
) -> None:
    server = make_server(WORKERS=workers, GRACE="30")
    upload_id = create(server, DATA[:FIRST], len(DATA))
    with connect(server) as connection:
        begin_chunk(server, upload_id, connection)
        server.terminate()
        wait_until_refusing(server)
        connection.sendall(DATA[MORE:])
        answer: Answer = read_answer(connection)
    assert (answer.status, answer.json["offset"]) == (200, len(DATA))
    assert server.wait() == 0


def test_a_stalled_upload_is_cut_after_the_grace_and_stays_resumable(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(GRACE="1")
    upload_id = create(server, DATA[:FIRST], len(DATA))
    with connect(server) as connection:
        begin_chunk(server, upload_id, connection)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 15
    server.start()
    assert state(server, upload_id)["offset"] == FIRST


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once_and_leaves_no_process(
    make_server: Callable[..., Server], number: int
) -> None:
    server = make_server(WORKERS="2", GRACE="30")
    eventually(lambda: len(server.workers()) == 3)
    pids = server.workers()
    with connect(server) as connection:  # kept alive, and idle
        connection.sendall(head("GET", "/healthz"))
        assert read_answer(connection).status == 200
        began = time.monotonic()
        server.terminate(number)
        assert server.wait() == 0
        assert time.monotonic() - began < 15
    assert not any(map(alive, pids))
    assert "Traceback" not in server.log.read_text()


#: Workers that look after their threads every ten minutes instead of every second.
_RARE_LOOKS = """
from chunked_upload.server.gunicorn import worker

worker._REST_SECONDS = 600.0


class Config:
    SECRET_KEY = "s"
"""


def test_neither_the_first_answer_nor_the_end_waits_for_a_look_at_the_threads(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "rare_looks.py").write_text(_RARE_LOOKS)
    server = make_server(CHUNKED_UPLOAD_CONFIG="rare_looks.Config", WORKERS="2")
    assert create(server, DATA[:FIRST], len(DATA))
    server.terminate()
    assert server.wait() == 0


#: Workers that take long in one step of their start, each of which says that it has come there.
_SLOW_STEPS = """
import os, threading, time

start = threading.Thread.start


def rest(step):
    open(step, "w").close()
    time.sleep(2)


def start_slowly(thread):
    start(thread)
    if thread.name.startswith("ThreadPoolExecutor"):
        rest("serving")


threading.Thread.start = start_slowly
os.register_at_fork(after_in_child=lambda: rest("forked"))


class Config:
    SECRET_KEY = "s"
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", ["forked", "serving"])
def test_a_worker_ends_at_each_step_of_its_start(tmp_path: Path, step: str, number: int) -> None:
    (tmp_path / "slow_steps.py").write_text(_SLOW_STEPS)
    environment = {"CHUNKED_UPLOAD_CONFIG": "slow_steps.Config", "GRACE": "600"}
    server = Server(tmp_path, environment)
    server.launch()
    try:
        eventually(lambda: (tmp_path / step).exists(), seconds=60)
        server.terminate(number)
        assert server.wait() == 0
    finally:
        server.kill()


def test_workers_end_when_their_main_process_is_killed(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(WORKERS="2")
    eventually(lambda: len(server.workers()) == 3)
    pids = server.workers()
    server.kill_main()
    eventually(lambda: not any(map(alive, pids)))
    server.start()


#: Workers that take long to load the app.
_SLOW_WORKERS = """
import time
from chunked_upload.delivery.background import BackgroundDelivery

start = BackgroundDelivery.start


def start_slowly(delivery):
    open("loading", "w").close()
    time.sleep(2)
    start(delivery)


BackgroundDelivery.start = start_slowly


class Config:
    SECRET_KEY = "s"
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_whose_workers_are_still_loading_ends_without_a_complaint(
    tmp_path: Path, number: int
) -> None:
    (tmp_path / "slow_workers.py").write_text(_SLOW_WORKERS)
    server = Server(tmp_path, {"CHUNKED_UPLOAD_CONFIG": "slow_workers.Config", "WORKERS": "1"})
    server.launch()
    try:
        eventually(lambda: (tmp_path / "loading").exists(), seconds=60)
        server.terminate(number)
        assert server.wait() == 0
    finally:
        server.kill()
    assert "Traceback" not in server.log.read_text()


def test_workers_that_are_still_loading_end_too(tmp_path: Path) -> None:
    server = Server(tmp_path, {"WORKERS": "2"})
    server.launch()
    try:
        eventually(lambda: len(server.workers()) == 3, seconds=60)
        pids = server.workers()
    finally:
        server.kill_main()
    eventually(lambda: not any(map(alive, pids)))


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_refusing(server: Server) -> None:
    """Wait until new connections are no longer accepted."""

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
        except ConnectionError:
            return True
        return False

    eventually(refused)
