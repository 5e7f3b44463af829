"""Cross-origin use: exact origins, preflights, and answers that pages elsewhere may read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadError, ChunkedUploadView, ConfigurationError
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.http.answers import refused
from tests.http.expiry import expire
from tests.support.protocol import Protocol

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]

ORIGIN = "https://app.example.org"
OTHER = "https://evil.example"
PATHS = ["/uploads/", "/uploads/complete", f"/uploads/{'0' * 32}", f"/uploads/{'0' * 32}/file"]
SHARED = "Access-Control-Allow-Origin"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(
        CHUNKED_UPLOAD_CORS_ORIGINS=[ORIGIN, "http://127.0.0.1:3000"],
        CHUNKED_UPLOAD_MAX_CHUNK_BYTES=10,
    )
    ChunkedUpload(app)
    create_tables(app)
    return app


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


def preflight(client: FlaskClient, path: str, verb: str, *headers: str) -> Any:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": verb}
    if headers:
        asked["Access-Control-Request-Headers"] = ", ".join(headers)
    return client.options(path, headers=asked)


def test_off_by_default(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    response = preflight(app.test_client(), "/uploads/", "POST")
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
    assert "Origin" not in response.vary


@pytest.mark.parametrize("path", [*PATHS, "/uploads/csrf-token", "/uploads/static/page.css"])
def test_preflight(client: FlaskClient, path: str) -> None:
    response = preflight(client, path, "POST", "content-range", "x-csrftoken")
    assert response.status_code == 204
    headers = response.headers
    assert headers[SHARED] == ORIGIN
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Allow-Methods"] == headers["Allow"]
    assert int(headers["Access-Control-Max-Age"]) > 0
    assert {"Origin", "Access-Control-Request-Headers"} <= set(response.vary)


def test_preflight_names_what_upload_clients_send(client: FlaskClient) -> None:
    allowed = names(preflight(client, "/uploads/", "POST").headers["Access-Control-Allow-Headers"])
    assert {
        "authorization",
        "cache-control",
        "content-disposition",
        "content-range",
        "content-type",
        "x-csrf-token",
        "x-csrftoken",
        "x-requested-with",
    } <= allowed


def test_preflight_grants_an_apps_own_headers_too(client: FlaskClient) -> None:
    response = preflight(client, "/uploads/", "POST", "x-plan", "content-range", "no header", "")
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert "x-plan" in names(allowed)
    assert "no header" not in names(allowed)
    assert allowed.lower().count("content-range") == 1


def test_options_that_are_no_preflight(client: FlaskClient) -> None:
    response = client.options("/uploads/", headers={"Origin": ORIGIN})
    assert response.headers[SHARED] == ORIGIN
    assert "Access-Control-Allow-Methods" not in response.headers


def test_answers_may_be_read_with_their_headers(client: FlaskClient, protocol: Protocol) -> None:
    response = protocol.chunk(b"data", headers={"Origin": ORIGIN})
    assert response.status_code == 200
    assert response.headers[SHARED] == ORIGIN
    exposed = names(response.headers["Access-Control-Expose-Headers"])
    assert {
        "range",
        "upload-offset",
        "upload-length",
        "location",
        "retry-after",
        "content-disposition",
    } <= exposed


def test_refusals_may_be_read(app: Flask, client: FlaskClient, protocol: Protocol) -> None:
    """A page must be able to tell why, and at which offset to go on."""
    there = {"Origin": ORIGIN}
    upload_id = protocol.upload(b"data")
    answers = {
        400: protocol.chunk(b"xx", 9, 99, upload_id=upload_id, headers=there),
        404: client.get(f"/uploads/{'0' * 32}", headers=there),
        405: client.patch("/uploads/", headers=there),
        413: protocol.chunk(b"x" * 11, headers=there),
        415: client.post("/uploads/complete", data=b"x", content_type="a/b", headers=there),
    }
    for status, response in answers.items():
        refused(response, status)
        assert response.headers[SHARED] == ORIGIN
    expire(app, upload_id)
    response = client.get(f"/uploads/{upload_id}", headers=there)
    refused(response, 410)
    assert response.headers[SHARED] == ORIGIN


def test_refusals_of_hooks_and_failures_may_be_read(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_CORS_ORIGINS=ORIGIN)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    uploads = ChunkedUpload(app)

    @uploads.check_permissions
    def refuse(request: Any) -> None:
        if request.method == "GET":
            raise ChunkedUploadError(status=403, detail="Closed on Sundays")
        raise RuntimeError("a bug")

    client = app.test_client()
    for response in (
        client.get("/uploads/", headers={"Origin": ORIGIN}),
        client.post("/uploads/", headers={"Origin": ORIGIN}),
    ):
        assert response.status_code in (403, 500)
        assert response.headers[SHARED] == ORIGIN


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        f"{ORIGIN}:8443",
        f"{ORIGIN}.evil.example",
        "http://app.example.org",
        "https://evil.app.example.org",
        "HTTPS://APP.EXAMPLE.ORG",
        "null",
        "",
        f"{ORIGIN}, {OTHER}",
    ],
)
def test_other_origins_get_nothing(client: FlaskClient, origin: str) -> None:
    for response in (
        client.get("/uploads/", headers={"Origin": origin}),
        client.options(
            "/uploads/", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        ),
    ):
        assert not [name for name, _ in response.headers if name.startswith("Access-Control")]
        assert "Origin" in response.vary  # and no cache may think otherwise


def test_only_the_upload_set_is_shared(app: Flask) -> None:
    app.add_url_rule("/other", "other", lambda: "other")
    response = app.test_client().get("/other", headers={"Origin": ORIGIN})
    assert SHARED not in response.headers
    assert "Origin" not in response.vary


def test_each_upload_set_has_its_own_origins(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, cors_origins=ORIGIN)
    ChunkedUpload(app, name="photos", url_prefix="/photos")
    create_tables(app)
    client = app.test_client()
    assert SHARED in client.get("/uploads/", headers={"Origin": ORIGIN}).headers
    assert SHARED not in client.get("/photos/", headers={"Origin": ORIGIN}).headers


def test_views_that_the_app_routes_are_shared_as_well(app: Flask) -> None:
    app.add_url_rule("/api/upload", view_func=ChunkedUploadView.as_view("api"))
    client = app.test_client()
    response = Protocol(client, "/api/upload").client.post(
        "/api/upload", headers={"Origin": ORIGIN}
    )
    refused(response, 400)
    assert response.headers[SHARED] == ORIGIN
    allowed = preflight(client, "/api/upload", "POST").headers["Access-Control-Allow-Methods"]
    assert "POST" in allowed


def test_a_token_for_a_page_elsewhere(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_CORS_ORIGINS=ORIGIN, CHUNKED_UPLOAD_CSRF=True)
    ChunkedUpload(app)
    response = app.test_client().get("/uploads/csrf-token", headers={"Origin": ORIGIN})
    assert answer(response)["csrf_token"]
    assert response.headers[SHARED] == ORIGIN


# Start-up


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "https://xn--bcher-kva.example",
        "http://[::1]:8000",
        "http://127.0.0.1:5173",
        "capacitor://localhost",
        "chrome-extension://abcdefgh",
        "https://a_b.example",
    ],
)
def test_origins_that_browsers_send(make_app: MakeApp, origin: str) -> None:
    app = make_app(CHUNKED_UPLOAD_CORS_ORIGINS=origin)
    ChunkedUpload(app)
    response = app.test_client().get("/uploads/csrf-token", headers={"Origin": origin})
    assert response.headers[SHARED] == origin


@pytest.mark.parametrize(
    ("origin", "problem"),
    [
        ("*", "any page"),
        ("null", "any page"),
        ("https://app.example.org/", "without path or slash"),
        ("https://app.example.org/app", "without path or slash"),
        ("https://*.example.org", "as browsers send them"),
        ("https://App.example.org", "lower case"),
        ("https://app.example.org:443", "without the port 443"),
        ("http://app.example.org:80", "without the port 80"),
        ("app.example.org", "scheme://host"),
        ("https://user@app.example.org", "as browsers send them"),
        ("https://bücher.example", "as browsers send them"),
        ("https://app.example.org ", "as browsers send them"),
        ("", "must be a name"),
        (7, "must be a name"),
    ],
)
def test_what_is_refused_at_start_up(make_app: MakeApp, origin: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_CORS_ORIGINS=[ORIGIN, origin]))
