"""Who the caller is: loaders, Flask-Login, tokens, anonymous sessions; and what strangers see."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import flask_login
import pytest
from flask import Flask, Request, g
from flask.testing import FlaskClient
from werkzeug.local import LocalProxy
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload
from chunked_upload.http.access.callers import hash_token
from tests.conftest import create_tables
from tests.http.answers import content_of, refused, stored
from tests.http.forms import FORM, Unreadable, field, file, form, post_form, send
from tests.support.protocol import Protocol, md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

DATA = b"hello world"
ABSENT = "0" * 32
DENIED = "Authentication credentials were not provided"


class As:
    """A client that sends its requests with headers that say who it is."""

    def __init__(self, app: Flask, **headers: str) -> None:
        self.client = app.test_client()
        for name, value in headers.items():
            self.client.environ_base[f"HTTP_{name.upper()}"] = value
        self.protocol = Protocol(self.client)


@pytest.fixture
def shop(make_app: Callable[..., Flask]) -> Flask:
    """An app that knows its users by a header."""
    app = make_app()
    ChunkedUpload(app).user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    return app


# Loaders


class WithId:
    id = 7


class WithGetId:
    def get_id(self) -> str:
        return "seven"


ID = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("user", "owner"),
    [("ann", "ann"), (7, "7"), (0, "0"), (ID, str(ID)), (WithId(), "7"), (WithGetId(), "seven"),
     (LocalProxy(lambda: "ann"), "ann")],
)  # fmt: skip
def test_what_a_loader_may_return(make_app: Callable[..., Flask], user: Any, owner: str) -> None:
    app = make_app()
    ChunkedUpload(app).user_loader(lambda request: user)
    create_tables(app)
    Protocol(app.test_client()).completed(DATA)
    assert records(app)[0].owner == owner


class Anonymous:
    is_authenticated = False

    def get_id(self) -> None:
        return None


class NoId:
    id = None


@pytest.mark.parametrize("user", [None, False, "", Anonymous(), NoId(), LocalProxy(lambda: None)])
def test_what_a_loader_may_return_for_nobody(make_app: Callable[..., Flask], user: Any) -> None:
    """``flask_login.current_user`` itself, for one, is an object also when nobody is logged in."""
    app = make_app()
    ChunkedUpload(app).user_loader(lambda request: user)
    create_tables(app)
    refused(Protocol(app.test_client()).chunk(DATA), 403, DENIED)
    assert nothing_left(app)


def test_a_loader_is_asked_once_per_request(make_app: Callable[..., Flask]) -> None:
    app, asked = make_app(), []

    def load(request: Request) -> str:
        asked.append(request.path)
        return "ann"

    ChunkedUpload(app).user_loader(load)
    create_tables(app)
    Protocol(app.test_client()).upload(DATA)
    assert len(asked) == 1


@pytest.mark.both_databases
def test_keys_of_any_length(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app, max_open_uploads=5).user_loader(
        lambda request: request.headers.get("X-User")
    )
    create_tables(app)
    long, longer = "x" * 300 + "a", "x" * 300 + "b"
    As(app, X_User=long).protocol.upload(DATA)
    assert As(app, X_User=long).client.get("/uploads/").get_json()["total"] == 1
    assert As(app, X_User=longer).client.get("/uploads/").get_json()["total"] == 0


# Flask-Login


@pytest.fixture
def login_app(make_app: Callable[..., Flask]) -> Flask:
    class User(flask_login.UserMixin):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            self.id = name

    app = make_app()
    manager = flask_login.LoginManager(app)
    manager.request_loader(
        lambda request: User(request.headers["X-User"]) if "X-User" in request.headers else None
    )
    ChunkedUpload(app)
    create_tables(app)
    return app


def test_flask_login(login_app: Flask) -> None:
    refused(Protocol(login_app.test_client()).chunk(DATA), 403, DENIED)
    assert nothing_left(login_app)
    upload_id = As(login_app, X_User="ann").protocol.upload(DATA)
    assert records(login_app)[0].owner == "ann"
    refused(As(login_app, X_User="bob").protocol.state(upload_id), 404, "Upload not found")
    assert As(login_app, X_User="ann").protocol.complete(upload_id, DATA).status_code == 200


# Tokens


@pytest.fixture
def token_app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app()
    tokens = {"ci": hash_token("s3cret"), "backup": hash_token("0ther")}
    ChunkedUpload(app, tokens=tokens)
    create_tables(app)
    return app


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_tokens(token_app: Flask, scheme: str) -> None:
    ci = As(token_app, Authorization=f"{scheme} s3cret")
    upload_id = ci.protocol.completed(DATA)
    backup = As(token_app, Authorization="Bearer 0ther")
    refused(backup.protocol.state(upload_id), 404, "Upload not found")
    assert backup.client.get("/uploads/").get_json()["total"] == 0
    assert ci.client.get("/uploads/").get_json()["total"] == 1


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer s3cret0", "Bearer S3CRET", "Basic s3cret",
     "s3cret", "Bearer s3cret, Bearer x", "Bearer " + hash_token("s3cret"), "Bearer \xff\xfe",
     "Bearer " + "x" * 10_000],
)  # fmt: skip
def test_wrong_tokens(token_app: Flask, value: str) -> None:
    refused(As(token_app, Authorization=value).protocol.chunk(DATA), 403, DENIED)
    assert nothing_left(token_app)


def test_the_token_itself_is_stored_nowhere(token_app: Flask, tmp_path: Any) -> None:
    As(token_app, Authorization="Bearer s3cret").protocol.completed(DATA)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes()


def test_a_user_cannot_pass_for_a_token(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    uploads = ChunkedUpload(app, tokens={"ci": hash_token("s3cret")})
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    upload_id = As(app, Authorization="Bearer s3cret").protocol.upload(DATA)
    for name in ("ci", "token:ci", "user:token:ci"):
        refused(As(app, X_User=name).protocol.state(upload_id), 404, "Upload not found")
    mine = As(app, X_User="token:ci").protocol.upload(DATA)
    refused(As(app, X_User="user:token:ci").protocol.state(mine), 404, "Upload not found")
    refused(As(app).protocol.chunk(DATA), 403, DENIED)


# Anonymous callers


def test_an_anonymous_callers_id_is_the_capability(app: Flask, protocol: Protocol) -> None:
    """``curl`` keeps no cookies, so whoever knows the id may go on."""
    upload_id = protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    other = Protocol(app.test_client())
    assert other.state(upload_id).status_code == 200
    assert other.put(upload_id, b"world", 6, 11).status_code == 200
    assert other.complete(upload_id, DATA).status_code == 200


def test_a_forged_session_is_nobodys(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    protocol.upload(DATA)
    forger = app.test_client()
    forger.set_cookie("session", "eyJjaHVua2VkX3VwbG9hZCI6IngifQ.aaaaaa.bbbbbb")
    assert forger.get("/uploads/").get_json()["total"] == 0


@pytest.mark.parametrize("question", ["?file=a.txt", ""])
def test_a_page_that_asked_before_is_one_visitor_in_all_it_then_sends_at_once(
    app: Flask, client: FlaskClient, question: str
) -> None:
    """Answers to uploads that run at once would each make another visitor."""
    client.get(f"/uploads/{question}")
    cookie = client.get_cookie("session")
    assert cookie is not None
    ids = set()
    for _ in range(2):  # each without the other's answer
        tab = app.test_client()
        tab.set_cookie("session", cookie.value)
        ids.add(Protocol(tab).upload(DATA))
    listed = client.get("/uploads/").get_json()["uploads"]
    assert {upload["upload_id"] for upload in listed} == ids


def test_anonymous_callers_never_see_an_owners_upload(make_app: Callable[..., Flask]) -> None:
    """Also when the app stops asking who its callers are."""
    app = make_app()
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: "ann")
    create_tables(app)
    upload_id = Protocol(app.test_client()).upload(DATA)
    uploads._hooks.user_loader = None
    refused(Protocol(app.test_client()).state(upload_id), 404, "Upload not found")


# What strangers see


def requests_about(client: FlaskClient, upload_id: str) -> dict[str, TestResponse]:
    """Send every request of the contract about an upload."""
    url, span = f"/uploads/{upload_id}", "bytes 6-10/11"
    known = field("upload_id", upload_id)
    return {
        "state": client.get(url),
        "head": client.head(url),
        "file": client.get(f"{url}/file"),
        "file head": client.head(f"{url}/file"),
        "file range": client.get(f"{url}/file", headers={"Range": "bytes=0-1"}),
        "file cached": client.get(f"{url}/file", headers={"If-None-Match": "*"}),
        "raw put": client.put(url, data=b"world", headers={"Content-Range": span}),
        "raw post": client.post(url, data=b"world", headers={"Content-Range": span}),
        "form to url": post_form(client, file(b"world"), span=span, path=url),
        "form put": post_form(client, file(b"world"), span=span, path=url, method="PUT"),
        "form": post_form(client, known, file(b"world"), span=span),
        "form, whole": post_form(client, known, file(DATA)),
        "form, id last": post_form(client, file(b"world"), known, span=span),
        "form, wrong offset": post_form(client, known, file(b"d"), span="bytes 10-10/11"),
        "form, other total": post_form(client, known, file(b"d"), span="bytes 6-6/99"),
        "form, bad range": post_form(client, known, file(b"d"), span="bytes x"),
        "raw, no range": client.put(url, data=b"world"),
        "complete": client.post(
            "/uploads/complete", data={"upload_id": upload_id, "md5": md5_of(DATA)}
        ),
        "complete, json": client.post(
            "/uploads/complete", json={"upload_id": upload_id, "md5": md5_of(DATA)}
        ),
        "complete, wrong md5": client.post(
            "/uploads/complete", data={"upload_id": upload_id, "md5": "0"}
        ),
        "delete": client.delete(url),
        "patch": client.patch(url),
        "options": client.options(url),
    }


def told_in(response: TestResponse) -> list[tuple[str, str]]:
    """The headers of an answer, but for the request's own id."""
    return [pair for pair in response.headers if pair[0] != "X-Request-ID"]


@pytest.mark.both_databases
@pytest.mark.parametrize("completed", [False, True])
def test_anothers_upload_looks_like_a_missing_one(shop: Flask, completed: bool) -> None:
    ann, bob = As(shop, X_User="ann"), As(shop, X_User="bob")
    if completed:
        upload_id = ann.protocol.completed(DATA)
    else:
        upload_id = ann.protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    before = stored(shop)
    theirs, missing = requests_about(bob.client, upload_id), requests_about(bob.client, ABSENT)
    for name, response in theirs.items():
        other = missing[name]
        assert response.status_code == other.status_code, name
        assert response.data == other.data, name
        assert told_in(response) == told_in(other), name
        if name not in ("patch", "options"):
            assert response.status_code == 404, name
    assert stored(shop) == before
    assert len(records(shop)) == 1
    assert bob.client.get("/uploads/").get_json()["uploads"] == []
    assert bob.client.get("/uploads/?file=file.bin").get_json() == {"file": None}
    if not completed:
        assert content_of(shop, upload_id) == b"hello "
        assert ann.protocol.put(upload_id, b"world", 6, 11).status_code == 200


def test_an_unknown_caller_gets_403_everywhere(shop: Flask) -> None:
    upload_id = As(shop, X_User="ann").protocol.chunk(b"hello ", 0, 11).get_json()["upload_id"]
    nobody = shop.test_client()
    answers = requests_about(nobody, upload_id)
    missing = requests_about(nobody, ABSENT)
    for name, response in answers.items():
        assert response.data == missing[name].data, name
        if name in ("patch", "options"):
            continue
        assert response.status_code == 403, name
        if "head" not in name:
            refused(response, 403, DENIED)
    for url in ("/uploads/", "/uploads/?file=file.bin"):
        refused(nobody.get(url), 403, DENIED)
    assert content_of(shop, upload_id) == b"hello "


@pytest.mark.parametrize(
    ("method", "path", "content_type"),
    [
        ("POST", "/uploads/", FORM),
        ("POST", "/uploads/", "application/octet-stream"),
        ("POST", f"/uploads/{ABSENT}", FORM),
        ("PUT", f"/uploads/{ABSENT}", ""),
        ("POST", "/uploads/complete", "application/json"),
        ("POST", "/uploads/complete", "application/x-www-form-urlencoded"),
        ("POST", "/uploads/complete", FORM),
        ("DELETE", f"/uploads/{ABSENT}", ""),
    ],
)
def test_403_before_any_byte_of_the_body_is_read(
    shop: Flask, method: str, path: str, content_type: str
) -> None:
    response = send(
        shop.test_client(),
        method,
        path,
        Unreadable(),
        length="1000",
        CONTENT_TYPE=content_type,
        HTTP_CONTENT_RANGE="bytes 0-999/1000",
    )
    refused(response, 403, DENIED)
    assert nothing_left(shop)


def test_a_permission_check_refuses_before_the_body_is_read(
    make_app: Callable[..., Flask],
) -> None:
    from chunked_upload import ChunkedUploadError

    app = make_app()

    @ChunkedUpload(app).check_permissions
    def no(request: Request) -> None:
        raise ChunkedUploadError(status=402, detail="Pay first", plan="gold")

    create_tables(app)
    response = send(
        app.test_client(), "POST", "/uploads/", Unreadable(), length="1000", CONTENT_TYPE=FORM
    )
    refused(response, 402, "Pay first", plan="gold")


def test_the_user_is_what_hooks_see(make_app: Callable[..., Flask]) -> None:
    app, seen = make_app(), []
    uploads = ChunkedUpload(app)

    @uploads.user_loader
    def load(request: Request) -> str:
        g.user = "ann"
        return "ann"

    @uploads.on_completion
    def done(file: Any, request: Request) -> None:
        seen.append((g.user, file.upload.owner))

    create_tables(app)
    Protocol(app.test_client()).completed(DATA)
    assert seen == [("ann", "ann")]


def test_the_body_is_not_needed_to_tell_callers_apart(shop: Flask) -> None:
    """A caller in the form does not count; only what the loader says."""
    bob = As(shop, X_User="bob")
    body = form(field("owner", "ann"), field("user", "ann"), file(DATA))
    bob.client.post("/uploads/", data=body, content_type=FORM)
    assert records(shop)[0].owner == "bob"
