"""The body is counted: its end is believed only when something other than the end says so."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.engine.errors import SizeMismatch
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequestHeaders, LengthRequired, UnsupportedBody
from chunked_upload.http.wire.body import Body


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as sockets do."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data, self._sizes = data, sizes

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._sizes:
            size = min(size, self._sizes.pop(0))
        data, self._data = self._data[:size], self._data[size:]
        return data


def body(data: bytes | io.RawIOBase, **environ: Any) -> Body:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return Body({"wsgi.input": stream, **environ})


def chunked(data: bytes, **environ: Any) -> Body:
    return body(
        data, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True}, **environ
    )


@given(st.binary(max_size=1000), st.integers(0, 1200), st.lists(st.integers(1, 50)))
def test_exactly_content_length_bytes_or_an_error(
    data: bytes, length: int, sizes: list[int]
) -> None:
    one = body(Trickle(data, sizes), CONTENT_LENGTH=str(length))
    if length <= len(data):
        assert b"".join(one) == data[:length]
        assert one.received == length
    else:
        with pytest.raises(SizeMismatch):
            list(one)
        assert one.received == len(data)


@given(st.binary(max_size=1000), st.lists(st.integers(1, 50)))
def test_a_chunked_body_is_read_to_its_end(data: bytes, sizes: list[int]) -> None:
    one = body(
        Trickle(data, sizes), HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True}
    )
    assert one.length is None
    assert b"".join(one) == data


def test_no_length_is_no_body() -> None:
    for environ in ({}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}):
        one = body(b"of the next request", **environ)
        assert one.length == 0
        assert list(one) == []


@given(st.text(max_size=30) | st.from_regex(r"[-+ ]?[0-9]+[. ]?", fullmatch=True))
def test_content_length_is_a_plain_number(text: str) -> None:
    plain = text.isascii() and text.isdigit() and len(text) <= 19
    if plain or not text:
        assert body(b"", CONTENT_LENGTH=text).length == int(text or 0)
    else:
        with pytest.raises(BadRequestHeaders):
            body(b"", CONTENT_LENGTH=text)


def test_both_lengths_exclude_each_other() -> None:
    for length in ("0", "5"):
        with pytest.raises(BadRequestHeaders):
            chunked(b"", CONTENT_LENGTH=length)


@pytest.mark.parametrize("value", ["gzip", "gzip, chunked", "chunked, chunked", "identity", "x"])
def test_other_transfer_encodings(value: str) -> None:
    with pytest.raises(BadRequestHeaders):
        body(b"", HTTP_TRANSFER_ENCODING=value)


@pytest.mark.parametrize("value", ["chunked", "Chunked", " chunked "])
def test_chunked_in_any_case(value: str) -> None:
    assert body(b"", HTTP_TRANSFER_ENCODING=value).length is None


@pytest.mark.parametrize("value", ["gzip", "br", "gzip, identity", "GZIP"])
def test_compressed_bodies(value: str) -> None:
    with pytest.raises(UnsupportedBody):
        body(b"", HTTP_CONTENT_ENCODING=value)


@pytest.mark.parametrize("value", ["", "identity", "Identity", " identity "])
def test_bodies_as_they_are(value: str) -> None:
    assert body(b"", HTTP_CONTENT_ENCODING=value).length == 0


def test_the_end_must_be_told_by_something() -> None:
    body(b"x", CONTENT_LENGTH="1").require_end(framed=False)
    chunked(b"x").require_end(framed=True)
    with pytest.raises(LengthRequired):
        chunked(b"x").require_end(framed=False)
    with pytest.raises(LengthRequired):
        body(b"x", HTTP_TRANSFER_ENCODING="chunked").require_end(framed=True)


@pytest.mark.parametrize("error", [ConnectionResetError(), OSError("broken"), EOFError()])
def test_a_connection_that_breaks(error: Exception) -> None:
    class Broken(Trickle):
        def read(self, size: int = -1) -> bytes:
            raise error

    with pytest.raises(SizeMismatch):
        list(body(Broken(b"", []), CONTENT_LENGTH="5"))


@given(st.binary(max_size=200), st.integers(0, 200), st.booleans())
def test_small_bodies_are_read_whole_or_not(data: bytes, limit: int, declared: bool) -> None:
    one = body(data, CONTENT_LENGTH=str(len(data))) if declared else chunked(data)
    assert one.read_all(limit) == (data if len(data) <= limit else None)


def test_too_large_by_its_length_is_not_read() -> None:
    class Untouchable(Trickle):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("read")

    assert body(Untouchable(b"", []), CONTENT_LENGTH="101").read_all(100) is None


def test_no_buffer_is_larger_than_asked() -> None:
    """Memory stays flat whatever the chunk's size."""
    sizes = [len(data) for data in body(b"x" * 2_000_000, CONTENT_LENGTH="2000000")]
    assert max(sizes) <= 2**20
    assert sum(sizes) == 2_000_000


def test_every_refusal_is_a_client_error() -> None:
    for environ in ({"CONTENT_LENGTH": "x"}, {"HTTP_CONTENT_ENCODING": "gzip"}):
        with pytest.raises(ChunkedUploadError) as caught:
            body(b"", **environ)
        assert 400 <= (caught.value.status_code or 0) < 500


class Clock:
    """A stream whose reads take as long as it is told, and the clock that shows it."""

    def __init__(self, seconds: list[float]) -> None:
        self.asked: list[int] = []
        self.now = 0.0
        self._seconds = seconds

    def read(self, size: int) -> bytes:
        self.asked.append(size)
        self.now += self._seconds.pop(0)
        return bytes(size)


def test_quick_clients_are_asked_for_much_and_slow_ones_for_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kib = 1024
    clock = Clock([0.001, 0.001, 0.001, 0.05, 2.0, 0.05, 0.001, 0.001])
    monkeypatch.setattr("chunked_upload.http.wire.body.time.monotonic", lambda: clock.now)
    arriving = iter(body(clock, CONTENT_LENGTH=str(2**30)))  # type: ignore[arg-type]
    for _ in range(8):
        next(arriving)
    assert [size // kib for size in clock.asked] == [16, 64, 256, 1024, 1024, 16, 16, 64]


@pytest.mark.parametrize(
    ("length", "asked"), [(65_000, 65_000), (98_304, 98_304), (98_305, 16_384)]
)
def test_a_small_body_is_asked_for_at_once(length: int, asked: int) -> None:
    stream = Clock([0.0] * 9)
    next(iter(body(stream, CONTENT_LENGTH=str(length))))  # type: ignore[arg-type]
    assert stream.asked == [asked]


def test_a_buffer_is_let_go_before_the_next_is_waited_for() -> None:
    alive, seen = [0], []

    class Buffer(bytes):
        def __del__(self) -> None:
            alive[0] -= 1

    class Stream(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            seen.append(alive[0])
            alive[0] += 1
            return Buffer(size)

    for data in body(Stream(), CONTENT_LENGTH=str(2**20)):
        assert data
        del data
    assert set(seen) == {0}
