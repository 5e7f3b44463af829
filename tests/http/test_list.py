"""The caller's own uploads: the paged list, and jQuery-File-Upload's resume question."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.http.expiry import expire
from tests.support.protocol import Protocol

DATA = b"hello world"


def test_an_empty_list(client: FlaskClient) -> None:
    response = client.get("/uploads/")
    assert response.status_code == 200
    content = response.get_json()
    assert (content["uploads"], content["total"], content["next"]) == ([], 0, None)
    assert response.headers["Cache-Control"] == "no-store"


def test_newest_first_finished_or_not(client: FlaskClient, protocol: Protocol) -> None:
    ids = [protocol.upload(DATA, filename=f"{n}.txt") for n in range(3)]
    protocol.complete(ids[1], DATA)
    uploads = client.get("/uploads/").get_json()["uploads"]
    assert [upload["upload_id"] for upload in uploads] == ids[::-1]
    assert [upload["status"] for upload in uploads] == [1, 2, 1]
    state = protocol.state(ids[1]).get_json()
    assert state.pop("metadata") == {}
    assert uploads[1] == state


def test_pages(client: FlaskClient, protocol: Protocol) -> None:
    ids = [protocol.upload(b"x") for _ in range(5)]
    seen, url = [], "/uploads/?per_page=2"
    sizes = []
    while url:
        response = client.get(url)
        page = response.get_json()
        assert page["total"] == 5
        seen += [upload["upload_id"] for upload in page["uploads"]]
        sizes.append(len(page["uploads"]))
        url = page["next"]
        assert ("Link" in response.headers) == (url is not None)
    assert seen == ids[::-1]
    assert sizes == [2, 2, 1]


def test_metadata_is_listed_if_asked_for(client: FlaskClient, protocol: Protocol) -> None:
    """A list of short uploads was 55 MB, by metadata that is six times as long in JSON."""
    long = {"a": "\x01" * 16_000}
    for number in range(45):
        protocol.upload(b"x", filename=f"{number}.txt", **long)
    plain = client.get("/uploads/?per_page=1000")
    assert len(plain.get_json()["uploads"]) == 45
    assert len(plain.data) < 45 * 1000
    assert all("metadata" not in upload for upload in plain.get_json()["uploads"])
    seen, url = [], "/uploads/?per_page=1000&metadata=1"
    while url:
        response = client.get(url)
        assert len(response.data) < 5 * 1024 * 1024
        page = response.get_json()
        assert all(upload["metadata"] == long for upload in page["uploads"])
        seen += [upload["filename"] for upload in page["uploads"]]
        url = page["next"]
    assert seen == [f"{number}.txt" for number in reversed(range(45))]


@pytest.mark.parametrize("status", [1, 2])
def test_one_status_alone(client: FlaskClient, protocol: Protocol, status: int) -> None:
    ids = [protocol.upload(DATA) for _ in range(6)]
    for upload_id in ids[:3]:
        protocol.complete(upload_id, DATA)
    first = client.get(f"/uploads/?status={status}&per_page=2").get_json()
    second = client.get(first["next"]).get_json()
    listed = [upload["upload_id"] for upload in first["uploads"] + second["uploads"]]
    assert listed == (ids[3:] if status == 1 else ids[:3])[::-1]
    assert (first["total"], second["next"]) == (3, None)


def test_the_page_size_is_a_setting(make_app: Callable[..., Flask]) -> None:
    app = make_app(CHUNKED_UPLOAD_PAGE_SIZE=2)
    ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    for _ in range(3):
        Protocol(client).upload(b"x")
    assert len(client.get("/uploads/").get_json()["uploads"]) == 2


def test_a_page_past_the_end_is_empty(client: FlaskClient, protocol: Protocol) -> None:
    protocol.upload(b"x")
    page = client.get("/uploads/?page=1000000000&per_page=1000").get_json()
    assert page["uploads"] == []
    assert page["next"] is None


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page=1.5", "per_page=0", "per_page=1001", "page=%00",
     "page=" + "9" * 5000, "page=NaN", "per_page=", "status=0", "status=3", "status=x"],
)  # fmt: skip
def test_pages_that_make_no_sense(client: FlaskClient, query: str) -> None:
    refused(client.get(f"/uploads/?{query}"), 400)


def test_only_ones_own(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    protocol.upload(DATA, filename="mine.txt")
    other = app.test_client()
    assert other.get("/uploads/").get_json()["uploads"] == []
    Protocol(other).upload(DATA, filename="theirs.txt")
    for visitor, name in ((client, "mine.txt"), (other, "theirs.txt")):
        content = visitor.get("/uploads/").get_json()
        assert [upload["filename"] for upload in content["uploads"]] == [name]
        assert content["total"] == 1


def test_a_deleted_upload_is_off_the_list(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.upload(DATA)
    client.delete(f"/uploads/{upload_id}")
    assert client.get("/uploads/").get_json()["total"] == 0


def test_head_of_the_list(client: FlaskClient, protocol: Protocol) -> None:
    protocol.upload(DATA)
    response = client.head("/uploads/")
    assert response.status_code == 200
    assert response.data == b""


def test_the_url_needs_no_slash(client: FlaskClient) -> None:
    assert client.get("/uploads").status_code == 200


# ?file=


def ask(client: FlaskClient, name: str) -> object:
    response = client.get("/uploads/", query_string={"file": name})
    assert response.status_code == 200
    content = response.get_json()
    assert set(content) == {"file"}
    return content["file"]


def test_the_resume_question(client: FlaskClient, protocol: Protocol) -> None:
    posted = protocol.chunk(b"hello ", 0, 11, filename="my film.mp4").get_json()
    assert ask(client, "my film.mp4") == {
        "name": "my film.mp4",
        "size": 6,
        "upload_id": posted["upload_id"],
        "length": 11,
    }


def test_who_asks_is_known_from_then_on(client: FlaskClient) -> None:
    """So an upload is found again even when its first answer, and the cookie with it, is lost."""
    assert ask(client, "file.bin") is None
    cookie = client.get_cookie("session")
    assert cookie is not None
    posted = Protocol(client).chunk(b"he", 0, 11).get_json()
    client.set_cookie("session", cookie.value)  # the one in the first answer was lost
    found = ask(client, "file.bin")
    assert found == {
        "name": "file.bin",
        "size": 2,
        "upload_id": posted["upload_id"],
        "length": 11,
    }


def test_of_two_files_with_one_name_the_size_tells(client: FlaskClient, protocol: Protocol) -> None:
    """A phone calls every photo image.jpg."""
    wanted = protocol.chunk(b"he", 0, 11, filename="image.jpg").get_json()["upload_id"]
    protocol.chunk(b"hell", 0, 12, filename="image.jpg")
    for size, found in (("11", wanted), ("13", None), (str(2**63 - 1), None)):
        query = {"file": "image.jpg", "size": size}
        file = client.get("/uploads/", query_string=query).get_json()["file"]
        assert (file and file["upload_id"]) == found
    for size in ("", "-1", "x", "1.5", "\u0661", str(2**63), "9" * 5000):
        refused_size = client.get("/uploads/", query_string={"file": "image.jpg", "size": size})
        assert refused_size.status_code == 400
        assert "'size' must be a whole number" in refused_size.get_json()["detail"]


def test_the_newest_of_a_name(client: FlaskClient, protocol: Protocol) -> None:
    protocol.chunk(b"he", 0, 11)
    newest = protocol.chunk(b"hell", 0, 11).get_json()
    assert ask(client, "file.bin") == {
        "name": "file.bin",
        "size": 4,
        "upload_id": newest["upload_id"],
        "length": 11,
    }


@pytest.mark.parametrize("name", ["other.bin", "", "FILE.BIN", "file.bin/", "\0", "%", "é" * 5000])
def test_names_of_nothing(client: FlaskClient, protocol: Protocol, name: str) -> None:
    protocol.chunk(b"hello ", 0, 11)
    assert ask(client, name) is None


def test_the_question_is_asked_with_the_name_as_sent(
    client: FlaskClient, protocol: Protocol
) -> None:
    """The client asks with the name it will send, so that is cleaned in the same way."""
    protocol.chunk(b"hello ", 0, 11, filename="a\u202eb.txt")
    assert ask(client, "a\u202eb.txt") is not None


def test_completed_and_expired_uploads_cannot_be_resumed(
    app: Flask, client: FlaskClient, protocol: Protocol
) -> None:
    protocol.completed(DATA, filename="done.bin")
    late = protocol.chunk(b"hello ", 0, 11, filename="late.bin").get_json()["upload_id"]
    expire(app, late)
    assert ask(client, "done.bin") is None
    assert ask(client, "late.bin") is None


def test_another_visitors_upload_is_not_told(app: Flask, protocol: Protocol) -> None:
    protocol.chunk(b"hello ", 0, 11)
    other = app.test_client()
    assert ask(other, "file.bin") is None
    Protocol(other).chunk(b"x", 0, 2, filename="other.bin")
    assert ask(other, "file.bin") is None


def test_a_chunk_on_its_way_is_not_listed(app: Flask, protocol: Protocol) -> None:
    refused(protocol.chunk(b"hello", 3, 11), 400, "Offsets do not match")
    assert protocol.client.get("/uploads/").get_json()["total"] == 0


def test_an_app_without_secret_key_lists_nothing(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.secret_key = None
    ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    upload_id = Protocol(client).upload(DATA)
    assert client.get("/uploads/").get_json()["uploads"] == []
    assert Protocol(client).state(upload_id).status_code == 200
