"""The request gate: requests one at a time, as far as that costs nobody anything."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chunked_upload.server.gunicorn import request_gate
from chunked_upload.server.gunicorn import worker as worker_module
from chunked_upload.server.gunicorn.request_gate import enter, step_out, stepping_out
from chunked_upload.storage.local.storage import LocalStorage
from chunked_upload.support.blocking import wrap_blocking
from chunked_upload.testing import an_upload

_TIMEOUT = 30


@contextmanager
def through() -> Iterator[None]:
    """Serve a request."""
    enter()
    try:
        yield
    finally:
        step_out()


def call(work: Callable[[], Any]) -> Any:
    """Serve a request that does some work."""
    with through():
        return work()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_gate, "_SECONDS", _TIMEOUT)


@pytest.fixture
def wrapped() -> Iterator[None]:
    """Slow calls step out of the gate, as in the bundled server."""
    wrap_blocking(stepping_out)
    yield
    wrap_blocking(None)


@pytest.mark.usefixtures("unhurried")
def test_requests_pass_one_at_a_time() -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> list[bytes]:
        inside.append(1)
        for _ in range(20):
            os.getpid()
            most.append(len(inside))
            threading.Event().wait(0.0002)
        inside.pop()
        return []

    with ThreadPoolExecutor(8) as pool:
        for answer in [pool.submit(call, work) for _ in range(24)]:
            answer.result(_TIMEOUT)
    assert set(most) == {1}


@pytest.mark.usefixtures("unhurried")
def test_who_waits_for_something_slow_lets_others_pass() -> None:
    waiting, other_has_passed = threading.Event(), threading.Event()

    def slow() -> list[bytes]:
        with stepping_out():
            waiting.set()
            assert other_has_passed.wait(_TIMEOUT)
        return [b"slow"]

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(call, slow)
        assert waiting.wait(_TIMEOUT)
        assert pool.submit(call, lambda: [b"quick"]).result(_TIMEOUT) == [b"quick"]
        other_has_passed.set()
        assert first.result(_TIMEOUT) == [b"slow"]


class Slow:
    """A request's body, or a disk, that is ready when it is told to be."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.waited_for, self.come = threading.Event(), threading.Event()

    def read(self, size: int) -> bytes:
        self.waited_for.set()
        assert self.come.wait(_TIMEOUT)
        return b"x" * size


def sync_slowly(client: Slow) -> list[bytes]:
    with LocalStorage(client.root).open_writer(an_upload("a" * 32), 0, None, have=0) as lease:
        lease.sync()
    return []


@pytest.mark.usefixtures("unhurried", "wrapped")
@pytest.mark.parametrize("slow", [sync_slowly])
def test_nothing_stands_in_it_while_bytes_are_synced(
    slow: Callable[[Slow], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Slow(tmp_path)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: client.read(0))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(call, lambda: slow(client))
        assert client.waited_for.wait(_TIMEOUT)
        assert pool.submit(call, lambda: [b"quick"]).result(_TIMEOUT / 2) == [b"quick"]
        client.come.set()
        first.result(_TIMEOUT)


def test_one_that_hangs_inside_does_not_hold_up_the_others() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def hang() -> list[bytes]:
        inside.set()
        assert go_on.wait(_TIMEOUT)
        return []

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(call, hang)
        assert inside.wait(_TIMEOUT)
        for _ in range(3):
            assert pool.submit(call, lambda: [b"passed"]).result(_TIMEOUT) == [b"passed"]
        go_on.set()
        first.result(_TIMEOUT)


def test_who_has_waited_long_once_does_not_wait_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_gate, "_SECONDS", 0.5)
    inside, go_on = threading.Event(), threading.Event()

    def hang() -> list[bytes]:
        inside.set()
        assert go_on.wait(_TIMEOUT)
        return []

    def steps_out_often() -> list[bytes]:
        begun = time.monotonic()
        for _ in range(1000):
            with stepping_out():
                pass
        assert time.monotonic() - begun < 100  # 500 if each waited
        return []

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(call, hang)
        assert inside.wait(_TIMEOUT)
        pool.submit(call, steps_out_often).result(4 * _TIMEOUT)
        go_on.set()
        first.result(_TIMEOUT)


@pytest.mark.usefixtures("unhurried")
def test_a_request_that_fails_lets_the_next_one_in() -> None:
    def fail() -> None:
        with stepping_out():
            raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            call(fail)
    assert call(lambda: [b"next"]) == [b"next"]


@pytest.mark.usefixtures("unhurried")
def test_outside_of_it_stepping_out_changes_nothing() -> None:
    def inside() -> list[bytes]:
        def elsewhere() -> None:
            with stepping_out():
                pass

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(_TIMEOUT)
        assert not thread.is_alive()
        return []

    assert call(inside) == []


@pytest.mark.usefixtures("unhurried")
def test_a_forked_process_has_its_own() -> None:
    def fork() -> list[bytes]:
        child = os.fork()
        if child == 0:
            os._exit(0 if call(lambda: [b"in"]) == [b"in"] else 1)
        assert os.waitpid(child, 0)[1] == 0
        return []

    call(fork)


@pytest.mark.usefixtures("unhurried")
def test_who_steps_out_lets_others_pass_and_does_not_come_back() -> None:
    def leave() -> list[bytes]:
        assert step_out()
        assert not step_out()
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(call, lambda: [b"passed"]).result(_TIMEOUT)  # type: ignore[no-any-return]

    assert call(leave) == [b"passed"]


@pytest.fixture
def told() -> Iterator[list[bool]]:
    """Grows by one whenever a request is said to have stepped out with no other in front."""
    times: list[bool] = []
    request_gate.when_free(lambda: times.append(request_gate.others_wait()))
    yield times
    request_gate.when_free(None)


def test_who_steps_out_with_nobody_in_front_says_so(told: list[bool]) -> None:
    with through():
        with stepping_out():
            assert told == [False]
        step_out(tells=False)
        step_out()
    assert told == [False]


@pytest.mark.usefixtures("unhurried")
def test_who_steps_out_before_others_need_not(told: list[bool]) -> None:
    with ThreadPoolExecutor(1) as pool:
        with through():
            other = pool.submit(call, lambda: list(told))
            while not request_gate.others_wait():
                time.sleep(0.001)
        assert other.result(_TIMEOUT) == []
    assert told == [False]  # the other's
    assert not request_gate.others_wait()


def test_nobody_is_told_by_whoever_was_not_inside(told: list[bool]) -> None:
    with stepping_out():
        step_out()
    assert told == []


@pytest.mark.parametrize(
    ("status", "length", "small"),
    [
        (200, 90, True),
        (204, None, True),
        (304, None, True),
        (200, 10**6, False),
        (200, None, False),
    ],
)
def test_small_answers_are_sent_within_the_gate(
    status: int, length: int | None, small: bool
) -> None:
    # An append is answered 204. To step out before it wakes two threads for nothing.
    response = SimpleNamespace(status_code=status, response_length=length)
    assert worker_module._is_small(response) is small
