"""The completed file: ranges, conditions (RFC 9110 13, 14), its name, and that it is never run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from werkzeug.http import http_date, parse_options_header
from werkzeug.test import TestResponse

from tests.http.answers import refused
from tests.http.forms import file, post_form
from tests.support.protocol import Protocol, md5_of

pytestmark = pytest.mark.one_database

DATA = bytes(range(256)) * 4


def get(client: FlaskClient, url: str, **headers: str) -> TestResponse:
    """Get and close, as a server does."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(url, headers=sent, buffered=True)


@pytest.fixture
def url(protocol: Protocol) -> str:
    return f"/uploads/{protocol.completed(DATA, filename='page.html')}/file"


def test_the_whole_file(client: FlaskClient, url: str) -> None:
    response = get(client, url)
    assert response.status_code == 200
    assert response.data == DATA
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["ETag"] == f'"{md5_of(DATA)}"'
    assert "Last-Modified" in response.headers


def test_what_a_stranger_uploaded_is_never_rendered(client: FlaskClient, url: str) -> None:
    plain: dict[str, str] = {}
    for headers in (plain, {"Range": "bytes=0-9"}):
        answer = get(client, url, **headers).headers
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]


def test_a_private_file_is_not_kept_by_shared_caches(client: FlaskClient, url: str) -> None:
    control = get(client, url).headers["Cache-Control"]
    assert "private" in control
    assert "public" not in control


def test_head(client: FlaskClient, url: str) -> None:
    response = client.head(url, buffered=True)
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["ETag"] == f'"{md5_of(DATA)}"'


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=1000-", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=1000-99999", 1000, 1024),
    ],
)
def test_ranges(client: FlaskClient, url: str, asked: str, start: int, stop: int) -> None:
    response = get(client, url, Range=asked)
    assert response.status_code == 206
    assert response.data == DATA[start:stop]
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
    assert response.headers["Content-Length"] == str(stop - start)


def test_a_suffix_longer_than_the_file_is_the_file(client: FlaskClient, url: str) -> None:
    """RFC 9110 14.1.2; readers of archives ask for the last 64 KiB without knowing the size."""
    response = get(client, url, Range="bytes=-65536")
    assert response.status_code in (200, 206)
    assert response.data == DATA


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000"])
def test_ranges_outside_the_file(client: FlaskClient, url: str, asked: str) -> None:
    response = get(client, url, Range=asked)
    refused(response, 416)
    assert response.headers["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize(
    "asked",
    ["items=0-1", "bytes=x-y", "bytes", "", "bytes=5-2", "bytes=0-1,5-6", "bytes=" + "9" * 5000],
)
def test_ranges_that_are_none(client: FlaskClient, url: str, asked: str) -> None:
    """A server may ignore a Range (RFC 9110 14.2) or refuse it, but not fail."""
    response = get(client, url, Range=asked)
    assert response.status_code in (200, 206, 416)
    if response.status_code == 416:
        refused(response, 416)


def test_if_none_match(client: FlaskClient, url: str) -> None:
    etag = get(client, url).headers["ETag"]
    for given in (etag, f'"x", {etag}', f"W/{etag}", "*"):
        response = get(client, url, If_None_Match=given)
        assert (response.status_code, response.data) == (304, b"")
        assert response.headers["ETag"] == etag
    assert get(client, url, If_None_Match='"other"').status_code == 200


def test_if_modified_since(client: FlaskClient, url: str) -> None:
    modified = get(client, url).headers["Last-Modified"]
    assert get(client, url, If_Modified_Since=modified).status_code == 304
    earlier = http_date(datetime.now(UTC) - timedelta(days=1))
    assert get(client, url, If_Modified_Since=earlier).status_code == 200


def test_if_range(client: FlaskClient, url: str) -> None:
    etag = get(client, url).headers["ETag"]
    same = get(client, url, Range="bytes=0-9", If_Range=etag)
    assert (same.status_code, same.data) == (206, DATA[:10])
    other = get(client, url, Range="bytes=0-9", If_Range='"other"')
    assert (other.status_code, other.data) == (200, DATA)


def test_an_empty_file(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = post_form(client, file(b"", "empty")).get_json()["upload_id"]
    protocol.complete(upload_id, b"")
    response = get(client, f"/uploads/{upload_id}/file")
    assert (response.status_code, response.data) == (200, b"")
    ranged = get(client, f"/uploads/{upload_id}/file", Range="bytes=0-")
    assert ranged.status_code in (200, 416)
    assert ranged.status_code == 416 or ranged.data == b""


def test_an_unfinished_upload_has_no_file(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    refused(get(client, f"/uploads/{upload_id}/file"), 400, "Upload is not complete", offset=6)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("plain.txt", "plain.txt"),
        ("with space.txt", "with space.txt"),
        ("naïve.txt", "naïve.txt"),
        ("日本語.txt", "日本語.txt"),
        ("€ rates.txt", "€ rates.txt"),
        ("semi;colon.txt", "semi;colon.txt"),
        ("100%41.txt", "100%41.txt"),
        ("../../etc/passwd", "passwd"),
        ("a\u202etxt.exe", "atxt.exe"),
    ],
)
def test_the_name_of_the_download(
    client: FlaskClient, protocol: Protocol, given: str, named: str
) -> None:
    upload_id = post_form(client, file(b"x", given)).get_json()["upload_id"]
    protocol.complete(upload_id, b"x")
    header = get(client, f"/uploads/{upload_id}/file").headers["Content-Disposition"]
    assert header.isascii()
    assert parse_options_header(header)[1]["filename"] == named
    if not named.isascii():  # RFC 8187
        assert unquote(header.partition("filename*=UTF-8''")[2]) == named


@pytest.mark.parametrize("given", ["a\r\nX-Evil: 1", 'a"; filename="b', "a\nb", "\x00\x01", "CON"])
def test_no_name_breaks_the_header(client: FlaskClient, protocol: Protocol, given: str) -> None:
    """Names that reach the server by another way than a part's header, which cannot hold them."""
    response = client.post(
        "/uploads/", query_string={"filename": given}, data=b"x", content_type="a/b"
    )
    assert response.status_code == 200
    upload_id = response.get_json()["upload_id"]
    protocol.complete(upload_id, b"x")
    download = get(client, f"/uploads/{upload_id}/file")
    assert download.status_code == 200
    assert "X-Evil" not in download.headers
    header = download.headers["Content-Disposition"]
    assert parse_options_header(header)[0] == "attachment"
    assert "\r" not in header
    assert "\n" not in header
    assert set(parse_options_header(header)[1]) == {"filename"}
