"""The multipart decoder: its grammar, and what it refuses. Arbitrary pieces: test_incoming.py."""

from __future__ import annotations

import sys
import weakref

import pytest

from chunked_upload.http.wire.multipart import (
    MAX_HEADERS,
    MAX_PREAMBLE,
    PART_END,
    FormDecoder,
    FormTooLarge,
    MalformedForm,
    Part,
)

HEAD = b'Content-Disposition: form-data; name="a"\r\n'


def decode(body: bytes, *, step: int = 7, max_parts: int = 10) -> list[object]:
    """Decode a body fed in small pieces; content is joined, ends of parts are left out."""
    decoder = FormDecoder("B", max_parts=max_parts)
    events: list[object] = []
    for at in range(0, len(body), step):
        for event in decoder.feed(body[at : at + step]):
            if isinstance(event, bytes) and isinstance(events[-1], bytes):
                events[-1] += event
            else:
                events.append(event)
    decoder.close()
    return [event for event in events if event is not PART_END]


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
def test_parts_and_their_bytes(step: int) -> None:
    body = (
        b"--B\r\n" + HEAD + b"\r\none\r\n--B  \t\r\n"
        b'content-disposition: form-data; name="f"; filename="x y"\r\nContent-Type: a/b\r\n\r\n'
        b"t\r\n-\r\r\n--b\r\nwo\r\n--B--\r\nan epilogue --B\r\n"
    )
    assert decode(body, step=step) == [
        Part("a", None),
        b"one",
        Part("f", "x y", "a/b"),
        b"t\r\n-\r\r\n--b\r\nwo",
    ]


def test_what_has_been_handed_out_is_not_kept() -> None:
    """A thousand clients that stall must not keep a thousand buffers."""
    decoder = FormDecoder("B", max_parts=10)
    buffer = b"--B\r\n" + HEAD + b"\r\n" + bytes(2**16) + b"\r\n--"
    before = sys.getrefcount(buffer)
    for _ in decoder.feed(buffer):
        pass
    assert sys.getrefcount(buffer) == before


def test_a_form_that_breaks_off_is_freed_at_once() -> None:
    decoder = FormDecoder("B", max_parts=10)
    for _ in decoder.feed(b"--B\r\n" + HEAD + b"\r\n" + bytes(2**16)):
        pass
    gone = weakref.ref(decoder)
    del decoder
    assert gone() is None


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_empty_parts_with_and_without_their_own_line_break(step: int) -> None:
    body = b"--B\r\n" + HEAD + b"\r\n\r\n--B\r\n" + HEAD + b"\r\n--B\r\n" + HEAD + b"\r\n--B--"
    assert decode(body, step=step) == [Part("a", None)] * 3


def test_a_line_break_may_come_first() -> None:
    assert decode(b"\r\n--B\r\n" + HEAD + b"\r\nx\r\n--B--") == [Part("a", None), b"x"]


@pytest.mark.parametrize("step", [1, 2, 7, 100_000])
@pytest.mark.parametrize(
    "preamble", [b"x", b"-", b"--", b"\r\n", b"This is a message\r\n--A\r\n-- B", b"\r" * 8000]
)
def test_a_preamble_is_skipped(preamble: bytes, step: int) -> None:
    body = preamble + b"\r\n--B\r\n" + HEAD + b"\r\nx\r\n--B--"
    assert decode(body, step=step) == [Part("a", None), b"x"]


@pytest.mark.parametrize("step", [100, 100_000])
def test_a_preamble_is_bounded(step: int) -> None:
    body = b"x" * (MAX_PREAMBLE + 1) + b"\r\n--B\r\n" + HEAD + b"\r\nx\r\n--B--"
    with pytest.raises(MalformedForm, match="no boundary in its first"):
        decode(body, step=step)


def test_a_form_without_parts() -> None:
    assert decode(b"--B--\r\n") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r",
        b"hello --B\r\n",
        b"\n--B\r\n",
        b"--Bx\r\n" + HEAD,
        b"--B\n" + HEAD,
        b"--B\r\n\r\nno headers\r\n--B--",
        b"--B\r\nContent-Type: a/b\r\n\r\nx\r\n--B--",
        b"--B\r\nContent-Disposition\r\n\r\nx\r\n--B--",
        b'--B\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--B--',
        b"--B\r\n" + HEAD + b"\r\nx",
        b"--B\r\n" + HEAD + b"\r\nx\r\n--B",
        b"--B\r\n" + HEAD + b"\r\nx\r\n--B-",
        b"--B\r\n" + HEAD + b"\r\nx\r\n--Bmore\r\n--B--",
    ],
)
def test_malformed_forms(body: bytes) -> None:
    with pytest.raises(MalformedForm):
        decode(body)


@pytest.mark.parametrize("boundary", ["", "x" * 201, "a\rb", "a\nb", "日"])
def test_boundaries_that_are_none(boundary: str) -> None:
    with pytest.raises(MalformedForm):
        FormDecoder(boundary, max_parts=1)


@pytest.mark.parametrize(
    "body",
    [
        b"--B" + b" " * (MAX_HEADERS + 2),
        b"--B\r\n" + b"x" * (MAX_HEADERS + 2),
        b"--B\r\nX: " + b"x" * MAX_HEADERS + b"\r\n\r\n",
        (b"--B\r\n" + HEAD + b"\r\nx\r\n") * 11 + b"--B--",
    ],
)
def test_forms_too_large(body: bytes) -> None:
    with pytest.raises(FormTooLarge):
        decode(body, step=4096)
