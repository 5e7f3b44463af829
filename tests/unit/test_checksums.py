"""The storable checksums equal hashlib's however they are cut, frozen and thawed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.checksum import libcrypto, registry
from chunked_upload.checksum.libcrypto import LibcryptoChecksum
from chunked_upload.checksum.md5 import MD5
from chunked_upload.checksum.sha256 import SHA256
from chunked_upload.checksum.sha512 import SHA512
from chunked_upload.errors import ConfigurationError
from tests.support.missing import skip_without

KINDS = pytest.mark.parametrize("kind", [MD5, SHA256, SHA512], ids=lambda kind: kind.name)


@pytest.fixture(autouse=True)
def _needs_libcrypto() -> None:
    if not all(kind.resumable() for kind in (MD5, SHA256, SHA512)):
        skip_without("MD5_Init in libcrypto", install="a Python linked with OpenSSL")


def plain(kind: type[LibcryptoChecksum], data: bytes = b"") -> Any:
    return hashlib.new(kind.name, data, usedforsecurity=False)


@KINDS
@given(pieces=st.lists(st.binary(max_size=300)))
def test_freeze_and_thaw_at_any_split(kind: type[LibcryptoChecksum], pieces: list[bytes]) -> None:
    state, running = kind().freeze(), kind()
    expected = plain(kind)
    for piece in pieces:
        thawed = kind.thaw(state)
        thawed.update(piece)
        state = thawed.freeze()
        running.update(piece)
        expected.update(piece)
        assert kind.thaw(state).hexdigest() == running.hexdigest() == expected.hexdigest()


@KINDS
@pytest.mark.parametrize("size", [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 10_000])
def test_around_the_block_size(kind: type[LibcryptoChecksum], size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    for cut in {0, 1, size // 2, max(size - 1, 0), size}:
        first = kind()
        first.update(data[:cut])
        second = kind.thaw(first.freeze())
        second.update(data[cut:])
        assert second.hexdigest() == plain(kind, data).hexdigest()


@KINDS
def test_asking_does_not_end_it(kind: type[LibcryptoChecksum]) -> None:
    running = kind()
    running.update(b"a")
    assert running.hexdigest() == running.hexdigest() == plain(kind, b"a").hexdigest()
    running.update(b"b")
    assert running.hexdigest() == plain(kind, b"ab").hexdigest()


@KINDS
def test_a_copy_goes_its_own_way(kind: type[LibcryptoChecksum]) -> None:
    running = kind()
    running.update(b"a")
    other = running.copy()
    other.update(b"x")
    assert running.hexdigest() == plain(kind, b"a").hexdigest()
    assert other.hexdigest() == plain(kind, b"ax").hexdigest()


@KINDS
def test_the_state_is_small(kind: type[LibcryptoChecksum]) -> None:
    running = kind()
    running.update(b"x" * 1_000_000)
    assert len(running.freeze()) < 250


#: What hashlib says of half a GiB of zeros.
HALF_A_GIB = {
    MD5: "aa559b4e3523a6c931f08f4df52d58f2",
    SHA256: "9acca8e8c22201155389f65abbf6bc9723edc7384ead80503839f49dcc56d767",
    SHA512: "df68d060d2adafc2c4794407118f8116d000715233b2550302115556380d1d5b"
    "018ebce1c7fa412a8bc5e01e097b33db64d1e9117b3f7bdd8925f09b6594590a",
}


@pytest.mark.long
@KINDS
def test_more_than_half_a_gib_is_counted(kind: type[LibcryptoChecksum]) -> None:
    """Both count bits in two words of 32; a stored count must carry over as well."""
    block = b"\0" * 2**24
    running = kind()
    for number in range(32):
        if number == 16:
            running = kind.thaw(running.freeze())
        running.update(block)
    assert running.hexdigest() == HALF_A_GIB[kind]


@pytest.mark.parametrize(
    "state", [b"", b"x", b"md5/1:", b"md5/1:" + b"\0" * 91, b"md5/2:" + b"\0" * 92]
)
def test_states_of_another_make_are_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored md5 state"):
        MD5.thaw(state)


def test_the_state_of_another_checksum_is_refused() -> None:
    with pytest.raises(ValueError, match="not a stored sha256 state"):
        SHA256.thaw(MD5().freeze())


@KINDS
def test_without_libcrypto_hashlib_hashes(
    kind: type[LibcryptoChecksum], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = kind().freeze()
    monkeypatch.setattr(libcrypto, "find_functions", lambda *_: None)
    assert not kind.resumable()
    running = kind()
    running.update(b"a")
    other = running.copy()
    other.update(b"b")
    assert running.hexdigest() == plain(kind, b"a").hexdigest()
    assert other.hexdigest() == plain(kind, b"ab").hexdigest()
    with pytest.raises(ValueError, match="not a stored"):
        kind.thaw(state)


def test_a_layout_that_is_not_openssls_is_not_used() -> None:
    """SHA-256's functions with the name of another digest: what comes out differs."""
    assert libcrypto.find_functions("sha224", "SHA256", 112) is None
    assert libcrypto.find_functions("md5", "NoSuchDigest", 92) is None


# The registry


@pytest.fixture
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    registry._known.cache_clear()
    yield
    registry._known.cache_clear()


class Sum:
    """The sum of the bytes: a third party's checksum."""

    name = "sum"


def offer(monkeypatch: pytest.MonkeyPatch, name: str, kind: Any) -> None:
    """Let an installed package have an entry point."""
    point = SimpleNamespace(name=name, load=lambda: kind)
    found = lambda group: [point] if group == "chunked_upload.checksums" else []  # noqa: E731
    monkeypatch.setattr(registry, "entry_points", found)


def test_checksums_are_found_by_name() -> None:
    assert (registry.find("md5"), registry.find("sha256")) == (MD5, SHA256)
    with pytest.raises(ConfigurationError, match=r"unknown checksum 'crc'; known are \['md5',"):
        registry.find("crc")


@pytest.mark.usefixtures("empty_registry")
def test_another_packages_checksum_is_found_by_its_entry_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer(monkeypatch, "sum", Sum)
    assert registry.find("sum").name == "sum"
    assert set(registry.names()) == {"md5", "sha256", "sha512", "sum"}


@pytest.mark.usefixtures("empty_registry")
def test_an_entry_point_of_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "total", Sum)
    with pytest.raises(ConfigurationError, match="both names must be the same"):
        registry.find("sum")


@pytest.mark.parametrize("name", ["", "SHA", "sha-1", "x" * 33, "1st"])
def test_a_name_that_cannot_be_a_field_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters and digits"):
        registry.register(type("Bad", (), {"name": name}))


@pytest.mark.usefixtures("empty_registry")
def test_a_name_is_one_checksums() -> None:
    with pytest.raises(ValueError, match="there is a checksum 'md5' already"):
        registry.register(type("Other", (), {"name": "md5"}))
