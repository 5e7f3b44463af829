"""IETF resumable uploads: creation (section 4.2 of the draft)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadError
from tests.conftest import create_tables
from tests.http.answers import content_of
from tests.http.draft import (
    DATA,
    INCONSISTENT,
    begun,
    chunked,
    create,
    cut,
    digest,
    id_of,
    problem,
    told,
)
from tests.http.forms import FORM, file, form
from tests.support.protocol import md5_of, nothing_left, records

pytestmark = pytest.mark.one_database


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_upload_in_parts_begins(app: Flask, client: FlaskClient, method: str) -> None:
    response = create(client, DATA[:5], length=11, method=method)
    assert told(response) == (201, "5", "?0", None)
    url = response.headers["Location"]
    assert url.startswith("http://localhost/uploads/")
    assert response.headers["Upload-Limit"].startswith("max-age=")
    assert response.headers["Cache-Control"] == "no-store"
    assert told(client.head(url)) == (200, "5", "?0", "11")
    assert content_of(app, id_of(url)) == DATA[:5]


def test_every_creation_has_a_url_of_its_own(client: FlaskClient) -> None:
    """Which nobody can guess (section 13)."""
    ids = {id_of(begun(client)) for _ in range(5)}
    assert len(ids) == 5
    assert all(len(one) == 32 for one in ids)


def test_an_upload_begins_without_bytes(client: FlaskClient) -> None:
    url = begun(client)
    assert told(client.head(url)) == (200, "0", "?0", None)


@pytest.mark.parametrize("length", [None, 11])
def test_a_whole_file_is_complete(client: FlaskClient, length: int | None) -> None:
    response = create(client, DATA, complete="?1", length=length)
    assert told(response) == (200, "11", "?1", "11")
    state = response.get_json()
    assert (state["status"], state["md5"]) == (2, md5_of(DATA))
    assert client.get(state["url"], buffered=True).data == DATA
    assert told(client.head(response.headers["Location"])) == (200, "11", "?1", "11")


def test_an_empty_file(client: FlaskClient) -> None:
    response = create(client, b"", complete="?1")
    assert told(response) == (200, "0", "?1", "0")
    assert response.get_json()["status"] == 2


def test_an_empty_file_may_be_completed_by_its_checksum(app: Flask, client: FlaskClient) -> None:
    upload_id = id_of(create(client, b"", length=0).headers["Location"])
    response = client.post("/uploads/complete", data={"upload_id": upload_id, "md5": md5_of(b"")})
    assert (response.status_code, content_of(app, upload_id)) == (200, b"")


@pytest.mark.parametrize("complete", ["?1", "?0"])
def test_bytes_of_unknown_length(app: Flask, client: FlaskClient, complete: str) -> None:
    """A transfer without Content-Length, on a server that notices when it is cut."""
    response = create(client, complete=complete, **chunked(DATA))
    url = response.headers["Location"]
    length = "11" if complete == "?1" else None
    assert told(client.head(url)) == (200, "11", complete, length)
    assert content_of(app, id_of(url)) == DATA


@pytest.mark.parametrize(
    ("more", "status"),
    [({}, 411), ({"Upload-Length": "11"}, 200), ({"Content-Digest": digest(DATA)}, 200)],
)
def test_unknown_length_where_a_break_would_look_like_the_end(
    client: FlaskClient, more: dict[str, str], status: int
) -> None:
    response = create(client, complete="?1", headers=more, **chunked(DATA, "Granian/2"))
    assert response.status_code == status


def test_a_length_shows_what_such_a_server_does_not(client: FlaskClient) -> None:
    response = create(client, complete="?1", length=20, **chunked(DATA, "Granian/2"))
    problem(response, 400, INCONSISTENT)
    assert told(response)[1:3] == ("11", "?0")


@pytest.mark.parametrize(
    ("complete", "length"), [("?1", 100), ("?1", 5), ("?0", 5)], ids=["short", "long", "beyond"]
)
def test_lengths_that_differ(app: Flask, client: FlaskClient, complete: str, length: int) -> None:
    response = create(client, DATA, complete=complete, length=length)
    problem(response, 400, INCONSISTENT)
    assert response.headers["Upload-Complete"] == "?0"
    assert nothing_left(app)


@pytest.mark.parametrize("complete", ["?1", "?0"])
def test_a_creation_that_breaks_off_keeps_what_came(
    app: Flask, client: FlaskClient, complete: str
) -> None:
    options = cut(DATA[:5], 11)
    response = create(client, options.pop("data"), complete=complete, length=11, **options)
    assert told(response)[:3] == (400, "5", "?0")
    [listed] = client.get("/uploads/").get_json()["uploads"]
    assert (listed["offset"], listed["status"], listed["length"]) == (5, 1, 11)
    assert id_of(response.headers["Location"]) == listed["upload_id"]


def test_a_creation_that_breaks_off_before_the_first_byte_leaves_nothing(
    app: Flask, client: FlaskClient
) -> None:
    options = cut(b"", 11)
    assert create(client, options.pop("data"), complete="?1", **options).status_code == 400
    assert nothing_left(app)


@pytest.mark.parametrize(
    ("value", "status"),
    [("true", 200), ("1", 200), ("?2", 200), ("", 200), ('"?1"', 200), ("?1, ?1", 400)],
)
def test_completeness_that_cannot_be_read(client: FlaskClient, value: str, status: int) -> None:
    """It counts as not sent: the request is one of another dialect. Doubled it is refused."""
    response = create(client, DATA, complete=value, path="/uploads/?filename=a", content_type="a/b")
    assert response.status_code == status
    assert "Upload-Complete" not in response.headers or status == 400


@pytest.mark.parametrize(
    "value", ["abc", "-1", "+11", "1.5", "1" * 16, "?1", '"11"', "ü", "1e3", ""]
)
def test_a_length_that_cannot_be_read_counts_as_not_sent(client: FlaskClient, value: str) -> None:
    url = begun(client, length=value)
    assert told(client.head(url)) == (200, "0", "?0", None)


@pytest.mark.parametrize("value", [" 11", "11 ", "11;unit=bytes", "0011", "11;a"])
def test_lengths_as_structured_fields_have_them(client: FlaskClient, value: str) -> None:
    url = begun(client, length=value)
    assert told(client.head(url)) == (200, "0", "?0", "11")


def test_a_doubled_length_is_refused(app: Flask, client: FlaskClient) -> None:
    problem(create(client, length="11, 11"), 400)
    assert nothing_left(app)


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("", {"Content-Disposition": 'inline; filename="holiday 1.mp4"'}, "holiday 1.mp4"),
        (
            "",
            {"Content-Disposition": "inline; filename=x; filename*=UTF-8''%e2%82%ac.txt"},
            "€.txt",
        ),
        ("?filename=a.txt", {}, "a.txt"),
        ("", {"Upload-Metadata": "filename YS5tcDQ=,filetype dmlkZW8vbXA0"}, "a.mp4"),
        ("", {}, "upload"),
        ("", {"Content-Disposition": 'inline; filename="../../etc/passwd"'}, "passwd"),
    ],
)
def test_names(
    app: Flask, client: FlaskClient, path: str, headers: dict[str, str], name: str
) -> None:
    begun(client, headers=headers, path=f"/uploads/{path}")
    assert [record.filename for record in records(app)] == [name]


def test_what_tus_js_client_tells(app: Flask, client: FlaskClient) -> None:
    """With ``protocol: 'ietf-draft-05'`` it sends tus' own header, too."""
    headers = {"Upload-Metadata": "filename YS5tcDQ=,album MjAyNg=="}
    begun(client, DATA, headers=headers, content_type="application/partial-upload")
    [record] = records(app)
    assert (record.filename, record.extra_fields["album"]) == ("a.mp4", "2026")
    problem(create(client, headers={"Upload-Metadata": "filename ?"}), 400)


@pytest.mark.parametrize(("offset", "status"), [("0", 201), ("x", 201), ("5", 400), ("0, 0", 400)])
def test_a_new_upload_begins_at_its_first_byte(
    client: FlaskClient, offset: str, status: int
) -> None:
    assert create(client, headers={"Upload-Offset": offset}).status_code == status


def test_put_at_a_name(app: Flask, client: FlaskClient) -> None:
    """As ``curl -T file`` sends it."""
    response = create(client, DATA, complete="?1", method="PUT", path="/uploads/video.mp4")
    assert told(response)[:3] == (200, "11", "?1")
    assert [record.filename for record in records(app)] == ["video.mp4"]


def test_put_without_a_name_is_only_for_resumable_uploads(client: FlaskClient) -> None:
    assert client.put("/uploads/", data=DATA).status_code == 405


def test_an_id_is_no_name(app: Flask, client: FlaskClient) -> None:
    path = f"/uploads/{'0' * 32}"
    assert create(client, DATA, complete="?1", method="PUT", path=path).status_code in (400, 404)
    assert nothing_left(app)


def test_a_form_cannot_be_resumed(app: Flask, client: FlaskClient) -> None:
    problem(create(client, form(file(b"hi")), content_type=FORM), 415)
    assert nothing_left(app)


def test_a_whole_form_is_taken_as_a_form(client: FlaskClient) -> None:
    """A client that upgrades every request by itself sends this (section 11.1.1)."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhi\r\n--b--\r\n'
    )
    response = create(client, body, complete="?1", content_type="multipart/form-data; boundary=b")
    assert response.get_json()["offset"] == 2


def test_content_codings_are_not_taken(app: Flask, client: FlaskClient) -> None:
    """Section 8 has a server keep them with the file; this one keeps plain files only."""
    problem(create(client, DATA, complete="?1", headers={"Content-Encoding": "gzip"}), 415)
    assert nothing_left(app)


def test_a_part_of_a_file_is_no_representation(app: Flask, client: FlaskClient) -> None:
    headers = {"Content-Range": "bytes 0-10/20"}
    problem(create(client, DATA, complete="?1", headers=headers), 400)
    assert nothing_left(app)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_any_other_type_is_bytes(app: Flask, client: FlaskClient, kind: str | None) -> None:
    url = begun(client, DATA, content_type=kind)
    assert content_of(app, id_of(url)) == DATA


@pytest.mark.parametrize(
    ("settings", "status", "said"),
    [
        ({"max_bytes": 10}, 413, "Size of file exceeds the limit (10 bytes)"),
        ({"max_chunk_bytes": 10}, 413, "Size of chunk exceeds the limit (10 bytes)"),
        ({"denied_extensions": ("bin",)}, 415, "Files of type 'bin' are not accepted"),
        ({"max_filename_length": 4}, 413, "File name exceeds the limit (4 characters)"),
        ({"tokens": {"alice": "0" * 64}}, 403, "Authentication credentials were not provided"),
        ({"max_open_bytes": 10}, 413, None),
    ],
)
@pytest.mark.parametrize("length_known", [True, False])
@pytest.mark.parametrize("complete", ["?1", "?0"])
def test_what_holds_for_every_upload_holds_for_these(
    make_app: Callable[..., Flask],
    settings: dict[str, Any],
    status: int,
    said: str | None,
    length_known: bool,
    complete: str,
) -> None:
    app = make_app()
    ChunkedUpload(app, **settings)
    create_tables(app)
    options = {"data": DATA, "length": 11} if length_known else chunked(DATA)
    headers = {"Content-Disposition": "inline; filename=a.bin"}
    response = create(app.test_client(), complete=complete, headers=headers, **options)
    content = problem(response, status)
    assert said is None or content["detail"] == said
    assert response.headers["Upload-Complete"] == "?0"
    assert ("Upload-Limit" in response.headers) == (status == 413)
    assert nothing_left(app)


def test_the_apps_checks_see_the_file(make_app: Callable[..., Flask]) -> None:
    app, seen = make_app(), []
    uploads = ChunkedUpload(app)
    create_tables(app)

    @uploads.validate
    def check(request: Any, upload: Any) -> None:
        seen.append((upload.filename, upload.length, upload.content_type))
        raise ChunkedUploadError(422, detail="not this one")

    response = create(
        app.test_client(),
        DATA,
        complete="?1",
        content_type="video/mp4",
        headers={"Content-Disposition": "inline; filename=a.mp4"},
    )
    assert problem(response, 422)["detail"] == "not this one"
    assert seen == [("a.mp4", 11, "video/mp4")]
    assert nothing_left(app)


def test_a_refused_completion_leaves_nothing(make_app: Callable[..., Flask]) -> None:
    """The client knows no URL, and the answer says that it is the final one."""
    app = make_app()
    ChunkedUpload(app, complete_view=_refusing())
    create_tables(app)
    response = create(app.test_client(), DATA, complete="?1")
    problem(response, 422)
    assert response.headers["Upload-Complete"] == "?1"
    assert nothing_left(app)


def _refusing() -> Any:
    from chunked_upload.views import ChunkedUploadCompleteView

    class Refusing(ChunkedUploadCompleteView):
        def pre_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
            raise ChunkedUploadError(422, detail="not this one")

    return Refusing
