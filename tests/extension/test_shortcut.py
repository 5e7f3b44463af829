"""Chunks are answered below Flask's dispatch, unless the app could tell the difference."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import flask
import pytest
from flask import Flask, current_app, request, session
from werkzeug.middleware.proxy_fix import ProxyFix

import chunked_upload
from chunked_upload import ChunkedUpload, ChunkedUploadError, ChunkedUploadView
from chunked_upload.hooks import request_refused
from chunked_upload.http.access import request_rate
from chunked_upload.http.views.receiving import ReceivingView
from tests.conftest import create_tables
from tests.http.answers import refused
from tests.support.protocol import Protocol

pytestmark = pytest.mark.one_database

TUS = {"Tus-Resumable": "1.0.0"}
APPEND = {**TUS, "Content-Type": "application/offset+octet-stream"}


class Dispatches:
    """Counts the requests that go through Flask's dispatch."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        dispatch = app.full_dispatch_request

        def counted() -> flask.Response:
            self.count += 1
            return dispatch()

        monkeypatch.setattr(app, "full_dispatch_request", counted)


def made(app: Flask, **given: Any) -> ChunkedUpload:
    uploads = ChunkedUpload(app, **given)
    create_tables(app)
    return uploads


def begun(protocol: Protocol) -> str:
    """Begin an upload, with the app's first request."""
    answer = protocol.chunk(b"hello ", 0, 11)
    assert answer.status_code == 200, answer.text
    return str(answer.json["upload_id"])  # type: ignore[index]


def test_a_chunk_needs_no_dispatch(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    made(app)
    protocol, dispatches = Protocol(app.test_client()), Dispatches(app, monkeypatch)
    upload_id = begun(protocol)
    assert dispatches.count == 1  # the app's first request, after which it is complete
    app.config["SESSION_COOKIE_NAME"] = "another"  # the session might have to be renewed
    assert protocol.chunk(b"wo", 6, 11, upload_id=upload_id).json["offset"] == 8  # type: ignore[index]
    assert protocol.put(upload_id, b"r", 8, 11).json["offset"] == 9  # type: ignore[index]
    client = protocol.client
    draft = {"Upload-Complete": "?0", "Content-Type": "application/partial-upload"}
    answer = client.patch(
        f"/uploads/{upload_id}", data=b"l", headers={**draft, "Upload-Offset": "9"}
    )
    assert answer.headers["Upload-Offset"] == "10"
    answer = client.patch(
        f"/uploads/tus/{upload_id}", data=b"d", headers={**APPEND, "Upload-Offset": "10"}
    )
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "11")
    assert dispatches.count == 1
    assert client.get(f"/uploads/{upload_id}/file", buffered=True).data == b"hello world"


def test_requests_are_limited_without_dispatch(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators limit them for every chunk, which must not become a fifth more expensive."""
    app = make_app()
    made(app, max_requests_per_second=2)
    monkeypatch.setattr(request_rate, "monotonic", lambda: 1000.0)
    protocol = Protocol(app.test_client(use_cookies=False))
    dispatches = Dispatches(app, monkeypatch)
    upload_id = begun(protocol)
    assert protocol.put(upload_id, b"wo", 6, 11).status_code == 200
    assert refused(protocol.put(upload_id, b"r", 8, 11), 429)["detail"].startswith("Too many")
    assert dispatches.count == 1
    assert not flask.has_request_context()


def test_who_follows_refusals_alone_is_told_in_a_request(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The admin page does, which must cost other chunks nothing."""
    app, heard = make_app(), []
    made(app)
    protocol = Protocol(app.test_client(use_cookies=False))
    dispatches = Dispatches(app, monkeypatch)

    @request_refused.connect_via(app)
    def hear(sender: Flask, **given: Any) -> None:
        heard.append((request.method, current_app.name, given["status"]))

    upload_id = begun(protocol)
    assert protocol.put(upload_id, b"wo", 6, 11).status_code == 200
    assert protocol.put(upload_id, b"r", 9, 11).status_code == 400
    assert heard == [("PUT", app.name, 400)]
    assert dispatches.count == 1


def before(app: Flask) -> None:
    app.before_request(lambda: None)


def after(app: Flask) -> None:
    app.after_request(lambda response: response)


def teardown(app: Flask) -> None:
    app.teardown_request(lambda error: None)


def context_teardown(app: Flask) -> None:
    app.teardown_appcontext(lambda error: None)


def listener(app: Flask) -> None:
    app.extensions["heard"] = lambda sender, **given: None
    chunked_upload.chunk_received.connect(app.extensions["heard"], app)


def flask_listener(app: Flask) -> None:
    app.extensions["heard"] = lambda sender, **given: None
    flask.request_started.connect(app.extensions["heard"], app)


def own_request(app: Flask) -> None:
    app.request_class = type("OwnRequest", (flask.Request,), {})


def whole_limit(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10**6


def layer(app: Flask) -> None:
    app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "change",
    [
        before,
        after,
        teardown,
        context_teardown,
        listener,
        flask_listener,
        own_request,
        whole_limit,
        layer,
    ],
)
def test_an_app_that_follows_requests_has_them_dispatched(
    make_app: Callable[..., Flask],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Flask], None],
) -> None:
    app = make_app()
    change(app)
    made(app)
    check_dispatched(app, monkeypatch)


class OwnView(ChunkedUploadView):
    pass


@pytest.mark.parametrize(
    "given",
    [
        {"upload_view": OwnView},
        {"max_bytes": lambda request: 100},
        {"cors_origins": ["https://pages.example"]},
        {"limits_of": lambda owner: chunked_upload.Limits()},
    ],
    ids=lambda given: next(iter(given)),
)
def test_an_upload_set_with_rules_of_the_app_has_them_dispatched(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    app = make_app()
    made(app, **given)
    check_dispatched(app, monkeypatch)


@pytest.mark.parametrize("hook", ["user_loader", "check_permissions", "validate"])
def test_an_upload_set_with_hooks_has_them_dispatched(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    app = make_app()
    # Each of them may look at Flask's context.
    getattr(made(app), hook)(lambda *given: current_app.name if hook == "user_loader" else None)
    check_dispatched(app, monkeypatch)


def check_dispatched(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client(use_cookies=False)
    protocol, dispatches = Protocol(client), Dispatches(app, monkeypatch)
    upload_id = begun(protocol)
    assert protocol.chunk(b"world", 6, 11, upload_id=upload_id).status_code == 200
    assert dispatches.count == 2


def test_a_session_that_answers_may_renew_is_opened(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    made(app)
    protocol, dispatches = Protocol(app.test_client()), Dispatches(app, monkeypatch)
    upload_id = begun(protocol)  # which gives the browser a session
    protocol.chunk(b"world", 6, 11, upload_id=upload_id)
    assert dispatches.count == 2


def test_a_test_may_look_at_its_request(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    made(app)
    with app.test_client(use_cookies=False) as client:
        upload_id = begun(Protocol(client))
        Protocol(client).chunk(b"world", 6, 11, upload_id=upload_id)
        assert request.headers["Content-Range"] == "bytes 6-10/11"


def test_a_new_visitor_gets_a_session(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    made(app)
    begun(Protocol(app.test_client()))
    client = app.test_client()
    begun(Protocol(client))
    assert "chunked_upload" in session_of(app, client)


def session_of(app: Flask, client: Any) -> dict[str, Any]:
    app.view_functions["chunked_upload.csrf_token"] = lambda: dict(session)
    found: dict[str, Any] = client.get("/uploads/csrf-token").json
    return found


def test_hooks_and_handlers_of_the_app_have_their_context(make_app: Callable[..., Flask]) -> None:
    app, seen = make_app(), []
    uploads = made(app)

    @uploads.on_completion
    def completed(uploaded_file: Any, request: Any) -> None:
        seen.append((current_app.name, flask.request.method, request.path))

    @app.errorhandler(ChunkedUploadError)
    def refused(error: ChunkedUploadError) -> tuple[str, int]:
        return f"refused by {current_app.name} at {flask.request.path}", 418

    client = app.test_client(use_cookies=False)
    begun(Protocol(client))
    answer = client.post("/uploads/tus/", headers={**TUS, "Upload-Length": "5"})
    assert re.fullmatch("http://localhost/uploads/tus/[0-9a-f]{32}", answer.headers["Location"])
    path = answer.headers["Location"].removeprefix("http://localhost")
    answer = client.patch(path, data=b"xx", headers={**APPEND, "Upload-Offset": "1"})
    assert (answer.status_code, answer.text) == (418, f"refused by tests at {path}")
    answer = client.patch(path, data=b"hello", headers={**APPEND, "Upload-Offset": "0"})
    assert (answer.status_code, seen) == (204, [("tests", "PATCH", path)])
    assert not flask.has_request_context()


def test_what_fails_unforeseen_reaches_the_app_s_handlers(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Flask's dispatch, so that trackers of errors hear of it too."""
    app, told = make_app(PROPAGATE_EXCEPTIONS=False), []
    made(app)
    app.errorhandler(LookupError)(lambda error: (f"{error} at {flask.request.path}", 419))
    protocol, dispatches = (
        Protocol(app.test_client(use_cookies=False)),
        Dispatches(app, monkeypatch),
    )
    begun(protocol)

    def heard(sender: Flask, exception: Exception) -> None:
        told.append(str(exception))

    def answer(error: Exception) -> tuple[int, str]:
        def fail(*given: Any) -> None:
            raise error

        monkeypatch.setattr(ReceivingView, "new_record", fail)
        answer = protocol.chunk(b"hello ", 0, 11)
        return answer.status_code, answer.text

    with flask.got_request_exception.connected_to(heard, app):
        assert answer(LookupError("no place")) == (419, "no place at /uploads/")
        status, said = answer(RuntimeError("no power"))  # which the blueprint answers, in JSON
        assert (status, "the server's log says more" in said) == (500, True)
    assert (told, dispatches.count) == (["no power"], 1)
    assert not flask.has_request_context()
