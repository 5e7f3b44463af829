"""What workers know of each other's connections; that they share it is in tests/server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from chunked_upload.siblings import Siblings

Note = Callable[..., None]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Another process."""
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def siblings() -> Siblings:
    return Siblings()


@pytest.fixture
def note(siblings: Siblings, monkeypatch: pytest.MonkeyPatch) -> Note:
    """Note the connections of a process."""

    def as_process(process: int, place: int, connections: int) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: process)
            siblings.note(place, connections)

    return as_process


def test_a_worker_alone_has_no_others(siblings: Siblings) -> None:
    siblings.note(1, 5)
    assert siblings.least() is None


def test_the_least_is_of_the_others(
    siblings: Siblings, note: Note, sleeper: subprocess.Popen[bytes]
) -> None:
    siblings.note(1, 1)
    note(sleeper.pid, 2, 7)
    note(os.getppid(), 3, 9)
    assert siblings.least() == 7
    note(sleeper.pid, 2, 10)
    assert siblings.least() == 9


def test_a_worker_that_was_killed_does_not_count(
    siblings: Siblings, note: Note, sleeper: subprocess.Popen[bytes]
) -> None:
    note(sleeper.pid, 1, 0)
    assert siblings.least() == 0
    sleeper.kill()
    sleeper.wait()
    assert siblings.least() is None


def test_places_begin_anew(siblings: Siblings, note: Note) -> None:
    note(os.getppid(), 1_000_001, 4)
    assert siblings.least() == 4
