"""Hostile file names and forms: they never become paths, and never an error of ours."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.answers import refused, stored
from tests.http.forms import FORM, field, file, form, part, post_form, send
from tests.support.protocol import Protocol, nothing_left, records

DATA = b"hello world"

NAMES = [
    "../../../etc/passwd",
    "..\\..\\windows\\system32\\cmd.exe",
    "/etc/passwd",
    "C:\\autoexec.bat",
    "a/../../b",
    "..",
    ".",
    "...",
    "/",
    "//",
    "./.",
    "~root",
    "nul\0byte.txt",
    "\0",
    "tab\tnew\nline\rbell\a",
    "\x1b[31mred",
    "\u202egpj.exe",
    "a\u200bb\ufeffc",
    "\u2028\u2029",
    "．．／．．／x",
    "CON",
    "con.txt",
    "LPT1",
    "aux.tar.gz",
    ".htaccess",
    ".hidden",
    " ",
    " leading and trailing ",
    "ends with dot.",
    "ends with space ",
    "*?<>|:\"",
    "-rf",
    "$(reboot)",
    "`id`",
    "%2e%2e%2fx",
    "\ud800",
    "a" * 255,
    "é" * 255,
    "😀" * 255,
    "e\u0301" * 200,
    "x." + "y" * 250,
    ".incoming",
    "complete",
    "chunked_uploads",
]  # fmt: skip


def outside(app: Flask, before: set[Path]) -> set[Path]:
    root = Path(app.instance_path) / "uploads"
    now = set(root.parent.parent.rglob("*"))
    return {path for path in now - before if root not in path.parents and path != root}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("way", ["form", "header", "query"])
def test_names(app: Flask, client: FlaskClient, protocol: Protocol, name: str, way: str) -> None:
    """The outcome is a stored upload with a harmless name, or a clear refusal."""
    (Path(app.instance_path) / "uploads").mkdir(parents=True, exist_ok=True)
    before = set(Path(app.instance_path).parent.rglob("*"))
    raw = name.encode("utf-8", "surrogatepass")
    if way == "form":
        response = post_form(client, file(DATA, raw))
    else:
        query = quote(raw) if way == "query" else ""
        header = f"attachment; filename*=UTF-8''{quote(raw, safe='')}" if way == "header" else ""
        response = send(
            client,
            "POST",
            f"/uploads/?filename={query}" if query else "/uploads/",
            DATA,
            CONTENT_TYPE="application/octet-stream",
            HTTP_CONTENT_DISPOSITION=header,
        )
    if response.status_code != 200:
        assert response.status_code in (400, 413)
        refused(response, response.status_code)
        assert nothing_left(app)
        return
    upload_id = response.get_json()["upload_id"]
    [record] = records(app)
    shown = record.filename
    assert shown
    assert "/" not in shown
    assert "\\" not in shown
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs") for c in shown)
    done = protocol.complete(upload_id, DATA)
    assert done.status_code == 200, done.text
    [(place, data)] = stored(app).items()
    assert data == DATA
    assert place.startswith("chunked_uploads/")
    last = place.rpartition("/")[2]
    assert not last.startswith((".", " "))
    assert not last.endswith((".", " "))
    assert len(last.encode()) <= 255
    assert not outside(app, before)
    download = client.get(f"/uploads/{upload_id}/file", buffered=True)
    assert download.status_code == 200
    assert download.headers["Content-Disposition"].isascii()


@pytest.mark.parametrize("length", [256, 10_000])
@pytest.mark.parametrize("way", ["form", "query"])
def test_names_too_long(app: Flask, client: FlaskClient, length: int, way: str) -> None:
    name = "n" * length
    if way == "form":
        response = post_form(client, file(DATA, name))
    else:
        response = client.post(f"/uploads/?filename={name}", data=DATA, content_type="a/b")
    refused(response, 413)
    assert nothing_left(app)


@pytest.mark.parametrize("raw", [b"\xff\xfe.txt", b"na\xefve.txt", b"\xed\xa0\x80"])
def test_names_that_are_not_utf8(app: Flask, client: FlaskClient, raw: bytes) -> None:
    response = post_form(client, file(DATA, raw))
    if response.status_code != 200:
        refused(response, 400)
        assert nothing_left(app)
    header = b"attachment; filename=" + raw
    answer = send(
        client,
        "POST",
        "/uploads/",
        DATA,
        CONTENT_TYPE="a/b",
        HTTP_CONTENT_DISPOSITION=header.decode("latin-1"),
    )
    assert answer.status_code == 200


# Forms


@pytest.mark.one_database
def test_ten_thousand_parts(app: Flask, client: FlaskClient) -> None:
    fields = [field(f"f{n}", "x") for n in range(10_000)]
    for parts in ([*fields, file(DATA)], [file(DATA), *fields]):
        refused(post_form(client, *parts), 413)
    assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize("name", ["a", "upload_id", "file"])
def test_ten_thousand_parts_of_one_name(app: Flask, client: FlaskClient, name: str) -> None:
    response = post_form(client, *[field(name, "")] * 10_000, file(DATA))
    assert response.status_code in (400, 413)
    refused(response, response.status_code)
    assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize("ended", [True, False])
def test_a_header_of_a_megabyte(app: Flask, client: FlaskClient, ended: bool) -> None:
    long = b"X-Long: " + b"x" * 2**20 + (b"\r\n" if ended else b"")
    one = part('form-data; name="file"; filename="f"', DATA, long)
    refused(post_form(client, one), 413)
    many = b"".join(b"X-%d: x\r\n" % n for n in range(50_000))
    refused(post_form(client, part('form-data; name="file"; filename="f"', DATA, many)), 413)
    assert nothing_left(app)


@pytest.mark.one_database
def test_a_megabyte_before_the_first_boundary(app: Flask, client: FlaskClient) -> None:
    response = client.post(
        "/uploads/", data=b"x" * 2**20 + b"\r\n" + form(file(DATA)), content_type=FORM
    )
    assert response.status_code in (200, 400, 413)


@pytest.mark.one_database
def test_a_huge_part_that_is_no_file(app: Flask, client: FlaskClient) -> None:
    for parts in ([field("a", b"x" * 2**20), file(DATA)], [file(DATA), field("a", b"x" * 2**20)]):
        refused(post_form(client, *parts), 413)
    refused(post_form(client, file(b"x" * 2**20, ""), file(DATA)), 413)
    assert nothing_left(app)


@pytest.mark.one_database
def test_bytes_after_the_last_boundary_are_ignored(app: Flask, client: FlaskClient) -> None:
    body = form(file(DATA)) + b"epilogue" * 100_000 + form(file(b"other"))
    response = client.post("/uploads/", data=body, content_type=FORM)
    assert response.status_code == 200
    assert list(stored(app).values()) == [DATA]


def test_fields_that_are_not_text(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    response = post_form(client, field("nul", b"a\0b\xff"), field("\0n", b"x"), file(DATA))
    assert response.status_code == 200
    metadata = protocol.state(response.get_json()["upload_id"]).get_json()["metadata"]
    assert metadata["nul"] == "ab\ufffd"


@pytest.mark.one_database
@pytest.mark.parametrize(
    "disposition",
    [
        b'form-data; name="file"; filename="a"; filename="b"',
        b"form-data; name=\"file\"; filename*=UTF-8''%00%ff%e2%82",
        b'form-data; name="file"; filename="unclosed',
        b"form-data; name=file; filename=a;;;;",
        b"form-data; name=file; filename",
        b"form-data",
        b"",
        b";" * 5000,
    ],
)
def test_odd_dispositions(app: Flask, client: FlaskClient, disposition: bytes) -> None:
    response = post_form(client, part(disposition, DATA))
    if response.status_code != 200:
        refused(response, 400)
        assert nothing_left(app)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "header",
    [
        "",
        ";",
        "attachment",
        "attachment; filename",
        'attachment; filename="',
        "attachment; filename*=x",
        "attachment; filename*=UTF-8''%ff%fe",
        "attachment; filename*=bogus''a",
        '"' * 4000,
        "\\" * 4000,
    ],
)
def test_odd_content_dispositions(client: FlaskClient, header: str) -> None:
    response = send(
        client, "POST", "/uploads/", DATA, CONTENT_TYPE="a/b", HTTP_CONTENT_DISPOSITION=header
    )
    assert response.status_code == 200
