"""The storable MD5 equals hashlib's however it is cut, frozen and thawed."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.checksum import md5 as digest
from chunked_upload.checksum.md5 import MD5
from tests.support.missing import skip_without
from tests.support.protocol import md5_of


@pytest.fixture(autouse=True)
def _needs_libcrypto() -> None:
    if digest.resumable_md5() is None:
        skip_without("MD5_Init in libcrypto", install="a Python linked with OpenSSL")


@given(st.lists(st.binary(max_size=300)))
def test_freeze_and_thaw_at_any_split(pieces: list[bytes]) -> None:
    state, running = None, MD5()
    plain = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        thawed = MD5(state)
        thawed.update(piece)
        state = thawed.state()
        running.update(piece)
        plain.update(piece)
        assert MD5(state).hexdigest() == running.hexdigest() == plain.hexdigest()


@pytest.mark.parametrize("size", [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 10_000])
def test_around_the_block_size(size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    for cut in {0, 1, size // 2, max(size - 1, 0), size}:
        first = MD5()
        first.update(data[:cut])
        second = MD5(first.state())
        second.update(data[cut:])
        assert second.hexdigest() == md5_of(data)


def test_asking_does_not_end_it() -> None:
    running = MD5()
    running.update(b"a")
    assert running.hexdigest() == running.hexdigest() == md5_of(b"a")
    running.update(b"b")
    assert running.hexdigest() == md5_of(b"ab")


def test_a_copy_goes_its_own_way() -> None:
    running = MD5()
    running.update(b"a")
    other = running.copy()
    other.update(b"x")
    assert running.hexdigest() == md5_of(b"a")
    assert other.hexdigest() == md5_of(b"ax")


def test_the_state_is_small() -> None:
    running = MD5()
    running.update(b"x" * 1_000_000)
    assert len(running.state()) < 200


def test_more_than_half_a_gib_is_counted() -> None:
    """MD5 counts bits in two words of 32; a stored count must carry over as well."""
    block = b"\0" * 2**28
    plain = hashlib.md5(usedforsecurity=False)
    running = MD5()
    for _ in range(2):
        plain.update(block)
        running = MD5(running.state())
        running.update(block)
    assert running.hexdigest() == plain.hexdigest()


@pytest.mark.parametrize(
    "state", [b"", b"x", b"md5/1:", b"md5/1:" + b"\0" * 91, b"md5/2:" + b"\0" * 92]
)
def test_states_of_another_make_are_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored MD5 state"):
        MD5(state)


def test_picking_up() -> None:
    running = MD5()
    running.update(b"hello ")
    picked = MD5.pick_up(running.state(), 6, 6)
    assert picked is not None
    picked.update(b"world")
    assert picked.hexdigest() == md5_of(b"hello world")
    fresh = MD5.pick_up(None, 0, 0)
    assert fresh is not None
    assert fresh.hexdigest() == md5_of(b"")
    assert MD5.pick_up(running.state(), 6, 5) is None  # stands elsewhere
    assert MD5.pick_up(None, 6, 6) is None  # missing
    assert MD5.pick_up(b"of another version", 6, 6) is None
