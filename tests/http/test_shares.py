"""Links to completed files: the owner makes and revokes them, anybody uses them in their time."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload, ConfigurationError
from chunked_upload.maintenance.expiry import delete_expired
from chunked_upload.records.clock import DatabaseClock
from chunked_upload.records.shares import share_model
from chunked_upload.sharing import links, public
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.dropzone import DropzoneFile
from tests.support.protocol import Protocol, md5_of

pytestmark = pytest.mark.one_database

DATA = bytes(range(256)) * 4
ABSENT = "0" * 32
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
WEEK = 7 * 86400

MakeApp = Callable[..., Flask]


@pytest.fixture
def sharing(make_app: MakeApp) -> Flask:
    """An app that shares, and knows its users by a header."""
    app = make_app()
    ChunkedUpload(app, share=True).user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    return app


def known_as(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_X_USER"] = name
    return client


@pytest.fixture
def alice(sharing: Flask) -> FlaskClient:
    return known_as(sharing, "alice")


@pytest.fixture
def anybody(sharing: Flask) -> FlaskClient:
    return sharing.test_client()


@pytest.fixture
def upload_id(alice: FlaskClient) -> str:
    return Protocol(alice).completed(DATA, filename="holiday \N{SNOWMAN}.html")


def shares_of(client: FlaskClient, upload_id: str) -> list[dict[str, Any]]:
    response = client.get(f"/uploads/{upload_id}/shares")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json["shares"]  # type: ignore[index]
    return found


def share(client: FlaskClient, upload_id: str, **asked: Any) -> dict[str, Any]:
    response = client.post(f"/uploads/{upload_id}/shares", json=asked)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.get_json()
    return made


def get(client: FlaskClient, url: str, **headers: str) -> TestResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(urlsplit(url).path, headers=sent, buffered=True)


def rows(app: Flask) -> list[Any]:
    db = app.extensions["sqlalchemy"]
    with app.app_context():
        return list(db.session.scalars(select(share_model(db))))


# Who has the link


def test_who_has_the_link_gets_the_file(
    alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    made = share(alice, upload_id)
    assert made["url"].startswith("http://localhost/uploads/shared/")
    response = get(anybody, made["url"])
    assert (response.status_code, response.data) == (200, DATA)
    assert response.headers["ETag"] == f'"{md5_of(DATA)}"'
    assert "Set-Cookie" not in response.headers
    head = anybody.head(urlsplit(made["url"]).path, buffered=True)
    assert (head.status_code, head.content_length, head.data) == (200, len(DATA), b"")


def test_a_download_can_be_resumed(
    alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    url = share(alice, upload_id)["url"]
    part = get(anybody, url, Range="bytes=1000-", If_Range=f'"{md5_of(DATA)}"')
    assert (part.status_code, part.data) == (206, DATA[1000:])
    assert part.headers["Content-Range"] == f"bytes 1000-1023/{len(DATA)}"
    beyond = get(anybody, url, Range="bytes=5000-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, "bytes */1024")
    known = get(anybody, url, If_None_Match=f'"{md5_of(DATA)}"')
    assert (known.status_code, known.data) == (304, b"")


def test_the_file_is_never_shown_kept_or_told_of(
    alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    headers = get(anybody, share(alice, upload_id)["url"]).headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment; filename")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]


def test_a_link_does_not_tell_the_uploads_id(make_app: MakeApp) -> None:
    """Where callers are anonymous, who knows the id may delete the upload."""
    app = make_app()
    ChunkedUpload(app, share=True, md5=False)
    create_tables(app)
    client = app.test_client()
    upload_id = client.put("/uploads/a.bin", data=DATA).json["upload_id"]  # type: ignore[index]
    url = share(client, upload_id)["url"]
    response = get(app.test_client(), url)
    assert response.data == DATA
    assert upload_id not in f"{url}{response.headers}"


@pytest.mark.parametrize(
    ("header", "settings"),
    [
        ("X-Accel-Redirect", {"CHUNKED_UPLOAD_X_ACCEL_REDIRECT": "/files/"}),
        ("X-Sendfile", {"CHUNKED_UPLOAD_X_SENDFILE": True}),
    ],
)
def test_the_front_server_may_send_it(
    make_app: MakeApp, header: str, settings: dict[str, Any]
) -> None:
    app = make_app(**settings)
    ChunkedUpload(app, share=True)
    create_tables(app)
    client = app.test_client()
    response = get(client, share(client, Protocol(client).completed(DATA))["url"])
    assert response.headers[header].endswith("/file.bin")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.data == b""


def test_what_goes_wrong_is_logged_without_the_signature(
    sharing: Flask,
    alice: FlaskClient,
    anybody: FlaskClient,
    upload_id: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("broken")

    made = share(alice, upload_id)
    monkeypatch.setattr(public.SharedFileView, "serve", fail)
    monkeypatch.setattr(sharing, "testing", False)
    assert get(anybody, made["url"]).status_code == 500
    assert made["share_id"] in caplog.text
    assert made["url"].rpartition(".")[2] not in caplog.text


def test_methods(alice: FlaskClient, anybody: FlaskClient, upload_id: str) -> None:
    url = urlsplit(share(alice, upload_id)["url"]).path
    assert anybody.options(url).headers["Allow"] == "GET, HEAD, OPTIONS"
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        refused(anybody.open(url, method=verb), 405)


# Whose links they are


@pytest.mark.both_databases
def test_a_link_lasts_as_long_as_is_asked(alice: FlaskClient, upload_id: str) -> None:
    def seconds(made: dict[str, Any]) -> float:
        until = datetime.fromisoformat(made["expires"])
        return (until - datetime.now(UTC)).total_seconds()

    assert WEEK - 60 < seconds(share(alice, upload_id)) <= WEEK
    assert 3540 < seconds(share(alice, upload_id, max_age=3600)) <= 3600
    form = alice.post(f"/uploads/{upload_id}/shares", data={"max_age": "60"})
    assert (form.status_code, form.headers["Cache-Control"]) == (201, "no-store")
    assert 0 < seconds(form.get_json()) <= 60


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ({"max_age": 0}, f"'max_age' must be from 1 to {WEEK} seconds, not 0"),
        ({"max_age": WEEK + 1}, f"'max_age' must be from 1 to {WEEK} seconds, not {WEEK + 1}"),
        ({"max_age": -1}, "'max_age' must be a whole number from 0 to 2^63-1, not '-1'"),
        ({"max_age": "x" * 99}, None),
        ({"max_age": []}, None),
        ([], "The JSON body must be an object with 'max_age', a number of seconds"),
    ],
)
def test_what_cannot_be_asked(
    sharing: Flask, alice: FlaskClient, upload_id: str, asked: Any, detail: str | None
) -> None:
    refused(alice.post(f"/uploads/{upload_id}/shares", json=asked), 400, detail)
    assert rows(sharing) == []


@pytest.mark.both_databases
def test_the_list_has_the_links_that_work(alice: FlaskClient, upload_id: str) -> None:
    assert shares_of(alice, upload_id) == []
    first, second = share(alice, upload_id), share(alice, upload_id, max_age=60)
    assert shares_of(alice, upload_id) == [second, first]
    assert set(first) == {"share_id", "url", "created_on", "expires"}


@pytest.mark.both_databases
def test_only_the_owner_makes_lists_and_revokes(sharing: Flask, upload_id: str) -> None:
    made = share(known_as(sharing, "alice"), upload_id)
    place = f"/uploads/{upload_id}/shares"
    for client, status in ((known_as(sharing, "bob"), 404), (sharing.test_client(), 403)):
        refused(client.get(place), status)
        refused(client.post(place), status)
        refused(client.delete(f"{place}/{made['share_id']}"), status)
    assert get(sharing.test_client(), made["url"]).data == DATA


@pytest.mark.both_databases
def test_another_uploads_links_are_not_touched(alice: FlaskClient, upload_id: str) -> None:
    other = Protocol(alice).completed(b"other")
    made = share(alice, upload_id)
    refused(alice.delete(f"/uploads/{other}/shares/{made['share_id']}"), 404, "Link not found")
    assert shares_of(alice, other) == []
    assert len(shares_of(alice, upload_id)) == 1


def test_what_is_unfinished_is_not_shared(alice: FlaskClient) -> None:
    upload_id = Protocol(alice).upload(DATA)
    answer = alice.post(f"/uploads/{upload_id}/shares")
    refused(answer, 400, "Upload is not complete", offset=len(DATA))
    refused(alice.post(f"/uploads/{ABSENT}/shares"), 404, "Upload not found")


def test_there_is_an_end_to_links(alice: FlaskClient, upload_id: str) -> None:
    for _ in range(100):
        share(alice, upload_id)
    response = alice.post(f"/uploads/{upload_id}/shares")
    refused(response, 413, "This upload has 100 links, which is the most; revoke one first")
    alice.delete(f"/uploads/{upload_id}/shares/{shares_of(alice, upload_id)[0]['share_id']}")
    share(alice, upload_id)


# When it ends


@pytest.mark.both_databases
def test_a_revoked_link_is_gone_at_once(
    sharing: Flask, alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    made, kept = share(alice, upload_id), share(alice, upload_id)
    place = f"/uploads/{upload_id}/shares/{made['share_id']}"
    assert alice.delete(place).status_code == 204
    refused(get(anybody, made["url"]), 410, "This link no longer works")
    refused(alice.delete(place), 404, "Link not found")
    assert shares_of(alice, upload_id) == [kept]
    assert get(anybody, kept["url"]).data == DATA
    assert len(rows(sharing)) == 1


@pytest.mark.both_databases
def test_a_deleted_upload_takes_its_links_along(
    sharing: Flask, alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    made = share(alice, upload_id)
    assert alice.delete(f"/uploads/{upload_id}").status_code == 204
    refused(get(anybody, made["url"]), 410, "This link no longer works")
    assert rows(sharing) == []


@pytest.mark.both_databases
def test_so_does_one_that_stays_marked(sharing: Flask, alice: FlaskClient) -> None:
    """A removed upload with a client's name keeps its record, to refuse late chunks."""
    file = DropzoneFile(alice, DATA, size=len(DATA))
    upload_id = file.send(0).json["upload_id"]  # type: ignore[index]
    share(alice, upload_id)
    alice.delete(f"/uploads/{upload_id}")
    assert rows(sharing) == []


@pytest.mark.both_databases
def test_so_does_one_that_the_app_deletes(
    sharing: Flask, alice: FlaskClient, upload_id: str
) -> None:
    share(alice, upload_id)
    upload_set = sharing.extensions["chunked_upload"]["chunked_upload"]
    with sharing.app_context():
        session = upload_set.db.session
        session.delete(session.scalars(select(upload_set.model)).one())
        session.commit()
    assert rows(sharing) == []


def test_a_file_that_is_missing(
    sharing: Flask, alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    made = share(alice, upload_id)
    extension = sharing.extensions["chunked_upload"]["chunked_upload"].extension
    with sharing.test_request_context(headers={"X-User": "alice"}):
        path = extension.path_of(extension.find(upload_id))
    Path(path).unlink()
    refused(get(anybody, made["url"]), 410, "This link no longer works")


@pytest.mark.both_databases
def test_a_link_expires(
    sharing: Flask,
    alice: FlaskClient,
    anybody: FlaskClient,
    upload_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = share(alice, upload_id, max_age=60)
    later = datetime.now(UTC) + timedelta(seconds=61)
    monkeypatch.setattr(DatabaseClock, "now", lambda clock: later)
    content = refused(get(anybody, made["url"]), 410, "This link has expired")
    assert f"{datetime.fromisoformat(made['expires']):%Y-%m-%d %H:%M} UTC" in content["reason"]
    page = get(anybody, made["url"], **BROWSER).text
    [until] = re.findall('data-notice="expired" .* data-until="([^"]*)"', page)
    assert datetime.fromisoformat(until) == datetime.fromisoformat(made["expires"])


@pytest.mark.both_databases
def test_the_cleaner_removes_links_that_have_expired(
    sharing: Flask, alice: FlaskClient, upload_id: str
) -> None:
    for _ in range(2):
        share(alice, upload_id)
    upload_set = sharing.extensions["chunked_upload"]["chunked_upload"]
    model = share_model(upload_set.db)
    with sharing.app_context():
        [old, kept] = upload_set.db.session.scalars(select(model).order_by(model.id))
        old.expires_on = datetime.now(UTC) - timedelta(seconds=1)
        upload_set.db.session.commit()
        delete_expired(upload_set, dry_run=True)
        assert len(rows(sharing)) == 2
        delete_expired(upload_set)
        assert [row.share_id for row in rows(sharing)] == [kept.share_id]


# What is altered


def test_a_link_that_is_altered_in_any_byte(
    alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    url = urlsplit(share(alice, upload_id)["url"]).path
    start = len("/uploads/shared/")
    letters = string.ascii_letters + string.digits + "-_."
    for position in range(start, len(url)):
        others = letters if position == len(url) - 1 else "aZ."
        for letter in others:
            changed = url[:position] + letter + url[position + 1 :]
            if changed != url:
                refused(get(anybody, changed), 404, "This link is not valid")
    for changed in (url[:-1], f"{url}A", f"{url}=", f"{url}.", url[:start] + url[start + 1 :]):
        refused(get(anybody, changed), 404, "This link is not valid")
    assert get(anybody, url).data == DATA


@pytest.mark.parametrize("token", ["x", ".", "..", "a.b.c", "%00", "%FF", "é" * 9, "1" * 5000])
def test_nonsense(anybody: FlaskClient, token: str) -> None:
    assert anybody.get(f"/uploads/shared/{token}").status_code == 404


def test_a_link_of_another_set_or_another_key(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, share=True)
    ChunkedUpload(app, name="photos", url_prefix="/photos", share=True)
    create_tables(app)
    client = app.test_client()
    url = urlsplit(share(client, Protocol(client).completed(DATA))["url"]).path
    refused(get(client, url.replace("/uploads/", "/photos/")), 404, "This link is not valid")
    app.secret_key = "another"
    refused(get(client, url), 404, "This link is not valid")
    app.config["SECRET_KEY_FALLBACKS"] = ["tests"]
    assert get(client, url).data == DATA


# How it is said


def test_a_browser_is_told_on_a_page(
    alice: FlaskClient, anybody: FlaskClient, upload_id: str
) -> None:
    made = share(alice, upload_id)
    alice.delete(f"/uploads/{upload_id}/shares/{made['share_id']}")
    for url, status, words in (
        (made["url"], 410, "This link no longer works"),
        (f"{made['url']}x", 404, "This link is not valid"),
    ):
        page, other = get(anybody, url, **BROWSER), get(anybody, url)
        assert (page.status_code, page.mimetype) == (status, "text/html")
        assert f"<h1>{words}</h1>" in page.text
        assert other.get_json()["reason"] in page.text
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]* src=)", page.text)
        assert "style=" not in page.text
        for response in (page, other):
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "Accept" in response.headers["Vary"]


# Settings


def test_sharing_is_off_unless_it_is_wanted(client: FlaskClient, protocol: Protocol) -> None:
    upload_id = protocol.completed(DATA)
    for response in (
        client.get(f"/uploads/{upload_id}/shares"),
        client.post(f"/uploads/{upload_id}/shares"),
        client.delete(f"/uploads/{upload_id}/shares/x"),
    ):
        refused(response, 404, "Sharing is switched off")
    refused(client.get("/uploads/shared/x"), 404, "This link is not valid")


@pytest.mark.both_databases
def test_without_sharing_there_is_no_table(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    with app.app_context():
        assert set(uploads.db.metadata.tables) == {"chunked_upload"}


def test_a_link_stops_when_sharing_is_switched_off(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, share=True)
    create_tables(app)
    client = app.test_client()
    url = share(client, Protocol(client).completed(DATA))["url"]
    later = make_app()
    ChunkedUpload(later)
    refused(get(later.test_client(), url), 410, "This link no longer works")


def test_sharing_needs_a_key(make_app: MakeApp) -> None:
    app = make_app()
    app.secret_key = None
    with pytest.raises(ConfigurationError, match=r"set app\.secret_key before"):
        ChunkedUpload(app, share=True)


def test_the_longest_time_is_a_setting(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, share=True, share_max_age="1h")
    create_tables(app)
    client = app.test_client()
    upload_id = Protocol(client).completed(DATA)
    until = datetime.fromisoformat(share(client, upload_id)["expires"])
    assert until - datetime.now(UTC) <= timedelta(hours=1)
    answer = client.post(f"/uploads/{upload_id}/shares", json={"max_age": 3601})
    refused(answer, 400, "'max_age' must be from 1 to 3600 seconds, not 3601")


def test_a_csrf_token_is_needed_where_others_are(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, share=True, csrf=True)
    create_tables(app)
    client = app.test_client()
    token = client.get("/uploads/csrf-token").json["csrf_token"]  # type: ignore[index]
    sent = {"X-CSRFToken": token}
    upload_id = client.put("/uploads/a", data=DATA, headers=sent).json["upload_id"]  # type: ignore[index]
    refused(client.post(f"/uploads/{upload_id}/shares"), 400)
    made = client.post(f"/uploads/{upload_id}/shares", headers=sent).get_json()
    refused(client.delete(f"/uploads/{upload_id}/shares/{made['share_id']}"), 400)
    assert get(app.test_client(), made["url"]).data == DATA


def test_any_worker_reads_a_link(make_app: MakeApp) -> None:
    """Only the key and the database are needed: no memory, no file."""
    first, second = make_app(), make_app()
    for app in (first, second):
        ChunkedUpload(app, share=True, root=f"{first.instance_path}/uploads")
    create_tables(first)
    client = first.test_client()
    upload_id = Protocol(client).completed(DATA)
    made = share(client, upload_id)
    assert get(second.test_client(), made["url"]).data == DATA
    client.delete(f"/uploads/{upload_id}/shares/{made['share_id']}")
    refused(get(second.test_client(), made["url"]), 410)


def test_a_link_says_when_it_expires(sharing: Flask, alice: FlaskClient, upload_id: str) -> None:
    made = share(alice, upload_id)
    with sharing.test_request_context():
        upload_set = sharing.extensions["chunked_upload"]["chunked_upload"]
        link = links.read(made["url"].rpartition("/")[2], upload_set)
    assert link == links.Link(made["share_id"], datetime.fromisoformat(made["expires"]))
