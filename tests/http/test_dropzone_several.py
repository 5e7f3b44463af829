"""Several files in one request (``uploadMultiple``): each an upload, all taken or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadError, ChunkedUploadView
from tests.conftest import create_tables
from tests.http.answers import refused, stored
from tests.http.forms import FORM, field, file, form, post_form, send
from tests.support.dropzone import HEADERS, send_whole
from tests.support.protocol import md5_of, nothing_left, records

FILES = [(f"file[{n}]", f"content {n}".encode() * n, f"{n}.txt") for n in range(4)]


def test_each_becomes_an_upload(app: Flask, client: FlaskClient) -> None:
    """Dropzone shows one answer for all; it has them in the order of the files."""
    answer = send_whole(client, *FILES, album="summer")
    assert answer.status_code == 200
    uploads = answer.get_json()["uploads"]
    assert [one["filename"] for one in uploads] == ["0.txt", "1.txt", "2.txt", "3.txt"]
    assert [one["md5"] for one in uploads] == [md5_of(data) for _, data, _ in FILES]
    assert {one["status"] for one in uploads} == {2}
    assert all(one["metadata"] == {"album": "summer"} for one in uploads)
    assert sorted(stored(app).values()) == sorted(data for _, data, _ in FILES)
    for one, (_, data, _) in zip(uploads, FILES, strict=True):
        assert client.get(one["url"], buffered=True).data == data


def test_one_of_one(client: FlaskClient) -> None:
    """With ``uploadMultiple`` a page finds ``uploads`` also when there is only one."""
    [one] = send_whole(client, FILES[1]).get_json()["uploads"]
    assert one["filename"] == "1.txt"


def test_names_that_the_page_chose(app: Flask, client: FlaskClient) -> None:
    """``paramName`` may be a function that gives all the same name."""
    files = [("files[]", data, name) for _, data, name in FILES]
    assert len(send_whole(client, *files).get_json()["uploads"]) == 4


def test_without_dropzones_headers(client: FlaskClient) -> None:
    """Version 6 leaves them out with ``defaultHeaders: false``; the numbered name says enough."""
    parts = [file(data, name, field_name=field_name) for field_name, data, name in FILES]
    assert len(post_form(client, *parts).get_json()["uploads"]) == 4


def test_all_of_one_visitor(app: Flask, client: FlaskClient) -> None:
    send_whole(client, *FILES)
    assert client.get("/uploads/").get_json()["total"] == 4
    assert len({record.visitor for record in records(app)}) == 1


@pytest.mark.parametrize("at", [1, 3])
def test_a_limit_refuses_all(make_app: Callable[..., Flask], at: int) -> None:
    app = make_app()
    ChunkedUpload(app, max_bytes=len(FILES[at][1]) - 1)
    create_tables(app)
    refused(send_whole(app.test_client(), *FILES), 400)
    assert nothing_left(app)


def test_a_type_refuses_all(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, allowed_extensions=("txt",))
    create_tables(app)
    answer = send_whole(app.test_client(), *FILES, ("file[4]", b"x", "4.exe"))
    refused(answer, 415, "Files of type 'exe' are not accepted, only: txt")
    assert nothing_left(app)


def test_a_quota_refuses_all(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_open_uploads=3)
    create_tables(app)
    refused(send_whole(app.test_client(), *FILES), 413)
    assert nothing_left(app)


def test_too_many_refuse_all(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_form_files=3)
    create_tables(app)
    refused(
        send_whole(app.test_client(), *FILES), 400, "Only 3 files can be submitted in one request"
    )
    assert nothing_left(app)


@pytest.mark.parametrize("hook", ["pre_save", "post_save"])
def test_a_hook_refuses_all(make_app: Callable[..., Flask], hook: str) -> None:
    class View(ChunkedUploadView):
        pass

    def refuse(self: Any, upload: Any, request: Request, new: bool = False) -> None:
        if upload.filename == "2.txt":
            raise ChunkedUploadError(status=422, detail="Not this one")

    setattr(View, hook, refuse)
    app = make_app()
    ChunkedUpload(app, upload_view=View)
    create_tables(app)
    refused(send_whole(app.test_client(), *FILES), 422, "Not this one")
    assert nothing_left(app)


@pytest.mark.parametrize("cut", [40, 300, 700])
def test_a_cut_connection_leaves_nothing(app: Flask, client: FlaskClient, cut: int) -> None:
    parts = [file(b"x" * 200, name, field_name=field_name) for field_name, _, name in FILES]
    whole = form(*parts)
    answer = send(
        client, "POST", "/uploads/", whole[:-cut], length=str(len(whole)), CONTENT_TYPE=FORM
    )
    refused(answer, 400)
    assert nothing_left(app)


@pytest.mark.parametrize("name", ["md5", "upload_id"])
def test_fields_of_one_file(app: Flask, client: FlaskClient, name: str) -> None:
    refused(send_whole(client, *FILES, **{name: "0" * 32}), 404 if name == "upload_id" else 400)
    assert nothing_left(app)


def test_one_of_them_may_have_an_md5(app: Flask, client: FlaskClient) -> None:
    refused(send_whole(client, FILES[1], md5="0" * 32), 400, "md5 checksum does not match")
    assert nothing_left(app)
    assert send_whole(client, FILES[1], md5=md5_of(FILES[1][1])).status_code == 200


def test_a_field_that_takes_no_files(app: Flask, client: FlaskClient) -> None:
    refused(send_whole(client, *FILES, ("other[4]", b"x", "x")), 400)
    refused(send_whole(client, ("other[0]", b"x", "x")), 400)
    assert nothing_left(app)


def test_other_clients_send_one(app: Flask, client: FlaskClient) -> None:
    parts = [file(b"a", "a.txt"), file(b"b", "b.txt")]
    refused(post_form(client, *parts), 400, "Only one file can be submitted in one request")
    refused(post_form(client, *parts, field("upload_id", "x")), 400)
    assert nothing_left(app)
    body = form(*parts)
    headers = {**HEADERS, "Content-Range": "bytes 0-0/1"}
    answer = client.post("/uploads/", data=body, content_type=FORM, headers=headers)
    refused(answer, 400, "Only one file can be submitted in one request")
    assert nothing_left(app)
