"""The store's clock, as its answers tell it."""

from __future__ import annotations

import time

import pytest

from chunked_upload.storage.s3.clock import StoreClock


def test_the_time_is_the_stores_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StoreClock()
    assert clock.now is None
    clock.hear({"Date": "Thu, 01 Jan 1970 01:00:00 GMT"})
    assert clock.now == pytest.approx(3600, abs=60)
    later = time.monotonic() + 1000
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert clock.now == pytest.approx(4600, abs=60)


def test_an_answer_without_a_usable_date_changes_nothing() -> None:
    clock = StoreClock()
    for headers in ({}, {"Date": ""}, {"Date": "soon"}):
        clock.hear(headers)
    assert clock.now is None
