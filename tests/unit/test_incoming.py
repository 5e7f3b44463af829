"""Multipart as it arrives: any split into buffers gives the same as Werkzeug's parser."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Request
from hypothesis import assume, given
from hypothesis import strategies as st
from werkzeug.formparser import parse_form_data
from werkzeug.test import EnvironBuilder

from chunked_upload.errors import ChunkedUploadError
from chunked_upload.http.dialects.django import DjangoDialect
from chunked_upload.http.errors import LimitExceeded, NoChunkSubmitted
from chunked_upload.http.wire.fields import FormLimits
from chunked_upload.http.wire.incoming import open_incoming
from tests.http.forms import field, file, form, part
from tests.unit.test_body import Trickle

LIMITS = FormLimits(("file", "files[]"), 8, 2000)

#: Contents that look like the framing around them.
spiky = st.lists(
    st.sampled_from(
        [
            *(b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"-", b"--", b"--b", b"\r\n--b", b"\r\n--bo"),
            *(b"x", b"\0", b"\xff", b"Content-Disposition: form-data"),
        ]
    ),
    max_size=30,
).map(b"".join)
data = spiky | st.binary(max_size=300)
plain = st.text("abcdefgh xyzé日", min_size=1, max_size=8)


def request(body: bytes, sizes: list[int] | None = None, boundary: str = "bound") -> Request:
    environ = EnvironBuilder("/", method="POST").get_environ()
    environ["CONTENT_TYPE"] = f"multipart/form-data; boundary={boundary}"
    environ["wsgi.input"] = Trickle(body, list(sizes or []))
    environ["CONTENT_LENGTH"] = str(len(body))
    return Request(environ)


def take(one: Request) -> tuple[dict[str, str], str, bytes]:
    incoming = open_incoming(one, LIMITS)
    content = b"".join(incoming)
    return incoming.fields, incoming.filename, content


def outcome(one: Request) -> Any:
    try:
        return take(one)
    except ChunkedUploadError as error:
        answer = DjangoDialect().refusal(error)
        return answer.status_code, answer.data["detail"]


@given(
    st.dictionaries(plain, data, max_size=3),
    st.dictionaries(plain, data, max_size=3),
    data,
    plain,
    st.lists(st.integers(1, 40), max_size=300),
)
def test_any_split_gives_the_same_and_werkzeugs(
    before: dict[str, bytes],
    after: dict[str, bytes],
    content: bytes,
    name: str,
    sizes: list[int],
) -> None:
    name = name.strip() or "x"
    parts = [*[field(n, v) for n, v in before.items()], file(content, name)]
    parts += [field(n, v) for n, v in after.items()]
    assume(
        not any(b"\r\n--bound" in b"\r\n" + v for v in [content, *before.values(), *after.values()])
    )
    body = form(*parts, boundary="bound")

    fields, filename, stored = take(request(body, sizes))
    assert (fields, filename, stored) == take(request(body))
    assert stored == content
    assert filename == name

    environ = request(body).environ
    environ["wsgi.input"] = io.BytesIO(body)
    _stream, theirs, files = parse_form_data(environ, stream_factory=lambda *_, **__: io.BytesIO())
    assert files["file"].read() == content
    assert files["file"].filename == name
    assert fields == dict(theirs.items(multi=True))  # of a name given twice the last counts


@given(spiky, st.lists(st.integers(1, 10), max_size=300), st.integers(0, 400))
def test_a_form_cut_anywhere_is_refused_alike(content: bytes, sizes: list[int], cut: int) -> None:
    body = form(field("a", b"b"), file(content), boundary="bound")
    assume(b"\r\n--bound" not in b"\r\n" + content)
    cut = min(cut, len(body) - 3)
    short = outcome(request(body[:cut], sizes))
    assert short == outcome(request(body[:cut]))
    assert short[0] == 400


@given(st.binary(max_size=400) | spiky, st.lists(st.integers(1, 20), max_size=100))
def test_garbage_is_a_client_error(body: bytes, sizes: list[int]) -> None:
    for one in (request(body, sizes), request(b"--bound\r\n" + body, sizes)):
        result = outcome(one)
        assert len(result) == 3 or 400 <= result[0] < 500


@given(st.lists(st.sampled_from([b"file", b"upload_id", b"a", b"", b"files[]"]), max_size=6),
       st.binary(max_size=5))  # fmt: skip
def test_any_row_of_parts(names: list[bytes], value: bytes) -> None:
    parts = [
        part(b'form-data; name="' + name + b'"' + (b'; filename="f"' if n % 2 else b""), value)
        for n, name in enumerate(names)
    ]
    result = outcome(request(form(*parts, boundary="bound")))
    assert len(result) == 3 or 400 <= result[0] < 500


def test_fields_before_the_file_are_known_before_its_bytes() -> None:
    body = form(field("upload_id", "x"), file(b"data"), field("late", "y"), boundary="bound")
    incoming = open_incoming(request(body), LIMITS)
    assert incoming.fields == {"upload_id": "x"}
    assert b"".join(incoming) == b"data"
    assert incoming.fields == {"upload_id": "x", "late": "y"}


def test_the_file_is_not_gathered_in_memory() -> None:
    body = form(file(b"x" * 3_000_000), boundary="bound")
    incoming = open_incoming(request(body), LIMITS)
    assert max(len(piece) for piece in incoming) <= 2**20


@pytest.mark.parametrize("count", [8, 9])
def test_the_number_of_fields(count: int) -> None:
    body = form(*[field(f"f{n}", "") for n in range(count)], file(b"x"), boundary="bound")
    if count > 8:
        with pytest.raises(LimitExceeded):
            take(request(body))
    else:
        assert len(take(request(body))[0]) == count


@pytest.mark.parametrize("boundary", ["b", "a b", "x" * 70, "'()+_,-./:=?", "=_="])
def test_boundaries(boundary: str) -> None:
    body = form(file(b"x"), boundary=boundary)
    one = request(body, boundary=f'"{boundary}"')
    assert take(one)[2] == b"x"


def test_an_empty_body() -> None:
    with pytest.raises(NoChunkSubmitted):
        take(request(b""))
