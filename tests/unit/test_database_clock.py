"""The clock that all hosts share: the database's, whatever this host's own says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from chunked_upload.records import clock
from chunked_upload.records.clock import DatabaseClock

DAY = timedelta(days=1)
#: Nothing connects to it.
POSTGRESQL = create_engine("postgresql+psycopg://nobody@localhost/none")


def asking(ask: Callable[[], int]) -> DatabaseClock:
    return DatabaseClock(lambda: POSTGRESQL, ask)


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(seconds=5)


@pytest.mark.parametrize("wrong_by", [DAY, -DAY, timedelta(minutes=10)])
def test_this_hosts_clock_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, wrong_by: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    right = datetime.now(UTC)
    monkeypatch.setattr(clock, "utcnow", lambda: right + wrong_by)
    shared = asking(lambda: int(right.timestamp()))
    assert near(shared.now(), right)
    assert near(shared.now(), right)
    [said] = caplog.messages
    assert ("ahead of" if wrong_by > timedelta(0) else "behind") in said


def test_it_is_asked_once_a_minute_and_goes_on_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    uptime = [1000.0]
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def ask() -> int:
        asked.append(1)
        return int((start + timedelta(seconds=uptime[0] - 1000)).timestamp())

    monkeypatch.setattr("chunked_upload.records.clock.time.monotonic", lambda: uptime[0])
    shared = asking(ask)
    for passed in (0, 30, 59, 61, 90):
        uptime[0] = 1000.0 + passed
        assert shared.now() == start + timedelta(seconds=passed)
    assert len(asked) == 2


def test_a_database_that_fails_is_not_asked_for_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = datetime.now(UTC)
    answers = [int(right.timestamp())]
    monkeypatch.setattr(clock, "utcnow", lambda: right + DAY)

    def ask() -> int:
        if not answers:
            raise OperationalError("SELECT", {}, Exception("gone"))
        return answers.pop()

    shared = asking(ask)
    shared.now()
    monkeypatch.setattr(clock, "_ASKED_EVERY", 0.0)
    assert near(shared.now(), right)


def test_without_any_answer_it_is_this_hosts() -> None:
    def ask() -> int:
        raise OperationalError("SELECT", {}, Exception("gone"))

    assert near(asking(ask).now(), datetime.now(UTC))


def test_a_database_that_took_long_to_fail_is_not_asked_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The requests that have waited for the answer would ask, one after another."""
    asked: list[int] = []
    uptime = [1000.0]

    def ask() -> int:
        asked.append(1)
        uptime[0] += 10  # two hosts that do not answer
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr("chunked_upload.records.clock.time.monotonic", lambda: uptime[0])
    shared = asking(ask)
    for _ in range(3):
        shared.now()
    assert len(asked) == 1
    uptime[0] += 6
    shared.now()
    assert len(asked) == 2


def test_sqlite_has_this_hosts_clock() -> None:
    engine = create_engine("sqlite://")
    assert near(DatabaseClock(lambda: engine, lambda: 0).now(), datetime.now(UTC))
