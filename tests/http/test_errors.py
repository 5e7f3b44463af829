"""The contract's error table, row by row: status, exact text, extra fields, nothing left behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import content_of, offset_of, refused, stored
from tests.http.expiry import expire
from tests.http.forms import FORM, Unreadable, field, file, form, part, post_form, send
from tests.support.protocol import Protocol, md5_of, nothing_left, records

DATA = b"hello world"
ABSENT = "0" * 32


@pytest.fixture
def begun(protocol: Protocol) -> str:
    """An upload with 6 of its 11 bytes."""
    upload_id: str = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    return upload_id


class Untouched:
    """Checks that an upload with 6 of 11 bytes is as it was, and still takes its next chunk."""

    def __init__(self, app: Flask, protocol: Protocol, upload_id: str) -> None:
        self.app, self.protocol, self.upload_id = app, protocol, upload_id
        self.before = self.look()

    def look(self) -> Any:
        [record] = records(self.app)
        return {
            "status": record.status,
            "offset": record.offset,
            "length": record.length,
            "expires": record.expires_on,
            "metadata": record.extra_fields,
            "content": content_of(self.app, self.upload_id),
            "files": list(stored(self.app)),
        }

    def check(self) -> None:
        assert self.look() == self.before
        assert self.protocol.put(self.upload_id, b"world", 6, 11).status_code == 200
        assert self.protocol.complete(self.upload_id, DATA).status_code == 200
        assert list(stored(self.app).values()) == [DATA]


@pytest.fixture
def untouched(app: Flask, protocol: Protocol, begun: str) -> Untouched:
    return Untouched(app, protocol, begun)


# 403


@pytest.mark.one_database
def test_403(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app).user_loader(lambda request: None)
    create_tables(app)
    response = Protocol(app.test_client()).chunk(DATA)
    refused(response, 403, "Authentication credentials were not provided")
    assert nothing_left(app)


# 404


@pytest.mark.parametrize(
    "upload_id",
    [ABSENT, "x", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "g", "é" * 32, "٠" * 32, "0" * 5000,
     "%00", "' OR 1=1 --", "..", "%2e%2e", "-1", " ", "complete "],
)  # fmt: skip
def test_404_for_ids_of_nothing(
    app: Flask, client: FlaskClient, protocol: Protocol, upload_id: str
) -> None:
    refused(protocol.complete(upload_id if upload_id.strip() else "x", DATA), 404)
    if upload_id.strip():
        refused(protocol.chunk(b"world", 6, 11, upload_id=upload_id), 404, "Upload not found")
    for response in (
        client.get(f"/uploads/{upload_id}"),
        client.delete(f"/uploads/{upload_id}"),
        client.get(f"/uploads/{upload_id}/file"),
        protocol.put(upload_id, b"world", 6, 11),
    ):
        if upload_id not in ("..", "%2e%2e"):  # those name other URLs
            refused(response, 404, "Upload not found")
    assert nothing_left(app)


@pytest.mark.one_database
def test_404_before_the_body_is_read(client: FlaskClient) -> None:
    response = send(
        client,
        "PUT",
        f"/uploads/{ABSENT}",
        Unreadable(),
        length="1000",
        headers={"Content-Range": "bytes 0-999/1000"},
    )
    refused(response, 404, "Upload not found")


# 410


def test_410(app: Flask, client: FlaskClient, protocol: Protocol, begun: str) -> None:
    expire(app, begun)
    for response in (
        protocol.put(begun, b"world", 6, 11),
        protocol.chunk(b"world", 6, 11, upload_id=begun),
        post_form(client, file(b"world"), field("upload_id", begun), span="bytes 6-10/11"),
        protocol.complete(begun, DATA),
        protocol.state(begun),
    ):
        refused(response, 410, "Upload has expired")
    assert offset_of(app, begun) == 6
    assert len(records(app)) == 1


# 400 No chunk file was submitted


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", ""),
        (b"", FORM),
        (form(), FORM),
        (form(field("file", "not a file part")), FORM),
        (form(field("a", "b")), FORM),
        (form(file(DATA, field_name="other")), FORM),
        (form(file(DATA, "")), FORM),
        (form(part('form-data; filename="x"', DATA)), FORM),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
        (b"garbage", FORM),
        (b"--b0undary--\r\n", FORM),
        (form(part("attachment; name=file; filename=x", DATA)), FORM),
        (form(b"No-Disposition: 1\r\n\r\nx"), FORM),
        (form(b"\r\nx"), FORM),
        (form(b"broken header line\r\n\r\nx"), FORM),
    ],
)
def test_no_chunk_file(app: Flask, client: FlaskClient, body: bytes, content_type: str) -> None:
    response = client.post("/uploads/", data=body, content_type=content_type)
    refused(response, 400, "No chunk file was submitted")
    assert nothing_left(app)


@pytest.mark.one_database
def test_no_chunk_file_for_a_known_upload(client: FlaskClient, untouched: Untouched) -> None:
    response = post_form(client, field("upload_id", untouched.upload_id), span="bytes 6-10/11")
    refused(response, 400, "No chunk file was submitted")
    untouched.check()


# 400 Error in request headers

BAD_RANGES = [
    "",
    "bytes",
    "items 0-10/11",
    "0-10/11",
    "bytes=0-10/11",
    "bytes 0-10",
    "bytes 0-10/",
    "bytes 0-10/*",
    "bytes */11",
    "bytes -10/11",
    "bytes 0-/11",
    "bytes -1-10/11",
    "bytes +0-10/11",
    "bytes 0-+10/11",
    "bytes 0-10/-11",
    "bytes 0 - 10/11",
    "bytes  0-10/11",
    "bytes 0-10 /11",
    "bytes 0-10/ 11",
    "bytes\t0-10/11",
    "bytes 0-10/11, bytes 0-10/11",
    "bytes 0x0-0xa/0xb",
    "bytes 0-1e1/11",
    "bytes 0-10.0/11",
    "bytes 1_0-1_0/1_1",
    "bytes 0-10/10",
    "bytes 0-11/11",
    "bytes 10-9/11",
    "bytes 5-0/11",
    "bytes 0-0/0",
    "bytes 0-10/9223372036854775808",
    "bytes 9223372036854775807-9223372036854775808/9223372036854775809",
    "bytes 0-10/18446744073709551616",
    "bytes 0-10/" + "9" * 5000,
    "bytes " + "0" * 5000 + "-10/11",
    "bytes 0-10/11;",
    "bytes 0-10/11\u00b2",
    "bytes ٠-١٠/١١",
]  # fmt: skip


def as_header(text: str) -> str:
    return text.encode().decode("latin-1")


@pytest.mark.one_database
@pytest.mark.parametrize("value", BAD_RANGES)
def test_bad_content_range(app: Flask, client: FlaskClient, value: str) -> None:
    for body, content_type in ((form(file(DATA)), FORM), (DATA, "application/octet-stream")):
        response = send(
            client,
            "POST",
            "/uploads/",
            body,
            CONTENT_TYPE=content_type,
            HTTP_CONTENT_RANGE=as_header(value),
        )
        refused(response, 400, "Error in request headers")
    assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize("value", [value for value in BAD_RANGES if len(value) < 100])
def test_bad_content_range_for_a_known_upload(
    client: FlaskClient, untouched: Untouched, value: str
) -> None:
    response = send(
        client,
        "PUT",
        f"/uploads/{untouched.upload_id}",
        b"world",
        HTTP_CONTENT_RANGE=as_header(value),
    )
    refused(response, 400, "Error in request headers")
    untouched.check()


@pytest.mark.one_database
def test_content_range_missing_for_raw_bytes(client: FlaskClient, untouched: Untouched) -> None:
    for method in ("PUT", "POST"):
        response = client.open(f"/uploads/{untouched.upload_id}", method=method, data=b"world")
        refused(response, 400, "Error in request headers")
    untouched.check()


@pytest.mark.one_database
@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary=""',
     "multipart/form-data; boundary=" + "x" * 5000],
)  # fmt: skip
def test_multipart_without_a_usable_boundary(
    app: Flask, client: FlaskClient, content_type: str
) -> None:
    response = send(client, "POST", "/uploads/", form(file(DATA)), CONTENT_TYPE=content_type)
    refused(response, 400, "Error in request headers")
    assert nothing_left(app)


@pytest.mark.one_database
def test_both_lengths(app: Flask, client: FlaskClient) -> None:
    """A sign of request smuggling (RFC 9112 6.3)."""
    for path, body in (("/uploads/", form(file(DATA))), ("/uploads/complete", b"upload_id=a")):
        response = send(client, "POST", path, body, length=str(len(body)), chunked=True)
        refused(response, 400, "Error in request headers")
    assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize("length", ["-1", "+5", "5.0", "0x5", "٥", "five", "9" * 5000, "1_0"])
def test_a_content_length_that_is_no_number(app: Flask, client: FlaskClient, length: str) -> None:
    response = send(client, "POST", "/uploads/?filename=x", DATA, length=length)
    refused(response, 400, "Error in request headers")
    assert nothing_left(app)


@pytest.mark.one_database
def test_another_transfer_encoding(app: Flask, client: FlaskClient) -> None:
    response = send(client, "POST", "/uploads/", DATA, length="", HTTP_TRANSFER_ENCODING="gzip")
    refused(response, 400, "Error in request headers")
    assert nothing_left(app)


# 400 Size of file exceeds the limit


@pytest.mark.one_database
@pytest.mark.parametrize("as_form", [True, False])
@pytest.mark.parametrize("ranged", [True, False])
def test_file_too_large(make_app: Callable[..., Flask], as_form: bool, ranged: bool) -> None:
    app = make_app(CHUNKED_UPLOAD_MAX_BYTES=10)
    ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    headers = {"Content-Range": "bytes 0-10/11"} if ranged else {}
    body, content_type = (form(file(DATA)), FORM) if as_form else (DATA, "a/b")
    response = client.post("/uploads/", data=body, content_type=content_type, headers=headers)
    refused(response, 400, "Size of file exceeds the limit (10 bytes)")
    assert nothing_left(app)
    assert Protocol(client).chunk(DATA[:10]).status_code == 200


# 400 Offsets do not match


@pytest.mark.parametrize("start", [0, 5, 7, 10])
def test_a_chunk_elsewhere(
    client: FlaskClient, protocol: Protocol, untouched: Untouched, start: int
) -> None:
    upload_id = untouched.upload_id
    for response in (
        protocol.put(upload_id, b"X", start, 11),
        protocol.chunk(b"X", start, 11, upload_id=upload_id),
    ):
        refused(response, 400, "Offsets do not match", offset=6)
    untouched.check()


def test_a_whole_file_for_a_started_upload(protocol: Protocol, untouched: Untouched) -> None:
    response = protocol.chunk(DATA, upload_id=untouched.upload_id)
    refused(response, 400, "Offsets do not match", offset=6)
    untouched.check()


@pytest.mark.one_database
@pytest.mark.parametrize("as_form", [True, False])
def test_a_first_chunk_that_is_not_the_first(
    app: Flask, client: FlaskClient, as_form: bool
) -> None:
    body, content_type = (form(file(DATA)), FORM) if as_form else (DATA, "a/b")
    response = client.post(
        "/uploads/",
        data=body,
        content_type=content_type,
        headers={"Content-Range": "bytes 5-15/16"},
    )
    refused(response, 400, "Offsets do not match", offset=0)
    assert nothing_left(app)


# 400 File size doesn't match headers


@pytest.mark.one_database
@pytest.mark.parametrize(
    "value", ["bytes 0-9/11", "bytes 0-11/20", "bytes 0-999/1000", "bytes 0-0/1"]
)
@pytest.mark.parametrize("as_form", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_longer_or_shorter_than_its_range(
    app: Flask, client: FlaskClient, value: str, as_form: bool, chunked: bool
) -> None:
    body, content_type = (form(file(DATA)), FORM) if as_form else (DATA, "a/b")
    response = send(
        client,
        "POST",
        "/uploads/",
        body,
        chunked=chunked,
        CONTENT_TYPE=content_type,
        HTTP_CONTENT_RANGE=value,
    )
    refused(response, 400, "File size doesn't match headers")
    assert nothing_left(app)


@pytest.mark.parametrize("data", [b"worl", b"world!"])
def test_a_later_chunk_longer_or_shorter_than_its_range(
    client: FlaskClient, untouched: Untouched, data: bytes
) -> None:
    headers = {"Content-Range": "bytes 6-10/11"}
    url = f"/uploads/{untouched.upload_id}"
    refused(client.put(url, data=data, headers=headers), 400, "File size doesn't match headers")
    response = post_form(client, file(data), span="bytes 6-10/11", path=url)
    refused(response, 400, "File size doesn't match headers")
    last = post_form(
        client, file(data), field("upload_id", untouched.upload_id), span="bytes 6-10/11"
    )
    refused(last, 400, "File size doesn't match headers")
    untouched.check()


@pytest.mark.one_database
@pytest.mark.parametrize("ranged", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_form_cut_short(app: Flask, client: FlaskClient, ranged: bool, chunked: bool) -> None:
    """A connection that ends looks like a clean end of input on some servers."""
    body = form(file(DATA))
    environ: dict[str, Any] = {"HTTP_CONTENT_RANGE": "bytes 0-10/11"} if ranged else {}
    last = len(body) - 2  # the line break after the last boundary decides nothing
    for cut in [*range(0, last - 16, 7), *range(last - 16, last)]:
        response = send(
            client,
            "POST",
            "/uploads/",
            body[:cut],
            length="" if chunked else str(len(body)),
            chunked=chunked,
            CONTENT_TYPE=FORM,
            **environ,
        )
        refused(response, 400)
        assert response.get_json()["detail"] in (
            "No chunk file was submitted",  # cut before the file
            "File size doesn't match headers",
        )
    assert nothing_left(app)


def test_a_raw_body_cut_short(app: Flask, client: FlaskClient, untouched: Untouched) -> None:
    response = send(
        client,
        "PUT",
        f"/uploads/{untouched.upload_id}",
        b"wor",
        length="5",
        HTTP_CONTENT_RANGE="bytes 6-10/11",
    )
    refused(response, 400, "File size doesn't match headers")
    untouched.check()


def test_a_connection_that_breaks(app: Flask, client: FlaskClient, untouched: Untouched) -> None:
    class Broken(Unreadable):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError(errno.ECONNRESET, "reset")

    response = send(
        client,
        "PUT",
        f"/uploads/{untouched.upload_id}",
        Broken(),
        length="5",
        HTTP_CONTENT_RANGE="bytes 6-10/11",
    )
    refused(response, 400, "File size doesn't match headers")
    untouched.check()


@pytest.mark.one_database
def test_a_body_longer_than_content_length_is_not_read_on(app: Flask, client: FlaskClient) -> None:
    response = send(
        client, "POST", "/uploads/?filename=x", DATA + b"NEXT REQUEST", length=str(len(DATA))
    )
    assert response.status_code == 200
    assert content_of(app, response.get_json()["upload_id"]) == DATA


# 400 already complete, total, fields, md5, not complete


def test_a_chunk_for_a_completed_upload(
    app: Flask, client: FlaskClient, protocol: Protocol
) -> None:
    upload_id = protocol.completed(DATA)
    for response in (
        protocol.put(upload_id, b"X", 11, 12),
        protocol.put(upload_id, b"X", 0, 11),
        protocol.chunk(b"X", 11, 12, upload_id=upload_id),
        protocol.chunk(DATA, upload_id=upload_id),
        post_form(client, file(b"X"), field("upload_id", upload_id), span="bytes 3-3/11"),
    ):
        refused(response, 400, 'Upload has already been marked as "complete"')
    assert list(stored(app).values()) == [DATA]
    assert len(records(app)) == 1


@pytest.mark.parametrize("total", [10_000, 12, 2**63 - 1])
def test_another_total(
    client: FlaskClient, protocol: Protocol, untouched: Untouched, total: int
) -> None:
    upload_id = untouched.upload_id
    for response in (
        protocol.put(upload_id, b"world", 6, total),
        protocol.chunk(b"world", 6, total, upload_id=upload_id),
        post_form(
            client,
            file(b"world"),
            field("upload_id", upload_id),
            span=f"bytes 6-10/{total}",
        ),
    ):
        refused(response, 400, "Total size does not match", length=11)
    untouched.check()


def test_fewer_bytes_than_before(protocol: Protocol, untouched: Untouched) -> None:
    response = protocol.put(untouched.upload_id, b"wo", 6, 8)
    refused(response, 400, "Total size does not match", length=11)
    untouched.check()


def test_complete_errors_leave_the_upload_as_it_was(
    client: FlaskClient, protocol: Protocol, untouched: Untouched
) -> None:
    upload_id = untouched.upload_id
    refused(
        client.post("/uploads/complete", data={"upload_id": upload_id}),
        400,
        "Both 'upload_id' and 'md5' are required",
    )
    refused(protocol.complete(upload_id, "0" * 32), 400, "Upload is not complete", offset=6)
    refused(protocol.complete(ABSENT, "0" * 32), 404, "Upload not found")
    untouched.check()


# Which id


@pytest.mark.one_database
def test_two_different_ids(client: FlaskClient, untouched: Untouched) -> None:
    mine, other = field("upload_id", untouched.upload_id), field("upload_id", ABSENT)
    url = f"/uploads/{untouched.upload_id}"
    for parts, path in (
        ([mine, other, file(b"world")], "/uploads/"),
        ([other, mine, file(b"world")], "/uploads/"),
        ([mine, file(b"world"), other], "/uploads/"),
        ([file(b"world"), mine, other], "/uploads/"),
        ([other, file(b"world")], url),
        ([file(b"world"), other], url),
    ):
        refused(post_form(client, *parts, span="bytes 6-10/11", path=path), 400)
    untouched.check()


def test_the_same_id_twice(client: FlaskClient, begun: str) -> None:
    mine = field("upload_id", begun)
    url = f"/uploads/{begun}"
    response = post_form(client, mine, mine, file(b"world"), mine, span="bytes 6-10/11", path=url)
    assert response.status_code == 200


@pytest.mark.one_database
@pytest.mark.parametrize("known", [False, True])
def test_two_files(client: FlaskClient, untouched: Untouched, known: bool) -> None:
    files = [file(b"world"), file(b"world", field_name="files[]")]
    parts = [field("upload_id", untouched.upload_id), *files] if known else files
    refused(post_form(client, *parts, span="bytes 6-10/11" if known else None), 400)
    untouched.check()


# 411, 413, 415, 507


@pytest.mark.one_database
def test_411_when_nothing_tells_the_end(app: Flask, client: FlaskClient) -> None:
    response = send(client, "POST", "/uploads/?filename=x", DATA, chunked=True)
    refused(response, 411)
    for body, content_type in ((form(file(DATA)), FORM), (DATA, "a/b")):
        environ: dict[str, Any] = {"wsgi.input_terminated": False}
        response = send(
            client,
            "POST",
            "/uploads/",
            body,
            length="",
            CONTENT_TYPE=content_type,
            HTTP_TRANSFER_ENCODING="chunked",
            HTTP_CONTENT_RANGE="bytes 0-10/11",
            **environ,
        )
        refused(response, 411)
    assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "environ",
    [
        {"CONTENT_TYPE": "multipart/mixed; boundary=b0undary"},
        {"CONTENT_TYPE": "multipart/byteranges; boundary=b0undary"},
        {"CONTENT_TYPE": FORM, "HTTP_CONTENT_ENCODING": "gzip"},
        {"CONTENT_TYPE": "a/b", "HTTP_CONTENT_ENCODING": "br"},
    ],
)
def test_415(app: Flask, client: FlaskClient, environ: dict[str, Any]) -> None:
    response = send(client, "POST", "/uploads/", form(file(DATA)), **environ)
    refused(response, 415)
    assert nothing_left(app)


class FullDisk:
    """A disk on which writes of data fail; ``all_writes``: those to side files too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, all_writes: bool) -> None:
        real = os.pwrite

        def pwrite(descriptor: int, data: Any, position: int) -> int:
            name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).suffix
            if all_writes or name == ".part":
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(descriptor, data, position)

        monkeypatch.setattr(os, "pwrite", pwrite)


@pytest.mark.one_database
@pytest.mark.parametrize("all_writes", [False, True])
def test_507_for_a_first_chunk(
    app: Flask, protocol: Protocol, monkeypatch: pytest.MonkeyPatch, all_writes: bool
) -> None:
    with monkeypatch.context() as patch:
        FullDisk(patch, all_writes=all_writes)
        refused(protocol.chunk(DATA, 0, 11), 507)
    assert nothing_left(app)
    protocol.completed(DATA)


@pytest.mark.parametrize("all_writes", [False, True])
def test_507_for_a_later_chunk(
    client: FlaskClient,
    protocol: Protocol,
    untouched: Untouched,
    monkeypatch: pytest.MonkeyPatch,
    all_writes: bool,
) -> None:
    with monkeypatch.context() as patch:
        FullDisk(patch, all_writes=all_writes)
        refused(protocol.put(untouched.upload_id, b"world", 6, 11), 507)
        assert protocol.state(untouched.upload_id).get_json()["offset"] == 6
    untouched.check()


def test_deleting_makes_room_on_a_full_disk(
    app: Flask, client: FlaskClient, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    FullDisk(monkeypatch, all_writes=True)
    assert client.delete(f"/uploads/{begun}").status_code == 204
    assert nothing_left(app)


@pytest.mark.one_database
def test_errors_are_not_cached(client: FlaskClient) -> None:
    assert client.get(f"/uploads/{ABSENT}").headers["Cache-Control"] == "no-store"


def test_a_wrong_md5_then_the_right_one(app: Flask, protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    refused(protocol.complete(upload_id, md5_of(b"")), 400, "md5 checksum does not match")
    assert protocol.complete(upload_id, DATA).status_code == 200
