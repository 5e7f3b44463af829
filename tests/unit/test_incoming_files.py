"""Several files in one form: each in turn, none swallowed, as many as allowed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st

from chunked_upload.engine.errors import SizeMismatch
from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.errors import BadRequest, NoChunkSubmitted, NoFileSelected
from chunked_upload.http.wire.body import BUFFER_SIZE, Body
from chunked_upload.http.wire.fields import FormLimits
from chunked_upload.http.wire.incoming import open_incoming
from tests.http.forms import field, file, form
from tests.unit.test_incoming import request

LIMITS = FormLimits(("file",), 8, 2000, max_files=3)

#: The form while it arrives, and one that something in the app has parsed before.
Send = Callable[[Request], Request]


def parsed(one: Request) -> Request:
    one.environ["wsgi.input"] = io.BytesIO(b"".join(Body.of(one.environ)))
    one = Request(one.environ)
    assert one.form is not None
    return one


@pytest.fixture(params=[lambda one: one, parsed], ids=["streamed", "parsed"])
def send(request: pytest.FixtureRequest) -> Iterator[Send]:
    with ExitStack() as opened:
        yield lambda one: opened.enter_context(request.param(one))


def take(one: Request, limits: FormLimits = LIMITS) -> list[tuple[str, bytes]]:
    """Return names and contents of a request's files."""
    incoming = open_incoming(one, limits)
    files = [(incoming.filename, b"".join(incoming))]
    while incoming.next_file():
        files.append((incoming.filename, b"".join(incoming)))
    return files


def form_of(*parts: bytes, sizes: list[int] | None = None) -> Request:
    return request(form(*parts, boundary="bound"), sizes)


def test_files_in_turn_with_fields_between(send: Send) -> None:
    one = send(
        form_of(
            field("a", "1"), file(b"one", "1.txt"), field("b", "2"), file(b"", "2.txt"),
            file(b"three", "3.txt"), field("c", "3"),
        )
    )  # fmt: skip
    incoming = open_incoming(one, LIMITS)
    assert (incoming.filename, b"".join(incoming)) == ("1.txt", b"one")
    assert incoming.next_file()
    assert (incoming.filename, b"".join(incoming)) == ("2.txt", b"")
    assert incoming.next_file()
    assert (incoming.filename, b"".join(incoming)) == ("3.txt", b"three")
    assert not incoming.next_file()
    assert incoming.fields == {"a": "1", "b": "2", "c": "3"}


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=3), st.lists(st.integers(1, 40)))
def test_however_the_network_cuts_them(contents: list[bytes], sizes: list[int]) -> None:
    parts = [file(data, f"{number}.bin") for number, data in enumerate(contents)]
    taken = take(form_of(*parts, sizes=sizes))
    assert taken == [(f"{number}.bin", data) for number, data in enumerate(contents)]


@pytest.mark.parametrize("name", ["file", "file[]", "file[0]", "file[17]"])
def test_names_of_several_files(send: Send, name: str) -> None:
    one = send(form_of(file(b"x", field_name=name), file(b"y", field_name=name)))
    assert [data for _, data in take(one)] == [b"x", b"y"]


@pytest.mark.parametrize("name", ["other", "file[x]", "file[0]x", "[0]", "file[0][1]"])
def test_files_in_other_fields(send: Send, name: str) -> None:
    with pytest.raises(NoChunkSubmitted):
        take(send(form_of(file(b"x", field_name=name))))
    with pytest.raises(NoChunkSubmitted):
        take(send(form_of(file(b"x"), file(b"y", field_name=name))))


def test_one_too_many(send: Send) -> None:
    one = send(form_of(*[file(b"x")] * 4))
    with pytest.raises(BadRequest, match="Only 3 files"):
        take(one)


def test_brackets_are_for_several_files_only(send: Send) -> None:
    with pytest.raises(NoChunkSubmitted):
        take(send(form_of(file(b"x", field_name="file[0]"))), FormLimits(("file",), 8, 2000))


def test_inputs_left_empty_are_passed_over(send: Send) -> None:
    one = send(form_of(file(b"", ""), file(b"x", "x.txt"), file(b"", "")))
    assert take(one) == [("x.txt", b"x")]


def test_nothing_chosen_at_all(send: Send) -> None:
    with pytest.raises(NoFileSelected):
        take(send(form_of(field("a", "1"), file(b"", ""))))


def test_cut_short_in_a_later_file() -> None:
    whole = form(file(b"one"), file(b"two" * 100), boundary="bound")
    with pytest.raises(SizeMismatch):
        take(request(whole[:-100]))
    with pytest.raises(ChunkedUploadError):
        take(request(whole[:150]))


def test_what_a_later_file_may_have_is_what_is_left_of_the_body() -> None:
    size = 3 * 2**20
    one = form_of(file(b"x" * size), file(b"y" * 10))
    incoming = open_incoming(one, LIMITS)
    assert incoming.declared == one.content_length
    assert sum(map(len, incoming)) == size
    assert incoming.next_file()
    assert incoming.declared is not None
    assert 10 <= incoming.declared <= BUFFER_SIZE + 1024
