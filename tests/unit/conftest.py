"""What the unit tests share. Hypothesis has no deadlines, as machines are shared."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from chunked_upload.checksum import background
from chunked_upload.checksum.md5 import MD5
from tests.support.examples import examples

settings.register_profile(
    "unit",
    deadline=None,
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unit")


class Gate:
    """Holds back the threads that hash, until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.reached = threading.Event()

    def open(self) -> None:
        self._open.set()

    def update(self, digest: MD5, data: bytes) -> None:
        self.reached.set()
        assert self._open.wait(60)
        _update(digest, data)


_update = MD5.update


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Every digest stands still until this is opened."""
    made = Gate()
    # With threads of its own: those of other tests may still be at work.
    monkeypatch.setattr(background, "_threads_of_process", background._Threads())
    monkeypatch.setattr(MD5, "update", lambda digest, data: made.update(digest, data))
    yield made
    made.open()
