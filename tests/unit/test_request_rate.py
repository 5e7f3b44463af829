"""Requests a second, counted by several processes in one file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chunked_upload.http.access import request_rate
from chunked_upload.http.access.request_rate import RequestRate


def child(do: Callable[[], int]) -> int:
    """Do something in a child of this process, which ends with the returned status; its id."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            status = do()
        finally:
            os._exit(status)
    return pid


def test_processes_share_the_counts(tmp_path: Path) -> None:
    """Four of them, for half a second each: what is taken is one burst, and the rate."""

    def take_all() -> int:
        rate, taken, until = RequestRate(tmp_path / "rate"), 0, time.monotonic() + 0.5
        while time.monotonic() < until:
            taken += rate.take("ann", per_second=20) == 0
        return taken

    begun = time.monotonic()
    children = [child(take_all) for _ in range(4)]
    taken = sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)
    assert 20 <= taken <= 20 + 20 * (time.monotonic() - begun) + 1


def test_a_child_of_a_process_that_has_counted_counts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_rate, "monotonic", lambda: 5.0)
    rate = RequestRate(tmp_path / "rate")
    assert rate.take("ann", per_second=1) == 0
    pid = child(lambda: 7 if rate.take("ann", per_second=1) > 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_more_owners_than_places_are_limited_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_rate, "_SLOTS", 8)
    monkeypatch.setattr(request_rate, "monotonic", lambda: 5.0)
    rate = RequestRate(tmp_path / "rate")
    answers = [rate.take(f"owner {number}", per_second=1) for number in range(20)]
    assert sum(answer == 0 for answer in answers) <= 9


def test_a_clock_that_began_again_locks_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = RequestRate(tmp_path / "rate")
    monkeypatch.setattr(request_rate, "monotonic", lambda: 1_000_000.0)
    assert rate.take("ann", per_second=1) == 0
    monkeypatch.setattr(request_rate, "monotonic", lambda: 5.0)
    assert rate.take("ann", per_second=1) == 0
    assert rate.take("ann", per_second=1) == 1
