"""Whose upload a ``dzuuid`` means, and how it is canceled: a client's name proves nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from chunked_upload.maintenance.expiry import delete_expired
from tests.conftest import create_tables
from tests.http.answers import refused, stored
from tests.http.expiry import expire
from tests.support.dropzone import DropzoneFile, send_whole
from tests.support.protocol import Protocol, md5_of, nothing_left, records

DATA = b"hello dropzone"
ELSEWHERE = "203.0.113.7"


def browser(app: Flask, address: str = "127.0.0.1", **headers: str) -> FlaskClient:
    """Return a client with its own cookies, at a network address."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    for name, value in headers.items():
        client.environ_base[f"HTTP_{name.upper()}"] = value
    return client


def moved(client: FlaskClient, address: str = ELSEWHERE) -> FlaskClient:
    """Put a browser into another network."""
    client.environ_base["REMOTE_ADDR"] = address
    return client


@pytest.fixture
def sent(app: Flask) -> DropzoneFile:
    """A file of three chunks, of a browser without a cookie."""
    return DropzoneFile(browser(app), DATA, uuid="one")


def at(sent: DropzoneFile, client: FlaskClient) -> DropzoneFile:
    """Return the same file, as another client would send it."""
    return DropzoneFile(client, sent.data, uuid=sent.uuid)


# Owners


@pytest.fixture
def shop(make_app: Callable[..., Flask]) -> Flask:
    """An app that knows its users by a header."""
    app = make_app()
    ChunkedUpload(app).user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    return app


def test_two_owners_of_the_same_name_never_meet(shop: Flask) -> None:
    ann = DropzoneFile(browser(shop, X_User="ann"), DATA, uuid="one")
    bob = DropzoneFile(browser(shop, X_User="bob"), DATA[::-1], uuid="one")
    for index in range(3):
        mine, others = ann.send(index).get_json(), bob.send(index).get_json()
        assert mine["upload_id"] != others["upload_id"]
    assert (mine["md5"], others["md5"]) == (md5_of(DATA), md5_of(DATA[::-1]))
    bob.cancel()
    assert Protocol(ann.client).state(mine["upload_id"]).status_code == 200


def test_an_owner_is_the_same_from_everywhere(shop: Flask) -> None:
    """Also without a cookie."""
    for index in range(3):
        client = browser(shop, f"10.0.0.{index}", X_User="ann")
        answer = DropzoneFile(client, DATA, uuid="one").send(index)
    assert answer.get_json()["status"] == 2


def test_callers_without_a_user_are_refused(shop: Flask) -> None:
    nobody = DropzoneFile(browser(shop), DATA)
    refused(nobody.send(0), 403, "Authentication credentials were not provided")
    refused(nobody.cancel(), 403, "Authentication credentials were not provided")
    assert nothing_left(shop)


def test_another_owners_upload_id_is_a_missing_one(shop: Flask) -> None:
    upload_id = DropzoneFile(browser(shop, X_User="ann"), DATA).send(0).get_json()["upload_id"]
    bob = DropzoneFile(browser(shop, X_User="bob"), DATA, params={"upload_id": upload_id})
    refused(bob.send(1), 404, "Upload not found")


def test_two_mounts_never_meet(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app)
    ChunkedUpload(app, name="other", url_prefix="/other")
    create_tables(app)
    sent = DropzoneFile(browser(app), DATA, uuid="one")
    other = DropzoneFile(sent.client, DATA, uuid="one", prefix="/other")
    assert [sent.send(n).status_code for n in range(2)] == [200, 200]
    assert other.send(0).get_json()["offset"] == 5
    assert sent.send(2).get_json()["status"] == 2


# Anonymous callers


def test_chunks_without_a_cookie_meet(app: Flask, sent: DropzoneFile) -> None:
    """The first ones of a browser are sent at once: none has the cookie that an answer will set."""
    answers = [at(sent, browser(app)).send(index) for index in range(3)]
    assert answers[2].get_json()["status"] == 2
    assert ["Set-Cookie" in answer.headers for answer in answers] == [True, False, False]


def test_a_cookie_outlives_a_change_of_network(sent: DropzoneFile) -> None:
    sent.send(0)
    moved(sent.client)
    sent.send(1)
    moved(sent.client, "198.51.100.9")
    assert sent.send(2).get_json()["status"] == 2


def test_two_uploads_started_at_once_outlive_it_both(app: Flask, sent: DropzoneFile) -> None:
    """Each gives another cookie, and a browser keeps the one that comes last."""
    other = DropzoneFile(sent.client, DATA, uuid="two")
    at(sent, browser(app)).send(0)
    other.send(0)
    sent.send(1), other.send(1)
    moved(sent.client)
    assert sent.send(2).get_json()["status"] == 2
    assert other.send(2).get_json()["status"] == 2
    assert sent.client.get("/uploads/").get_json()["total"] == 2


@pytest.mark.parametrize("cookie", [False, True])
def test_a_stranger_who_knows_the_name(app: Flask, sent: DropzoneFile, cookie: bool) -> None:
    upload_id = sent.send(0).get_json()["upload_id"]
    stranger = at(sent, browser(app, ELSEWHERE))
    if cookie:
        DropzoneFile(stranger.client, DATA, uuid="another").send(0)
    answer = stranger.send(1)
    assert answer.get_json()["upload_id"] != upload_id
    assert answer.get_json()["offset"] == 0
    stranger.cancel()
    sent.send(1)
    assert sent.send(2).get_json()["md5"] == md5_of(DATA)


def test_without_sessions_the_address_is_all_there_is(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.secret_key = None
    ChunkedUpload(app)
    create_tables(app)
    sent = DropzoneFile(browser(app), DATA)
    assert sent.upload().get_json()["status"] == 2
    assert (
        DropzoneFile(browser(app, ELSEWHERE), DATA, uuid=sent.uuid).send(0).get_json()["offset"]
        == 5
    )


def test_the_name_is_stored_nowhere(app: Flask, sent: DropzoneFile) -> None:
    sent.uuid = "../../a-name-to-be-found"
    sent.upload()
    [record] = records(app)
    columns = {name: getattr(record, name) for name, _ in record.__mapper__.column_attrs.items()}
    assert "a-name-to-be-found" not in repr(columns)
    assert "a-name-to-be-found" not in "".join(stored(app))


def test_names_of_any_kind(app: Flask, sent: DropzoneFile) -> None:
    for name in ("../../etc/passwd", "\0", "'; DROP TABLE", "日本", "\ud800", "a" * 200, " "):
        answer = DropzoneFile(sent.client, DATA, uuid=name.encode("utf-8", "replace").decode())
        assert answer.upload().get_json()["status"] == 2


# Cancel and remove


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("complete", [True, False])
def test_cancel(app: Flask, sent: DropzoneFile, complete: bool, known: bool) -> None:
    upload_id = sent.upload([0, 1, 2] if complete else [1]).get_json()["upload_id"]
    url = f"/uploads/{upload_id}"
    answer = sent.client.delete(url) if known else sent.cancel()
    assert answer.status_code == 204
    assert stored(app) == {}
    refused(sent.client.get(url), 404, "Upload not found")
    for index in range(3):  # in flight while it was canceled
        refused(sent.send(index), 404, "Upload not found")
    assert stored(app) == {}
    assert sent.client.get("/uploads/").get_json()["total"] == 0
    assert sent.cancel().status_code == 204


def test_cancel_before_anything_has_come(app: Flask, sent: DropzoneFile) -> None:
    assert sent.cancel().status_code == 204
    refused(sent.send(0), 404, "Upload not found")
    assert stored(app) == {}


def test_canceling_another_browsers_upload_is_in_vain(app: Flask, sent: DropzoneFile) -> None:
    sent.send(0)
    assert at(sent, browser(app, ELSEWHERE)).cancel().status_code == 204
    sent.send(1)
    assert sent.send(2).get_json()["status"] == 2


def test_a_canceled_upload_leaves_nothing_in_the_end(app: Flask, sent: DropzoneFile) -> None:
    sent.send(0)
    sent.cancel()
    DropzoneFile(sent.client, DATA, uuid="never").cancel()
    clean(app)
    refused(sent.send(1), 404, "Upload not found")
    for record in records(app):
        expire(app, record.upload_id)
    clean(app)
    assert nothing_left(app)


def test_late_chunks_of_an_expired_upload(app: Flask, sent: DropzoneFile) -> None:
    upload_id = sent.send(0).get_json()["upload_id"]
    expire(app, upload_id)
    refused(sent.send(1), 410, "Upload has expired")
    clean(app)
    refused(sent.send(1), 404, "Upload not found")
    assert stored(app) == {}


def test_cancel_needs_a_name(app: Flask, client: FlaskClient) -> None:
    for query in ("", "?dzuuid=", "?dzuuid=" + "x" * 201, "?other=1"):
        refused(client.delete(f"/uploads/{query}"), 400)
    assert nothing_left(app)


def test_cancels_without_an_upload_have_a_limit(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chunked_upload.http.dialects.dropzone.cancel._MAX_FORBIDDEN", 3)
    names = [DropzoneFile(client, DATA) for _ in range(4)]
    assert [one.cancel().status_code for one in names] == [204, 204, 204, 413]
    assert len(records(app)) == 3


def test_a_file_sent_whole_is_canceled_by_its_name(app: Flask, client: FlaskClient) -> None:
    whole = ("file", DATA, "file.bin")
    assert send_whole(client, whole, dzuuid="one").get_json()["status"] == 2
    assert DropzoneFile(client, DATA, uuid="one").cancel().status_code == 204
    assert stored(app) == {}
    refused(send_whole(client, whole, dzuuid="one"), 404)


def clean(app: Flask) -> None:
    with app.app_context():
        delete_expired(app.extensions["chunked_upload"]["chunked_upload"])
