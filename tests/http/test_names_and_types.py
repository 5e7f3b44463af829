"""Names and types as any client writes them: the file is stored under its own name."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.forms import BOUNDARY, field, file, form
from tests.support.protocol import Protocol, md5_of, records

DATA = b"hello"


def post(client: FlaskClient, body: bytes, content_type: str, **headers: str) -> str:
    response = client.post("/uploads/", data=body, content_type=content_type, headers=headers)
    assert response.status_code == 200, response.text
    upload_id: str = response.get_json()["upload_id"]
    return upload_id


@pytest.mark.parametrize(
    "content_type",
    [
        f"Multipart/Form-Data; boundary={BOUNDARY}",
        f"MULTIPART/FORM-DATA;BOUNDARY={BOUNDARY}",
        f'multipart/form-data; Boundary="{BOUNDARY}"',
    ],
)
def test_a_form_is_one_in_any_case(
    client: FlaskClient, protocol: Protocol, content_type: str
) -> None:
    upload_id = post(client, form(file(DATA, "a.txt")), content_type)
    state = protocol.state(upload_id).get_json()
    assert (state["filename"], state["offset"]) == ("a.txt", len(DATA))


def test_a_preamble_is_no_part_of_the_file(client: FlaskClient, protocol: Protocol) -> None:
    body = b"A form, for those who can read it.\r\n" + form(file(DATA, "a.txt"))
    upload_id = post(client, body, f"multipart/form-data; boundary={BOUNDARY}")
    assert protocol.state(upload_id).get_json()["offset"] == len(DATA)


@pytest.mark.parametrize("content_type", ["Application/JSON", "APPLICATION/X-WWW-FORM-URLENCODED"])
def test_a_complete_request_is_read_in_any_case(
    client: FlaskClient, protocol: Protocol, content_type: str
) -> None:
    upload_id = protocol.upload(DATA)
    body = f'{{"upload_id": "{upload_id}", "md5": "{md5_of(DATA)}"}}'
    if "URL" in content_type:
        body = f"upload_id={upload_id}&md5={md5_of(DATA)}"
    response = client.post("/uploads/complete", data=body, content_type=content_type)
    assert response.status_code == 200


def test_a_complete_request_may_be_a_form_with_parts(
    client: FlaskClient, protocol: Protocol
) -> None:
    upload_id = protocol.upload(DATA)
    body = b"preamble\r\n" + form(field("upload_id", upload_id), field("md5", md5_of(DATA)))
    kind = f'Multipart/Form-Data; boundary="{BOUNDARY}"'
    response = client.post("/uploads/complete", data=body, content_type=kind)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\me\\report.txt", "report.txt"),
        ("\\\\server\\share\\report.txt", "report.txt"),
        ("dir\\", "upload"),
        ("a%22b.txt", 'a"b.txt'),
        ('a "quoted" name.txt', 'a "quoted" name.txt'),
        ("🩷.jpg", "🩷.jpg"),
        ("نامه‌ها.pdf", "نامه‌ها.pdf"),
        ("100%25.txt", "100%25.txt"),
    ],
)
def test_the_name_in_a_form(client: FlaskClient, app: Flask, sent: str, kept: str) -> None:
    post(client, form(file(DATA, sent)), f"multipart/form-data; boundary={BOUNDARY}")
    assert [record.filename for record in records(app)] == [kept]


@pytest.mark.parametrize(
    ("disposition", "kept"),
    [
        ('attachment; filename="C:\\Users\\me\\report.txt"', "report.txt"),
        ('Attachment; FileName="dir\\"', "upload"),
        ('attachment; filename="100%25.txt"', "100%.txt"),
        ("attachment; filename*=UTF-8''100%2525.txt", "100%25.txt"),
        ("attachment; filename*=x; filename=a.txt", "a.txt"),
    ],
)
def test_the_name_in_a_header(client: FlaskClient, app: Flask, disposition: str, kept: str) -> None:
    post(client, DATA, "application/octet-stream", **{"Content-Disposition": disposition})
    assert [record.filename for record in records(app)] == [kept]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Range", "bytes 0-4/5,bytes 0-4/5"),
        ("Content-Length", "5,5"),
        ("Transfer-Encoding", "chunked,chunked"),
    ],
)
def test_a_doubled_header_that_decides_is_refused(
    client: FlaskClient, app: Flask, name: str, value: str
) -> None:
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value}
    if name == "Content-Length":
        environ = {"CONTENT_LENGTH": value}
    if name == "Transfer-Encoding":
        environ["CONTENT_LENGTH"] = ""
    response = client.post("/uploads/", data=DATA, environ_overrides=environ)
    assert response.status_code == 400
    assert response.get_json()["detail"] == "Error in request headers"
    assert records(app) == []


@pytest.mark.parametrize(
    "headers",
    [{"Content-Range": "Bytes 0-4/5"}, {"Content-Encoding": "Identity"}],
)
def test_units_and_codings_have_no_case(client: FlaskClient, headers: dict[str, str]) -> None:
    post(client, DATA, "application/octet-stream", **headers)


def test_a_range_is_one_in_any_case(client: FlaskClient, protocol: Protocol) -> None:
    path = f"/uploads/{protocol.completed(DATA)}/file"
    response = client.get(path, headers={"Range": "Bytes=0-1"}, buffered=True)
    assert (response.status_code, response.data) == (206, DATA[:2])
