"""An app's checks: what they see, and that none of them fails open."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, abort, jsonify, redirect
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import Unauthorized

from chunked_upload import ChunkedUpload, ChunkedUploadError
from tests.conftest import create_tables
from tests.support.dropzone import DropzoneFile
from tests.support.protocol import md5_of, nothing_left

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app as in production: errors are answered, not raised."""
    made = make_app(PROPAGATE_EXCEPTIONS=False)
    made.extensions["tests"] = ChunkedUpload(made)
    create_tables(made)
    return made


def send(app: Flask, name: str = "a.txt", **fields: str) -> Any:
    form = {**fields, "file": (io.BytesIO(b"hello"), name, "text/plain")}
    headers = {"Content-Range": "bytes 0-4/11"}
    return app.test_client().post("/uploads/", data=form, headers=headers)


def refuse_with_text(request: Any, upload: Any) -> Any:
    return "PNG only!", 400


def refuse_with_response(request: Any) -> Any:
    return Response("PNG only!", 400)


def refuse_with_json(request: Any) -> Any:
    return jsonify(detail="PNG only!"), 400


def refuse_by_abort(request: Any) -> Any:
    abort(400, "PNG only!")


def refuse_by_abort_with_response(request: Any) -> Any:
    abort(Response("PNG only!", 400))


@pytest.mark.parametrize(
    "check",
    [
        refuse_with_text,
        refuse_with_response,
        refuse_with_json,
        refuse_by_abort,
        refuse_by_abort_with_response,
    ],
)
def test_whatever_way_a_check_refuses_the_answer_is_the_contracts(
    app: Flask, uploads: ChunkedUpload, check: Callable[..., Any]
) -> None:
    uploads.validate(check)
    reply = send(app)
    assert (reply.status_code, reply.get_json()["detail"]) == (400, "PNG only!")
    assert reply.get_json()["error"] == "PNG only!"
    assert nothing_left(app)


@pytest.mark.parametrize("returned", [False, True, "no", 0, [], ("fine", 200), Response("fine")])
@pytest.mark.parametrize("register", [ChunkedUpload.validate, ChunkedUpload.check_permissions])
def test_what_cannot_be_a_refusal_stores_nothing(
    app: Flask, uploads: ChunkedUpload, register: Callable[..., Any], returned: Any
) -> None:
    register(uploads, lambda request: returned)
    reply = send(app)
    assert reply.status_code == 500
    assert reply.get_json()["detail"].startswith("Internal server error")
    assert nothing_left(app)


def test_the_headers_of_an_abort_are_kept(app: Flask, uploads: ChunkedUpload) -> None:
    from werkzeug.datastructures import WWWAuthenticate

    def check(request: Any) -> None:
        raise Unauthorized("Sign in", www_authenticate=WWWAuthenticate("basic", {"realm": "x"}))

    uploads.check_permissions(check)
    reply = send(app)
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].lower().startswith("basic")
    assert reply.get_json()["detail"] == "Sign in"


def test_a_redirect_is_left_to_flask(app: Flask, uploads: ChunkedUpload) -> None:
    uploads.check_permissions(lambda request: abort(redirect("/login")))
    assert send(app).headers["Location"] == "/login"


@pytest.mark.parametrize("register", [ChunkedUpload.validate, ChunkedUpload.check_permissions])
def test_a_returned_redirect_is_the_answer(
    app: Flask, uploads: ChunkedUpload, register: Callable[..., Any]
) -> None:
    register(uploads, lambda request: redirect("/login"))
    reply = send(app)
    assert (reply.status_code, reply.headers["Location"]) == (302, "/login")
    assert nothing_left(app)


def test_a_check_sees_the_upload_to_be(app: Flask, uploads: ChunkedUpload) -> None:
    seen: list[Any] = []
    uploads.validate(lambda request, upload: seen.append(upload))
    reply = send(app, "../photo.png", title="Sea")
    [upload] = seen
    assert (upload.filename, upload.length, upload.metadata) == ("photo.png", 11, {"title": "Sea"})
    assert (upload.content_type, upload.upload_id) == ("text/plain", None)
    upload_id = reply.get_json()["upload_id"]
    form = {"upload_id": upload_id, "file": (io.BytesIO(b" world"), "photo.png")}
    app.test_client().post("/uploads/", data=form, headers={"Content-Range": "bytes 5-10/11"})
    assert (seen[1].upload_id, seen[1].length) == (upload_id, 11)
    done = {"upload_id": upload_id, "md5": md5_of(b"hello world")}
    assert app.test_client().post("/uploads/complete", data=done).status_code == 200
    assert (seen[2].filename, seen[2].length, seen[2].upload_id) == ("photo.png", 11, upload_id)


def test_a_check_sees_the_name_also_where_a_later_chunk_has_none(
    app: Flask, uploads: ChunkedUpload
) -> None:
    @uploads.validate
    def check(request: Any, upload: Any) -> Any:
        if upload.filename.endswith(".png") and upload.metadata == {"title": "Sea"}:
            return None
        return "PNG only!", 400

    client = app.test_client()
    upload_id = send(app, "photo.png", title="Sea").get_json()["upload_id"]
    headers = {"Content-Range": "bytes 5-10/11"}
    reply = client.put(f"/uploads/{upload_id}", data=b" world", headers=headers)
    assert reply.status_code == 200, reply.text
    assert client.put(f"/uploads/{'0' * 32}", data=b"x", headers=headers).status_code == 404


def test_a_check_sees_dropzones_file(app: Flask, uploads: ChunkedUpload) -> None:
    seen: list[Any] = []
    uploads.validate(lambda request, upload: seen.append(upload))
    DropzoneFile(app.test_client(), b"hello world", name="a.mp4").send(0)
    assert (seen[0].filename, seen[0].length, seen[0].metadata) == ("a.mp4", 11, {})


def test_a_check_refuses_a_plain_form_by_its_file(app: Flask, uploads: ChunkedUpload) -> None:
    @uploads.validate
    def images(request: Any, upload: Any) -> Any:
        return None if upload.filename.endswith(".png") else ("PNG only!", 400)

    client = app.test_client()
    refused = client.post("/uploads/form", data={"file": (io.BytesIO(b"x"), "a.txt")})
    taken = client.post("/uploads/form", data={"file": (io.BytesIO(b"x"), "a.png")})
    assert (refused.status_code, taken.status_code) == (400, 200)


def test_an_error_in_a_hook_is_json_and_logged(
    app: Flask, uploads: ChunkedUpload, caplog: pytest.LogCaptureFixture
) -> None:
    uploads.validate(lambda request: request.environ["missing"])
    reply = send(app)
    assert (reply.status_code, reply.mimetype) == (500, "application/json")
    assert "KeyError" in caplog.text
    assert nothing_left(app)


def test_an_apps_handlers_are_asked(app: Flask) -> None:
    @app.errorhandler(ChunkedUploadError)
    def handle(error: ChunkedUploadError) -> Any:
        return {"mine": error.data["detail"]}, error.status_code

    reply = app.test_client().get(f"/uploads/{'a' * 32}")
    assert (reply.status_code, reply.get_json()) == (404, {"mine": "Upload not found"})


def test_a_handler_for_what_nobody_expected_gets_no_refusals(
    app: Flask, uploads: ChunkedUpload
) -> None:
    @app.errorhandler(Exception)
    def handle(error: Exception) -> Any:
        return "oops", 500

    assert app.test_client().get(f"/uploads/{'a' * 32}").status_code == 404
    uploads.validate(lambda request: request.environ["missing"])
    assert send(app).text == "oops"


def test_flask_wtfs_handler_gets_refused_tokens(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_CSRF=True)
    ChunkedUpload(app)
    create_tables(app)

    @app.errorhandler(CSRFError)
    def handle(error: Any) -> Any:
        return f"csrf: {error.description}", 400

    assert send(app).text.startswith("csrf: expected it in the header")
