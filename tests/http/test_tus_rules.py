"""tus: the rules of an upload set hold as in every other dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from chunked_upload import ChunkedUpload, ChunkedUploadError
from chunked_upload.http.access.callers import hash_token
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.http.forms import send
from tests.support.protocol import nothing_left, records
from tests.support.tus import BODY_TYPE, VERSION, Tus, id_of

pytestmark = pytest.mark.one_database

Make = Callable[..., tuple[Tus, ChunkedUpload]]

PAGE = "https://page.example"


@pytest.fixture
def make(make_app: Callable[..., Flask]) -> Make:
    """Make an app with settings; return its client of tus, and its upload set."""

    def make(**settings: Any) -> tuple[Tus, ChunkedUpload]:
        app = make_app(**{key: settings.pop(key) for key in [*settings] if key.isupper()})
        uploads = ChunkedUpload(app, **settings)
        create_tables(app)
        return Tus(app.test_client()), uploads

    return make


def app_of(tus: Tus) -> Flask:
    return tus.client.application


# Sizes and types


def test_a_file_that_is_too_large_is_refused_at_once(make: Make) -> None:
    tus, _ = make(max_bytes=10)
    refused(tus.create(11), 413, "Size of file exceeds the limit (10 bytes)")
    refused(tus.create(11, data=b"x" * 11), 413)
    assert nothing_left(app_of(tus))
    assert tus.create(10).status_code == 201


def test_a_length_that_is_told_later_is_held_to_the_limit(make: Make) -> None:
    tus, _ = make(max_bytes=10)
    url = tus.created()
    refused(tus.patch(url, b"hello", 0, {"Upload-Length": "11"}), 413)
    refused(tus.patch(url, b"x" * 11, 0), 413)
    response = send(
        tus.client,
        "PATCH",
        url,
        b"x" * 11,
        chunked=True,
        SERVER_SOFTWARE="gunicorn/27",
        CONTENT_TYPE=BODY_TYPE,
        HTTP_TUS_RESUMABLE=VERSION,
        HTTP_UPLOAD_OFFSET="0",
    )
    refused(response, 413)
    assert tus.patch(url, b"x" * 10, tus.offset(url), {"Upload-Length": "10"}).status_code == 204


def test_types_are_known_by_the_file_name(make: Make) -> None:
    tus, _ = make(allowed_extensions="jpg,png")
    for name in ("a.exe", "a", "a.jpg.exe"):
        refused(tus.create(1, filename=name), 415)
    refused(tus.create(1), 415)
    assert nothing_left(app_of(tus))
    assert tus.create(1, filename="a.png").status_code == 201


def test_checks_of_the_app_see_the_file_before_a_byte_comes(make: Make) -> None:
    tus, uploads = make()

    def check(request: Any, upload: Any) -> None:
        if upload.metadata.get("album") != "x" or upload.content_type == "text/html":
            raise ChunkedUploadError(422, detail="not here")

    uploads.validate(check)
    refused(tus.create(1, filename="a"), 422, "not here")
    refused(tus.create(1, album="x", filetype="text/html"), 422, "not here")
    assert nothing_left(app_of(tus))
    url = tus.created(5, album="x")
    assert tus.patch(url, b"hello", 0).status_code == 204


def test_the_quota_counts_what_is_declared(make: Make) -> None:
    tus, _ = make(max_open_bytes=10, max_open_uploads=2)
    url = tus.created(8)
    refused(tus.create(3), 413)
    assert tus.create(2).status_code == 201
    refused(tus.create(0), 413)
    assert tus.patch(url, b"x" * 8, 0).status_code == 204
    assert tus.create(8).status_code == 201


def test_the_quota_counts_what_arrives_of_a_deferred_length(make: Make) -> None:
    tus, _ = make(max_open_bytes=10)
    url = tus.created()
    assert tus.patch(url, b"x" * 8, 0).status_code == 204
    refused(tus.patch(url, b"x" * 8, 8), 413)
    assert tus.offset(url) == 8
    refused(tus.create(3), 413)


# Callers


def test_an_upload_is_its_owner_s(make: Make) -> None:
    tus, uploads = make()
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    ann, bob = {"X-User": "ann"}, {"X-User": "bob"}
    refused(tus.create(5), 403)
    url = tus.create(5, ann).headers["Location"]
    for verb in ("HEAD", "PATCH", "DELETE"):
        headers = {"Upload-Offset": "0", "Content-Type": BODY_TYPE}
        assert tus.request(verb, url, headers | bob, b"hello").status_code == 404
        assert tus.request(verb, url, headers, b"hello").status_code == 403
    assert tus.patch(url, b"hello", 0, ann).status_code == 204
    assert tus.client.get(url, headers=bob).status_code == 404
    assert tus.client.get(url, headers=ann, buffered=True).data == b"hello"


def test_tokens(make: Make) -> None:
    tus, _ = make(CHUNKED_UPLOAD_TOKENS={"backup": hash_token("secret")})
    refused(tus.create(5), 403, "Authentication credentials were not provided")
    token = {"Authorization": "Bearer secret"}
    url = tus.create(5, token).headers["Location"]
    assert tus.request("HEAD", url).status_code == 403
    assert tus.patch(url, b"hello", 0, token).status_code == 204
    [record] = records(app_of(tus))
    assert record.owner == "token:backup"


def test_a_permission_check_of_the_app(make: Make) -> None:
    tus, uploads = make()
    url = tus.created(5)

    def check(request: Any) -> None:
        raise ChunkedUploadError(401, detail="who are you")

    uploads.check_permissions(check)
    for response in (tus.create(5), tus.patch(url, b"hello", 0), tus.delete(url)):
        refused(response, 401, "who are you")
    assert tus.head(url).status_code == 401


def test_no_csrf_token_is_needed_with_the_version(make: Make) -> None:
    """No page of another site can send that header without asking first."""
    tus, _ = make(CHUNKED_UPLOAD_CSRF=True)
    url = tus.created(5)
    assert tus.patch(url, b"hello", 0).status_code == 204
    assert tus.delete(url).status_code == 204
    refused(tus.create(5, {"Tus-Resumable": None}), 400, "The CSRF token is missing or wrong")
    refused(tus.create(5, {"Tus-Resumable": "0.2.2"}), 412)


# Pages of other origins


def test_a_page_elsewhere_may_send_what_tus_js_client_sends(make: Make) -> None:
    tus, _ = make(cors_origins=[PAGE])
    sent = (
        "tus-resumable,upload-length,upload-metadata,upload-offset,upload-defer-length,upload-concat,"
        "upload-checksum,x-http-method-override,x-request-id,content-type,authorization"
    )
    for url, verbs in (
        (tus.url, ["POST"]),
        (tus.created(5), ["HEAD", "PATCH", "DELETE", "POST", "GET"]),
    ):
        for verb in verbs:
            response = tus.client.options(
                url,
                headers={
                    "Origin": PAGE,
                    "Access-Control-Request-Method": verb,
                    "Access-Control-Request-Headers": sent,
                },
            )
            headers = response.headers
            assert response.status_code == 200
            assert headers["Access-Control-Allow-Origin"] == PAGE
            assert verb in headers["Access-Control-Allow-Methods"]
            allowed = {name.strip() for name in headers["Access-Control-Allow-Headers"].split(",")}
            assert {*sent.split(",")} <= {name.lower() for name in allowed}


def test_a_page_elsewhere_may_read_what_tus_js_client_reads(make: Make) -> None:
    tus, _ = make(cors_origins=[PAGE])
    page = {"Origin": PAGE}
    created = tus.create(5, page)
    url = created.headers["Location"]
    conflict = tus.patch(url, b"x", 3, page)
    for response in (created, conflict, tus.request("HEAD", url, page)):
        exposed = {
            name.strip() for name in response.headers["Access-Control-Expose-Headers"].split(",")
        }
        assert {"Location", "Upload-Offset", "Upload-Length", "Tus-Resumable"} <= exposed
        assert {"Upload-Metadata", "Upload-Concat", "Upload-Expires", "Tus-Version"} <= exposed
        assert {"Tus-Extension", "Tus-Max-Size", "Upload-Defer-Length"} <= exposed


def test_other_pages_get_nothing(make: Make) -> None:
    tus, _ = make(cors_origins=[PAGE])
    response = tus.create(5, {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


# Upload sets


def test_an_upload_belongs_to_its_set(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app)
    ChunkedUpload(app, name="photos", url_prefix="/photos", allowed_extensions="jpg")
    create_tables(app)
    files, photos = Tus(app.test_client()), Tus(app.test_client(), "/photos")
    url = photos.created(5, filename="a.jpg")
    assert url.startswith("http://localhost/photos/tus/")
    refused(photos.create(5, filename="a.txt"), 415)
    assert files.request("HEAD", f"{files.url}{id_of(url)}").status_code == 404


def test_a_set_is_chosen_by_the_query(make_app: Callable[..., Flask]) -> None:
    app = make_app(CHUNKED_UPLOAD_SET_FIELD="set")
    ChunkedUpload(app)
    ChunkedUpload(app, name="photos", url_prefix="/photos", allowed_extensions="jpg")
    create_tables(app)
    tus = Tus(app.test_client())
    refused(tus.create(5, filename="a.jpg", set="photos"), 400)
    tus.url += "?set=photos"
    refused(tus.create(5, filename="a.txt"), 415)
    url = tus.created(5, filename="a.jpg", set="photos")
    assert url.startswith("http://localhost/photos/tus/")
    assert tus.patch(url, b"hello", 0).status_code == 204
    assert [record.extra_fields for record in records(app, "photos")] == [{"filename": "a.jpg"}]


def test_a_set_that_does_not_speak_it(make: Make) -> None:
    tus, _ = make(dialects=["django"])
    response = tus.create(5)
    assert response.status_code in (400, 404, 405)
    assert "Tus-Resumable" not in response.headers
