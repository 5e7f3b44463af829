"""A wall clock that is stepped by a day, in both directions, while uploads go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from chunked_upload.records.clock import DatabaseClock
from chunked_upload.support.clock import utcnow
from tests.support.protocol import Protocol, md5_of

Step = Callable[[timedelta], None]

_DAY = timedelta(days=1, minutes=1)


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> Step:
    """Return a function that sets the database's clock so much apart from the true time."""

    def step(by: timedelta) -> None:
        monkeypatch.setattr(DatabaseClock, "now", lambda clock: utcnow() + by)

    return step


def test_an_upload_survives_a_clock_that_leaps_ahead_and_is_set_right_again(
    protocol: Protocol, step: Step
) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]

    step(_DAY)
    ahead = protocol.chunk(b"world", 6, 11, upload_id=upload_id)
    assert (ahead.status_code, ahead.get_json()["detail"]) == (410, "Upload has expired")

    step(timedelta())
    assert protocol.state(upload_id).get_json()["offset"] == 6
    assert protocol.chunk(b"world", 6, 11, upload_id=upload_id).get_json()["offset"] == 11
    assert protocol.complete(upload_id, b"hello world").status_code == 200


def test_an_upload_goes_on_under_a_clock_that_leaps_back(protocol: Protocol, step: Step) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]

    step(-_DAY)
    assert protocol.chunk(b"world", 6, 11, upload_id=upload_id).get_json()["offset"] == 11
    done = protocol.complete(upload_id, b"hello world")
    assert (done.status_code, done.get_json()["md5"]) == (200, md5_of(b"hello world"))


def test_a_completed_upload_never_expires_whatever_the_clock_says(
    protocol: Protocol, step: Step
) -> None:
    upload_id = protocol.completed(b"hello world")

    step(3650 * _DAY)
    assert protocol.state(upload_id).status_code == 200
    assert protocol.complete(upload_id, b"hello world").status_code == 200
    with protocol.client.get(f"/uploads/{upload_id}/file") as file:
        assert file.data == b"hello world"
