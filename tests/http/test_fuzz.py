"""Fuzz of the endpoints: no answer is ever 5xx, every answer is JSON, no file leaves the root.

Requests are built to reach deep: real ids, nearly right ranges and forms, and mutations of them.
``EXAMPLES`` (``tests/support/examples.py``) raises the number of requests per test.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.forms import BOUNDARY, FORM, field, file, form, part
from tests.support.examples import examples
from tests.support.protocol import Protocol, md5_of, records

DATA = b"hello world"
BEGUN, DONE, ABSENT = "<begun>", "<done>", "0" * 32

fuzz = settings(
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class World:
    """An app with an upload of 6 of 11 bytes and a completed one, made anew when used up."""

    def __init__(self, app: Flask, directory: Path) -> None:
        self.app, self.directory = app, directory
        self.client = app.test_client()
        self.protocol = Protocol(self.client)
        self.root = Path(app.instance_path) / "uploads"
        self._begun = self._done = ""
        self._ready()
        self.outside = self._outside()

    def _ready(self) -> None:
        state = self.protocol.state(self._begun or ABSENT)
        if state.status_code != 200 or state.get_json()["offset"] != 6:
            self._begun = self.protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
        if self.protocol.state(self._done or ABSENT).status_code != 200:
            self._done = self.protocol.completed(DATA)

    def fill(self, text: str) -> str:
        """Put the real ids in place of their names."""
        return text.replace(BEGUN, self._begun).replace(DONE, self._done)

    def send(self, method: str, path: str, body: bytes, environ: dict[str, Any]) -> TestResponse:
        """Send a request and check what must hold for every one."""
        self._ready()
        body = body.replace(BEGUN.encode(), self._begun.encode())
        body = body.replace(DONE.encode(), self._done.encode())
        merged: dict[str, Any] = {"CONTENT_LENGTH": str(len(body)), **environ}
        merged["wsgi.input"] = io.BytesIO(body)
        merged["wsgi.input_terminated"] = "HTTP_TRANSFER_ENCODING" in merged
        response = self.client.open(
            self.fill(path), method=method, environ_overrides=merged, buffered=True
        )
        self._check(method, response)
        return response

    def _check(self, method: str, response: TestResponse) -> None:
        event(f"{method} {response.status_code}")
        assert response.status_code < 500, response.text
        if response.status_code >= 400 and method != "HEAD":
            content = response.get_json()
            assert content["detail"] == content["error"]
        elif response.mimetype != "application/octet-stream" and response.data:
            assert response.get_json() is not None
        assert self._outside() == self.outside
        self._check_store()

    def _check_store(self) -> None:
        """Every record has its bytes, every file a record."""
        known = set()
        for record in records(self.app):
            place = record.path or f".incoming/{record.upload_id[:2]}/{record.upload_id}.part"
            known.add(str(self.root / place))
            assert (self.root / place).stat().st_size >= record.offset
            assert record.length is None or record.offset <= record.length
        found = {
            os.path.join(folder, name)
            for folder, _, names in os.walk(self.root)
            for name in names
            if not name.endswith(".turn")
        }
        assert found <= known

    def _outside(self) -> set[str]:
        """What is in the test's directory beside the store, in ``/`` and here."""
        found = {os.path.join(place, name) for place in ("/", ".") for name in os.listdir(place)}
        for folder, folders, names in os.walk(self.directory):
            found.update(os.path.join(folder, name) for name in [*folders, *names])
            folders[:] = [name for name in folders if os.path.join(folder, name) != str(self.root)]
        own = ("tests.db", ".coverage", ".hypothesis")
        return {path for path in found if not os.path.basename(path).startswith(own)}


@pytest.fixture
def world(make_app: Callable[..., Flask], tmp_path: Path) -> World:
    app = make_app(CHUNKED_UPLOAD_DURABLE=False)
    ChunkedUpload(app, max_bytes=10_000, max_chunk_bytes=5_000, max_metadata_bytes=500)
    create_tables(app)
    return World(app, tmp_path)


# Strategies

header_text = st.text(
    st.characters(max_codepoint=255, exclude_characters="\r\n\0", exclude_categories=[]),
    max_size=40,
)
texts = st.text(max_size=20)
ids = st.sampled_from([BEGUN, BEGUN, DONE, ABSENT, BEGUN + "0", "", " " + BEGUN]) | texts
numbers = st.sampled_from([0, 1, 5, 6, 7, 10, 11, 12, 2**31, 2**63 - 1, 2**63]) | st.integers(
    -5, 20
)
names = texts | st.sampled_from(
    [
        *("a.txt", "../../x", "..", "", "\0", "blob", "a" * 300, "CON", "é\u202e", "\ud800"),
        *('a"b', "/", "C:\\x"),
    ]
)
contents = st.sampled_from([b"world", b"", DATA, b"x" * 6000, b"\r\n--" + BOUNDARY.encode()])
contents |= st.binary(max_size=50)


@st.composite
def content_ranges(draw: st.DrawFn, size: int | None = None) -> str:
    """Mostly well formed, often right."""
    start = draw(st.sampled_from([0, 6]) | numbers)
    if size is None or draw(st.booleans()):
        stop, total = draw(numbers), draw(numbers)
    else:
        stop = start + size - 1
        total = draw(st.sampled_from([11, stop + 1]) | numbers)
    well = f"bytes {start}-{stop}/{total}"
    return draw(st.sampled_from([well] * 4 + [f"{well} ", well.upper(), well[1:], well + "0"]))


@st.composite
def parts(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(["file", "file", "id", "field", "odd"]))
    if kind == "file":
        field_name = draw(st.sampled_from(["file", "file", "files[]", "other"]))
        return file(draw(contents), draw(names), field_name=field_name)
    if kind == "id":
        name = draw(st.sampled_from(["upload_id", "upload_id", "md5"]))
        return field(name, draw(ids).encode("utf-8", "surrogatepass"))
    if kind == "field":
        return part(b'form-data; name="' + draw(st.binary(max_size=8)) + b'"', draw(contents))
    return part(draw(st.binary(max_size=30)), draw(contents), draw(st.binary(max_size=10)))


@st.composite
def good_forms(draw: st.DrawFn) -> tuple[list[bytes], str | None]:
    """The parts and the Content-Range of a form that would be taken as it is."""
    going_on = draw(st.booleans())
    data = b"world" if going_on else draw(st.binary(min_size=1, max_size=11))
    rows = [file(data, draw(st.sampled_from(["a.txt", "é.bin"])))]
    span: str | None = "bytes 6-10/11"
    if going_on:
        rows.append(field("upload_id", BEGUN))
    else:
        span = draw(st.sampled_from([None, f"bytes 0-{len(data) - 1}/11"]))
    rows += draw(st.lists(st.sampled_from([field("a", "b"), field("é", b"\xff\0")]), max_size=2))
    return draw(st.permutations(rows)), span


@st.composite
def mangled(draw: st.DrawFn, body: bytes) -> bytes:
    """Now and then cut a body, or put bytes into it."""
    how = draw(st.sampled_from(["as it is"] * 4 + ["cut", "insert"]))
    at = draw(st.integers(0, len(body)))
    if how == "cut":
        return body[:at]
    return body[:at] + draw(st.binary(max_size=5)) + body[at:] if how == "insert" else body


def disposition(name: str) -> str:
    return f'attachment; filename="{name}"'.encode("utf-8", "replace").decode("latin-1")


@st.composite
def odd_headers(draw: st.DrawFn) -> dict[str, str]:
    """Headers beside those that carry the protocol."""
    choices = {
        "HTTP_CONTENT_DISPOSITION": header_text | names.map(disposition),
        "HTTP_CONTENT_ENCODING": st.sampled_from(["", "identity", "gzip"]) | header_text,
        "HTTP_TRANSFER_ENCODING": st.sampled_from(["chunked", "gzip", ""]),
        "CONTENT_LENGTH": st.sampled_from(["", "0", "5", "-1", "9" * 30]) | header_text,
        "HTTP_AUTHORIZATION": header_text,
        "HTTP_COOKIE": header_text.map(lambda text: f"session={text}"),
        "HTTP_RANGE": content_ranges().map(lambda text: text.replace(" ", "=").partition("/")[0])
        | header_text,
        "HTTP_IF_RANGE": header_text,
        "HTTP_IF_NONE_MATCH": header_text,
        "HTTP_IF_MODIFIED_SINCE": header_text,
        "HTTP_EXPECT": st.just("100-continue"),
        "HTTP_X_HTTP_METHOD_OVERRIDE": st.sampled_from(["DELETE", "PUT"]),
    }  # fmt: skip
    chosen = draw(st.lists(st.sampled_from(sorted(choices)), max_size=2, unique=True))
    headers = {name: draw(choices[name]) for name in chosen}
    if headers.get("HTTP_TRANSFER_ENCODING") == "chunked" and draw(st.booleans()):
        headers["CONTENT_LENGTH"] = ""
    return headers


@st.composite
def paths(draw: st.DrawFn) -> str:
    one = draw(ids.filter(lambda text: text and "/" not in text and text not in (".", "..")))
    if one not in (BEGUN, DONE, ABSENT):
        one = quote(one.encode("utf-8", "surrogatepass"), safe="<>")
    tail = draw(st.sampled_from(["", "", "", "/file"]))
    return f"/uploads/{one}{tail}"


# Tests


@fuzz
@given(st.data())
def test_forms(world: World, data: st.DataObject) -> None:
    path, span = "/uploads/", None
    if data.draw(st.booleans()):
        rows, span = data.draw(good_forms())
    else:
        rows = data.draw(st.lists(parts(), max_size=4))
        path = data.draw(st.sampled_from([path, f"/uploads/{BEGUN}"]) | paths())
        if data.draw(st.booleans()):
            span = data.draw(content_ranges(5) | header_text)
    environ = {"CONTENT_TYPE": FORM, **({} if span is None else {"HTTP_CONTENT_RANGE": span})}
    if data.draw(st.booleans()):
        environ |= data.draw(odd_headers())
    method = data.draw(st.sampled_from(["POST", "POST", "PUT"])) if path != "/uploads/" else "POST"
    world.send(method, path, data.draw(mangled(form(*rows))), environ)


@fuzz
@given(st.data())
def test_raw_bytes(world: World, data: st.DataObject) -> None:
    body = data.draw(contents)
    environ = {
        "CONTENT_TYPE": data.draw(
            st.sampled_from(["", "application/octet-stream", "multipart/form-data", FORM + "x"])
            | header_text
        ),
        **data.draw(odd_headers()),
    }
    if data.draw(st.booleans()):
        environ["HTTP_CONTENT_RANGE"] = data.draw(content_ranges(len(body)) | header_text)
    query = "?filename=" + quote(data.draw(names).encode("utf-8", "surrogatepass"))
    path = data.draw(st.sampled_from([f"/uploads/{query}", f"/uploads/{BEGUN}"]) | paths())
    world.send(data.draw(st.sampled_from(["POST", "PUT"])), path, body, environ)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ids | st.sampled_from(['"\\ud800"']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@fuzz
@given(st.data())
def test_completions(world: World, data: st.DataObject) -> None:
    md5 = st.sampled_from([md5_of(DATA), md5_of(DATA).upper(), md5_of(b"hello "), "0", ""]) | texts
    kind = data.draw(st.sampled_from(["form", "multipart", "json", "json value", "bytes"]))
    pairs = st.just((DONE, md5_of(DATA))) | st.tuples(ids, md5)
    upload_id, digest = data.draw(pairs)
    content_types = {
        "form": "application/x-www-form-urlencoded",
        "multipart": FORM,
        "json": "application/json",
        "json value": "application/json",
        "bytes": data.draw(st.sampled_from(["application/json", FORM, ""]) | header_text),
    }
    match kind:
        case "form":
            given_id = quote(upload_id.encode("utf-8", "surrogatepass"), safe="<>")
            body = f"upload_id={given_id}&md5={digest}".encode("utf-8", "surrogatepass")
        case "multipart":
            rows = [field("upload_id", upload_id), field("md5", digest)]
            body = form(*rows, *data.draw(st.lists(parts(), max_size=2)))
        case "json":
            body = json.dumps({"upload_id": upload_id, "md5": digest}).encode()
        case "json value":
            values = st.dictionaries(
                st.sampled_from(["upload_id", "md5", "x"]), json_values, max_size=3
            )
            body = json.dumps(data.draw(values | json_values)).encode()
        case _:
            body = data.draw(st.binary(max_size=60))
    environ = {"CONTENT_TYPE": content_types[kind]}
    if data.draw(st.booleans()):
        environ |= data.draw(odd_headers())
    world.send("POST", "/uploads/complete", data.draw(mangled(body)), environ)


@fuzz
@given(st.data())
def test_everything_else(world: World, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["GET", "GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "PUT"]))
    queries = ["file=", "file=file.bin", "page=", "page=2", "per_page=", "filename=", "x="]
    query = data.draw(st.sampled_from(queries)) + quote(data.draw(texts).encode("utf-8", "replace"))
    path = data.draw(st.sampled_from([f"/uploads/?{query}", f"/uploads/{DONE}/file"]) | paths())
    world.send(method, path, data.draw(st.binary(max_size=20)), data.draw(odd_headers()))
