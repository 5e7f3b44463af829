"""Trails: digests that follow in their own time, never far behind, never ahead, always right."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.checksum import background as trailing
from chunked_upload.checksum.background import MAX_LAG, Trail, Trails
from chunked_upload.checksum.md5 import MD5
from tests.support.protocol import md5_of

BUFFER = 256 * 1024


class Gate:
    """Holds back whoever hashes, until opened."""

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
    monkeypatch.setattr(trailing, "_hashers", trailing._Hashers())
    monkeypatch.setattr(MD5, "update", lambda digest, data: made.update(digest, data))
    yield made
    made.open()


def md5_at(trail: Trail) -> tuple[str, int]:
    state, seen = trail.reached
    return MD5(state).hexdigest(), seen


@given(
    sizes=st.lists(st.sampled_from([0, 1, 63, 64, 1000, 128 * 1024, 128 * 1024 + 1, BUFFER])),
    start=st.integers(0, 200),
)
def test_all_that_was_handed_over_is_hashed_in_order(sizes: list[int], start: int) -> None:
    before = bytes(range(200))[:start]
    digest = MD5()
    digest.update(before)
    trail = Trail(digest, start)
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(bytes([len(pieces) % 256]) * size)
        trail.feed(pieces[-1])
    whole = before + b"".join(pieces)
    found, seen = md5_at(trail)
    assert found == md5_of(whole[:seen])
    trail.wait()
    assert md5_at(trail) == (md5_of(whole), len(whole))
    assert trail.end == len(whole)


def test_a_small_buffer_is_hashed_at_once() -> None:
    trail = Trail(MD5(), 0)
    trail.feed(b"small")
    assert md5_at(trail) == (md5_of(b"small"), 5)


def test_whoever_brings_bytes_does_not_wait_for_the_digest(gate: Gate) -> None:
    trail = Trail(MD5(), 0)
    for _ in range(8):
        trail.feed(bytes(BUFFER))
    assert (trail.lag, md5_at(trail)) == (8 * BUFFER, (md5_of(b""), 0))
    gate.open()
    trail.wait()
    assert md5_at(trail) == (md5_of(bytes(8 * BUFFER)), 8 * BUFFER)


def test_a_digest_too_far_behind_is_waited_for(gate: Gate) -> None:
    trail = Trail(MD5(), 0)
    for _ in range(MAX_LAG // BUFFER):
        trail.feed(bytes(BUFFER))
    feeder = threading.Thread(target=trail.feed, args=(bytes(BUFFER),))
    feeder.start()
    feeder.join(0.1)
    assert feeder.is_alive()
    gate.open()
    feeder.join(60)
    assert not feeder.is_alive()
    assert trail.lag <= MAX_LAG
    trail.wait()


def test_all_trails_together_hold_a_bounded_number_of_bytes(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trailing, "_MAX_ALL", 4 * BUFFER)
    trails = [Trail(MD5(), 0) for _ in range(5)]
    for trail in trails[:4]:
        trail.feed(bytes(BUFFER))
    last = threading.Thread(target=trails[4].feed, args=(bytes(BUFFER),))
    last.start()
    last.join(0.1)
    assert last.is_alive()
    gate.open()
    last.join(60)
    assert not last.is_alive()
    for trail in trails:
        trail.wait()


def test_more_trails_than_threads_all_arrive() -> None:
    trails = [Trail(MD5(), 0) for _ in range(20)]
    for n in range(10):
        for trail in trails:
            trail.feed(bytes([n]) * BUFFER)
    expected = md5_of(b"".join(bytes([n]) * BUFFER for n in range(10)))
    for trail in trails:
        trail.wait()
        assert md5_at(trail)[0] == expected


def test_a_forked_process_hashes_too() -> None:
    Trail(MD5(), 0).feed(bytes(BUFFER))  # this process has its threads
    child = os.fork()
    if child == 0:
        trail = Trail(MD5(), 0)
        trail.feed(bytes(BUFFER))
        trail.wait()
        os._exit(0 if md5_at(trail)[0] == md5_of(bytes(BUFFER)) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_trail_is_taken_once_and_only_at_its_end() -> None:
    trails = Trails()
    trail = Trail(MD5(), 0)
    trail.feed(b"data")
    trails.keep("a", trail)
    assert trails.take("b", 4) is None
    assert trails.take("a", 4) is trail
    assert trails.take("a", 4) is None
    trails.keep("a", trail)
    assert trails.take("a", 3) is None
    assert trails.take("a", 4) is None


def test_the_trails_of_many_uploads_are_not_kept_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trailing, "_MOST_KEPT", 2)
    trails = Trails()
    for upload_id in "abac":
        trails.keep(upload_id, Trail(MD5(), 0))
    assert [trails.take(upload_id, 0) is not None for upload_id in "abc"] == [True, False, True]
