"""Bad input in tus: each header of each request spoilt, uploads that take no bytes, strange bodies.

A refusal is a clear 4xx in the dialect's form, and leaves everything as it was.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.bad_input import bad_base64, bad_numbers, check_refused, snapshot
from tests.support.offset_dialects import TUS, Asked, id_of
from tests.support.protocol import files, nothing_left

pytestmark = pytest.mark.one_database

FILE = b"hello, world! 20 byt"
assert len(FILE) == 20


def sha1(data: bytes) -> str:
    digest = hashlib.sha1(data, usedforsecurity=False).digest()
    return f"sha1 {base64.b64encode(digest).decode()}"


BAD_CHECKSUMS = [
    *("", "sha1", "sha1 ", f"SHA1 {sha1(b'x')[5:]}", "md4 YQ==", "é YQ=="),
    *(f"{sha1(b'x')}, {sha1(b'x')}", f"{sha1(b'x')},", f" , {sha1(b'x')}", sha1(b"x")[5:]),
    *(f"sha1 {value}" for value in bad_base64()),
    *("crc32 AAAAAAA", "sha1  " + sha1(b"x")[5:], "\xff \xff"),
]
BAD_METADATA = [
    *("filename YQ==,filename YQ==", "filename YQ==, filename YQ==", "filename YQ==,,name YQ=="),
    *(",", "filename YQ==,", " ,filename YQ==", "é YQ==", "a b c", "filename\tYQ==", "\x7f YQ=="),
    *(f"filename {value}" for value in bad_base64() if value != "YQ==,"),
]
BAD_TYPES = ["text/plain", "application/octet-stream", "é", "multipart/form-data; boundary=x"]
BAD_VERSIONS = [None, "", "0.2.2", "1.0", "1.0.0, 1.0.0", "1.0.0,1.0.0", "v1.0.0", "é", "1" * 5000]
BAD_VERBS = ["", "PUT", "GET", "HEAD", "patch", "PATCH, DELETE", "PATCH,PATCH", "é", "X" * 5000]

Case = tuple[str, str | None, tuple[int, ...]]


def creation_cases() -> Iterator[Case]:
    """Return a header of a creation with bytes, its spoilt value, and how it may be refused."""
    yield from (("Upload-Length", value, (400, 413)) for value in (None, *bad_numbers("20")))
    yield from (("Upload-Defer-Length", value, (400,)) for value in ("1", *bad_numbers("1")))
    yield from (("Upload-Metadata", value, (400,)) for value in BAD_METADATA)
    yield from (("Upload-Checksum", value, (400, 460)) for value in BAD_CHECKSUMS)
    yield from (("Content-Type", value, (400, 415)) for value in (None, "", *BAD_TYPES))
    yield from (("Tus-Resumable", value, (400, 412)) for value in BAD_VERSIONS)


def append_cases() -> Iterator[Case]:
    """Return the same for an append."""
    yield from (("Upload-Offset", value, (400,)) for value in (None, *bad_numbers("5")))
    yield from (("Upload-Length", value, (400,)) for value in ("21", "4", *bad_numbers("20")))
    yield from (("Upload-Checksum", value, (400, 460)) for value in BAD_CHECKSUMS)
    yield from (("Content-Type", value, (400, 415)) for value in (None, "", *BAD_TYPES))
    yield from (("Tus-Resumable", value, (400, 412)) for value in BAD_VERSIONS)


def by_header(cases: Iterator[Case]) -> dict[str, list[Case]]:
    """Return the cases of each header."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case[0], []).append(case)
    return found


CREATION, APPEND = by_header(creation_cases()), by_header(append_cases())


def spoilt(asked: Asked, header: str, value: str | None) -> Asked:
    return asked.but(**{header.replace("-", "_"): value})


@pytest.fixture
def upload_id(client: FlaskClient) -> str:
    """An upload of which the first five bytes are stored."""
    return id_of(TUS.create(len(FILE), FILE[:5]).over(client).headers["Location"])


@pytest.mark.parametrize("header", CREATION)
def test_a_creation_with_a_spoilt_header_leaves_nothing(
    app: Flask, client: FlaskClient, header: str
) -> None:
    good = TUS.create(len(FILE), FILE[:5])
    for _, value, statuses in CREATION[header]:
        answer = spoilt(good, header, value).over(client)
        check_refused(answer, *statuses, about=value)
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert nothing_left(app), value


@pytest.mark.parametrize("header", APPEND)
def test_an_append_with_a_spoilt_header_changes_nothing(
    app: Flask, client: FlaskClient, upload_id: str, header: str
) -> None:
    before = snapshot(app)
    good = TUS.append(upload_id, 5, FILE[5:])
    for _, value, statuses in APPEND[header]:
        answer = spoilt(good, header, value).over(client)
        check_refused(answer, *statuses, about=value)
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        assert snapshot(app) == before, value
    assert good.over(client).status_code == 204


@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
def test_other_requests_need_the_version(
    app: Flask, client: FlaskClient, upload_id: str, method: str
) -> None:
    before = snapshot(app)
    asked = Asked(method, TUS.target(upload_id), {"Tus-Resumable": "1.0.0"})
    for value in BAD_VERSIONS:
        check_refused(asked.but(tus_resumable=value).over(client), 400, 412, about=value)
        assert snapshot(app) == before, value


@pytest.mark.parametrize(
    "verb",
    ["", "PUT", "GET", "HEAD", "POST", "patch", "PATCH, DELETE", "PATCH,PATCH", "é", "X" * 5000],
)
def test_an_override_is_patch_or_delete(
    app: Flask, client: FlaskClient, upload_id: str, verb: str
) -> None:
    before = snapshot(app)
    append = TUS.append(upload_id, 5, FILE[5:]).but(x_http_method_override=verb)
    answer = Asked("POST", append.target, append.headers, append.body).over(client)
    check_refused(answer, 400, 405, about=verb)
    assert snapshot(app) == before


def test_an_override_counts_on_posts_of_this_dialect_only(
    app: Flask, client: FlaskClient, upload_id: str
) -> None:
    """Otherwise a form of another site could delete."""
    before = snapshot(app)
    for target in (f"/uploads/{upload_id}", "/uploads/", "/uploads/tus/"):
        for verb in ("DELETE", "PATCH"):
            Asked("POST", target, {"X-HTTP-Method-Override": verb}).over(client)
            assert snapshot(app) == before, (target, verb)


@pytest.mark.parametrize(
    "names",
    [
        [("filename", b"../../etc/passwd")],
        [("filename", b"\0")],
        [("filename", b"a\0b\r\nSet-Cookie: x=1")],
        [("filename", b"\xff\xfe\x80")],
        [("filename", b"." * 300), ("filetype", b"\xff/\xff")],
        [("filename", b"x" * 3000)],
        [("filename", b""), ("name", b"x")],
        [("upload_id", b"x"), ("md5", b"y"), ("file", b"z"), ("dzuuid", b"1")],
        [("filetype", "é/ü; charset=\u202e".encode())],
    ],
    ids=lambda names: names[0][0] + str(len(names[0][1])),
)
def test_odd_names_are_cleaned_or_refused(
    app: Flask, client: FlaskClient, names: list[tuple[str, bytes]]
) -> None:
    """They are metadata, never paths; HEAD returns the header as it was sent."""
    header = ",".join(f"{key} {base64.b64encode(value).decode()}" for key, value in names)
    answer = TUS.create(len(FILE)).but(upload_metadata=header).over(client)
    if answer.status_code != 201:
        check_refused(answer)
        assert nothing_left(app)
        return
    upload_id = id_of(answer.headers["Location"])
    assert TUS.head(upload_id).over(client).headers["Upload-Metadata"] == header
    assert TUS.append(upload_id, 0, FILE).over(client).status_code == 204
    assert client.get(f"/uploads/{upload_id}/file", buffered=True).data == FILE
    [path] = files(app)
    assert ".." not in path.split("/")


def test_metadata_has_the_limits_of_form_fields(app: Flask, client: FlaskClient) -> None:
    large = base64.b64encode(b"x" * 100_000).decode()
    many = ",".join(f"key{number} YQ==" for number in range(1000))
    for header in (f"note {large}", many, f"{'k' * 100_000} YQ=="):
        check_refused(TUS.create(len(FILE)).but(upload_metadata=header).over(client))
        assert nothing_left(app), header[:20]
