"""Whose upload a ``dzuuid`` means, and how it is canceled: a client's name proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from chunked_upload.maintenance.expiry import delete_expired
from tests.conftest import create_tables
from tests.http.answers import refused, stored
from tests.http.expiry import expire
from tests.support.concurrency import at_once
from tests.support.dropzone import DropzoneFile, send_whole
from tests.support.protocol import Protocol, md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

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


@pytest.mark.both_databases
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


@pytest.mark.both_databases
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


def with_cookie(client: FlaskClient) -> FlaskClient:
    """Let a browser get a cookie of its own."""
    DropzoneFile(client, DATA, uuid="its own").send(0)
    return client


@pytest.mark.parametrize("cookie", [False, True])
def test_another_browser_at_the_same_address(app: Flask, sent: DropzoneFile, cookie: bool) -> None:
    """The upload's browser has sent its cookie, so the address counts no more."""
    upload_id = sent.upload([0, 1]).get_json()["upload_id"]
    stranger = at(sent, with_cookie(browser(app)) if cookie else browser(app))
    stranger.data = DATA[::-1]
    answer = stranger.send(2)
    assert answer.get_json()["upload_id"] != upload_id
    assert stranger.send(1).get_json()["upload_id"] == answer.get_json()["upload_id"]
    assert stranger.cancel().status_code == 204
    done = sent.send(2).get_json()
    assert (done["upload_id"], done["status"], done["md5"]) == (upload_id, 2, md5_of(DATA))
    assert stranger.cancel().status_code == 204
    assert DATA in stored(app).values()


@pytest.mark.parametrize("cookie", [False, True])
@pytest.mark.parametrize("cancels", [False, True])
def test_no_other_browser_meets_a_complete_upload(
    app: Flask, sent: DropzoneFile, cookie: bool, cancels: bool
) -> None:
    """Even if its browser has never sent a cookie."""
    for index in range(3):
        answer = at(sent, browser(app)).send(index)
    done = answer.get_json()
    assert done["status"] == 2
    stranger = at(sent, with_cookie(browser(app)) if cookie else browser(app))
    if cancels:
        assert stranger.cancel().status_code == 204
    elif cookie:
        answer = stranger.send(2).get_json()
        assert answer["upload_id"] != done["upload_id"]
        assert "md5" not in answer
    else:
        # It could be the browser itself, if its last answer was lost: then it has the same bytes.
        answer = stranger.send(2, DATA[10:][::-1]).get_json()
        assert answer["upload_id"] != done["upload_id"]
        assert stranger.send(1).get_json()["upload_id"] == answer["upload_id"]
    assert Protocol(browser(app)).state(done["upload_id"]).get_json()["md5"] == md5_of(DATA)


@pytest.mark.both_databases
def test_a_completed_upload_leaves_its_name_to_others(app: Flask, sent: DropzoneFile) -> None:
    """And its own browser, which got a cookie with the only answer, still finds it."""
    whole = ("file", DATA, "file.bin")
    mine = browser(app)
    done = send_whole(mine, whole, dzuuid="one").get_json()
    other = browser(app)
    other_file = ("file", DATA[::-1], "file.bin")
    others = send_whole(other, other_file, dzuuid="one").get_json()
    assert others["upload_id"] != done["upload_id"]
    again = send_whole(moved(mine), whole, dzuuid="one").get_json()
    assert again["upload_id"] == done["upload_id"]
    assert at(sent, mine).cancel().status_code == 204
    assert len(stored(app)) == 1


@pytest.mark.parametrize("at_byte", [0, 100_000, 299_999])
def test_a_file_like_a_completed_one_up_to_some_byte(app: Flask, at_byte: int) -> None:
    """Its beginning is copied, since the difference is seen only after those bytes have gone by."""
    mine = bytes(300_000)
    others = mine[:at_byte] + b"x" + mine[at_byte + 1 :]
    answers = [
        send_whole(browser(app), ("file", data, "file.bin"), dzuuid="one").get_json()
        for data in (mine, others, others)
    ]
    assert [answer["md5"] for answer in answers] == [md5_of(mine), md5_of(others), md5_of(others)]
    assert len({answer["upload_id"] for answer in answers}) == 2
    assert len(stored(app)) == 2


@pytest.mark.parametrize("data", [DATA * 2, DATA[:-1], DATA[:5], b"x", b""])
def test_a_file_of_another_length_than_a_completed_one(app: Flask, data: bytes) -> None:
    done = send_whole(browser(app), ("file", DATA, "file.bin"), dzuuid="one").get_json()
    others = send_whole(browser(app), ("file", data, "file.bin"), dzuuid="one").get_json()
    assert (others["status"], others["md5"]) == (2, md5_of(data))
    assert others["upload_id"] != done["upload_id"]


def test_a_file_in_other_chunks_than_a_completed_one(app: Flask, sent: DropzoneFile) -> None:
    done = sent.upload([0, 1, 2]).get_json()
    others = at(sent, browser(app))
    others.size = 7
    assert others.upload().get_json()["upload_id"] != done["upload_id"]


def test_a_browser_that_has_a_cookie_is_known_by_it_from_the_first_chunk_on(
    app: Flask, sent: DropzoneFile
) -> None:
    with_cookie(sent.client)
    upload_id = sent.send(0).get_json()["upload_id"]
    assert at(sent, browser(app)).send(1).get_json()["upload_id"] != upload_id
    assert at(sent, browser(app)).cancel().status_code == 204
    moved(sent.client)
    assert sent.upload([1, 2]).get_json()["upload_id"] == upload_id


def answer_later(browser: FlaskClient, other: FlaskClient) -> None:
    """Let a browser get the answer to a request that it sent before it had a cookie."""
    for cookie in (other._cookies or {}).values():
        browser.set_cookie(cookie.key, cookie.value, path=cookie.path)


def test_first_answers_may_set_another_cookie_in_the_middle(app: Flask, sent: DropzoneFile) -> None:
    """Of several uploads that start at once, each sets one, and the last replaces the others."""
    others = [DropzoneFile(browser(app), DATA, uuid=f"other {number}") for number in range(2)]
    for other in others:
        other.send(0)
    upload_id = sent.send(0).get_json()["upload_id"]
    assert sent.send(1).get_json()["upload_id"] == upload_id
    for other in others:
        answer_later(sent.client, other.client)
        assert at(other, sent.client).send(1).get_json()["upload_id"]
    assert sent.send(2).get_json() == {**sent.send(0).get_json(), "status": 2}
    for other in others:
        assert at(other, sent.client).send(2).get_json()["status"] == 2
    assert len(records(app)) == 3
    assert sent.client.get("/uploads/").get_json()["total"] == 3


@pytest.mark.parametrize("first", [True, False])
def test_the_cookie_of_an_upload(app: Flask, sent: DropzoneFile, first: bool) -> None:
    """Its own, for as long as it is needed; not for a browser that has a cookie already."""
    if not first:
        with_cookie(sent.client)
    answer = sent.send(0)
    cookies = [one for one in answer.headers.getlist("Set-Cookie") if "chunked_upload_" in one]
    assert len(cookies) == first
    for cookie in cookies:
        assert answer.get_json()["upload_id"] in cookie
        assert {"HttpOnly", "Path=/uploads/", "Max-Age=3600"} <= set(cookie.split("; "))
    assert not sent.send(1).headers.getlist("Set-Cookie")


@pytest.mark.both_databases
def test_a_lost_last_answer_is_given_again_without_a_cookie(app: Flask, sent: DropzoneFile) -> None:
    """Scripts keep no cookies; they have the same bytes."""
    for index in range(3):
        done = at(sent, browser(app)).send(index)
    again = at(sent, browser(app)).send(2)
    assert again.get_json() == done.get_json()
    assert len(records(app)) == 1


# IPv4 and IPv6


V6 = "2001:db8:0:1::7"


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0]])
@pytest.mark.parametrize("first", ["127.0.0.1", V6])
def test_first_chunks_over_both_families(
    app: Flask, sent: DropzoneFile, order: list[int], first: str
) -> None:
    second = V6 if first == "127.0.0.1" else "127.0.0.1"
    answers = [
        at(sent, browser(app, address)).send(index)
        for index, address in zip(order, [first, second, first], strict=True)
    ]
    assert answers[-1].get_json()["status"] == 2
    assert len({answer.get_json()["upload_id"] for answer in answers}) == 1
    assert ["Set-Cookie" in answer.headers for answer in answers] == [True, False, False]


@pytest.mark.both_databases
def test_first_chunks_over_both_families_at_once(app: Flask) -> None:
    for number in range(5):

        def one(index: int, name: str = f"file {number}") -> TestResponse:
            client = browser(app, ["127.0.0.1", V6][index % 2])
            return DropzoneFile(client, DATA * 3, uuid=name).send(index)

        answers = at_once(8, one)
        assert len({answer.get_json()["upload_id"] for answer in answers}) == 1
    assert len(records(app)) == 5


def test_the_cookie_closes_the_upload_to_the_other_family(app: Flask, sent: DropzoneFile) -> None:
    upload_id = sent.upload([0, 1]).get_json()["upload_id"]
    late = at(sent, browser(app, V6))
    assert late.send(2).get_json()["upload_id"] != upload_id
    moved(sent.client, V6)
    assert sent.send(2).get_json()["upload_id"] == upload_id


@pytest.mark.parametrize(
    "other",
    [{"name": "other.bin"}, {"data": DATA[:-1]}, {"cookie": True}],
    ids=["name", "length", "cookie"],
)
def test_the_other_family_counts_for_the_same_file_only(
    app: Flask, sent: DropzoneFile, other: dict[str, Any]
) -> None:
    upload_id = sent.send(0).get_json()["upload_id"]
    client = browser(app, V6)
    if "cookie" in other:
        with_cookie(client)
    others = at(sent, client)
    for name in other.keys() - {"cookie"}:
        setattr(others, name, other[name])
    assert others.send(1).get_json()["upload_id"] != upload_id


@pytest.mark.both_databases
def test_the_other_family_cannot_cancel(app: Flask, sent: DropzoneFile) -> None:
    sent.send(0)
    assert at(sent, browser(app, V6)).cancel().status_code == 204
    assert sent.upload([1, 2]).get_json()["status"] == 2


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


@pytest.mark.both_databases
def test_names_of_any_kind(app: Flask, sent: DropzoneFile) -> None:
    for name in ("../../etc/passwd", "\0", "'; DROP TABLE", "日本", "\ud800", "a" * 200, " "):
        answer = DropzoneFile(sent.client, DATA, uuid=name.encode("utf-8", "replace").decode())
        assert answer.upload().get_json()["status"] == 2


# Cancel and remove


@pytest.mark.both_databases
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


@pytest.mark.both_databases
def test_files_of_one_name_are_removed_one_after_another(app: Flask, sent: DropzoneFile) -> None:
    """What is left of the first one's record, against late chunks, does not keep the second."""
    for _ in range(2):
        again = DropzoneFile(sent.client, sent.data, sent.size)
        upload_id = again.upload([0, 1, 2]).get_json()["upload_id"]
        assert again.client.delete(f"/uploads/{upload_id}").status_code == 204
        assert stored(app) == {}


@pytest.mark.both_databases
def test_cancel_before_anything_has_come(app: Flask, sent: DropzoneFile) -> None:
    assert sent.cancel().status_code == 204
    refused(sent.send(0), 404, "Upload not found")
    assert stored(app) == {}


@pytest.mark.both_databases
def test_canceling_another_browsers_upload_is_in_vain(app: Flask, sent: DropzoneFile) -> None:
    sent.send(0)
    assert at(sent, browser(app, ELSEWHERE)).cancel().status_code == 204
    sent.send(1)
    assert sent.send(2).get_json()["status"] == 2


@pytest.mark.both_databases
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


@pytest.mark.both_databases
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
