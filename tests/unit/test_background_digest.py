"""Background digests: never far behind, never ahead of the bytes, always right."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.checksum import background
from chunked_upload.checksum.background import MAX_LAG, BackgroundDigest, BackgroundDigests
from chunked_upload.checksum.md5 import MD5
from tests.support.protocol import md5_of
from tests.unit.conftest import Gate

BUFFER = 256 * 1024


def md5_at(digest: BackgroundDigest) -> tuple[str, int]:
    states, seen = digest.reached
    return MD5.thaw(states["md5"]).hexdigest(), seen


@given(
    sizes=st.lists(st.sampled_from([0, 1, 63, 64, 1000, 128 * 1024, 128 * 1024 + 1, BUFFER])),
    start=st.integers(0, 200),
)
def test_all_that_was_handed_over_is_hashed_in_order(sizes: list[int], start: int) -> None:
    before = bytes(range(200))[:start]
    md5 = MD5()
    md5.update(before)
    digest = BackgroundDigest([md5], start)
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(bytes([len(pieces) % 256]) * size)
        digest.feed(pieces[-1])
    whole = before + b"".join(pieces)
    found, seen = md5_at(digest)
    assert found == md5_of(whole[:seen])
    digest.wait()
    assert md5_at(digest) == (md5_of(whole), len(whole))
    assert digest.end == len(whole)


def test_a_small_buffer_is_hashed_at_once() -> None:
    digest = BackgroundDigest([MD5()], 0)
    digest.feed(b"small")
    assert md5_at(digest) == (md5_of(b"small"), 5)


def test_the_request_does_not_wait_for_the_digest(gate: Gate) -> None:
    digest = BackgroundDigest([MD5()], 0)
    for _ in range(8):
        digest.feed(bytes(BUFFER))
    assert (digest.lag, md5_at(digest)) == (8 * BUFFER, (md5_of(b""), 0))
    gate.open()
    digest.wait()
    assert md5_at(digest) == (md5_of(bytes(8 * BUFFER)), 8 * BUFFER)


def test_a_digest_too_far_behind_is_waited_for(gate: Gate) -> None:
    digest = BackgroundDigest([MD5()], 0)
    for _ in range(MAX_LAG // BUFFER):
        digest.feed(bytes(BUFFER))
    feeder = threading.Thread(target=digest.feed, args=(bytes(BUFFER),))
    feeder.start()
    feeder.join(0.1)
    assert feeder.is_alive()
    gate.open()
    feeder.join(60)
    assert not feeder.is_alive()
    assert digest.lag <= MAX_LAG
    digest.wait()


def test_all_digests_together_hold_a_bounded_number_of_bytes(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_MAX_ALL", 4 * BUFFER)
    digests = [BackgroundDigest([MD5()], 0) for _ in range(5)]
    for digest in digests[:4]:
        digest.feed(bytes(BUFFER))
    last = threading.Thread(target=digests[4].feed, args=(bytes(BUFFER),))
    last.start()
    last.join(0.1)
    assert last.is_alive()
    gate.open()
    last.join(60)
    assert not last.is_alive()
    for digest in digests:
        digest.wait()


def test_more_digests_than_threads_all_arrive() -> None:
    digests = [BackgroundDigest([MD5()], 0) for _ in range(20)]
    for n in range(10):
        for digest in digests:
            digest.feed(bytes([n]) * BUFFER)
    expected = md5_of(b"".join(bytes([n]) * BUFFER for n in range(10)))
    for digest in digests:
        digest.wait()
        assert md5_at(digest)[0] == expected


def test_a_forked_process_hashes_too() -> None:
    BackgroundDigest([MD5()], 0).feed(bytes(BUFFER))  # this process has its threads
    child = os.fork()
    if child == 0:
        digest = BackgroundDigest([MD5()], 0)
        digest.feed(bytes(BUFFER))
        digest.wait()
        os._exit(0 if md5_at(digest)[0] == md5_of(bytes(BUFFER)) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_background_digest_is_taken_once_and_only_at_its_end() -> None:
    digests = BackgroundDigests()
    digest = BackgroundDigest([MD5()], 0)
    digest.feed(b"data")
    digests.keep("a", digest)
    assert digests.take("b", 4) is None
    assert digests.take("a", 4) is digest
    assert digests.take("a", 4) is None
    digests.keep("a", digest)
    assert digests.take("a", 3) is None
    assert digests.take("a", 4) is None


def test_the_digests_of_many_uploads_are_not_kept_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "_MOST_KEPT", 2)
    digests = BackgroundDigests()
    for upload_id in "abac":
        digests.keep(upload_id, BackgroundDigest([MD5()], 0))
    assert [digests.take(upload_id, 0) is not None for upload_id in "abc"] == [True, False, True]
