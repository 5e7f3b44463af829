"""What hooks raise: ``abort()``, an app's own exceptions, and errors that nobody expected.

Every hook is tried in every dialect that calls it before something is stored. Each refusal is the
contract's JSON, each error a JSON 500 with its traceback in the log, and nothing half-made stays.
What checks return is in test_checks.py.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, abort, get_flashed_messages
from flask.testing import FlaskClient
from werkzeug.exceptions import Forbidden
from werkzeug.test import TestResponse

from chunked_upload import ChunkedUpload, ChunkedUploadCompleteView, ChunkedUploadView
from chunked_upload.hooks import SIGNALS
from tests.conftest import create_tables
from tests.extension.helpers import refusal
from tests.support.dropzone import DropzoneFile
from tests.support.protocol import Protocol, files, nothing_left, records

pytestmark = pytest.mark.one_database

DATA = b"hello"

#: Hooks of the chunk view and of the complete view that run before anything is kept.
CHUNK_HOOKS = (
    "check_permissions",
    "validate",
    "get_extra_attrs",
    "create_chunked_upload",
    "get_max_bytes",
    "pre_save",
)
COMPLETE_HOOKS = ("check_permissions", "validate", "is_valid_chunked_upload", "pre_save")


class OwnError(Exception):
    """An exception of the app's own."""


class OwnForbidden(Forbidden):
    """Another, which Werkzeug would answer."""


def _chunk(client: FlaskClient) -> TestResponse:
    return Protocol(client).chunk(DATA, 0, 10)


def _raw(client: FlaskClient) -> TestResponse:
    return client.post("/uploads/?filename=a.txt", data=DATA, content_type="text/plain")


def _dropzone(client: FlaskClient) -> TestResponse:
    return DropzoneFile(client, DATA, name="a.txt").send(0)


def _form(client: FlaskClient) -> TestResponse:
    return client.post("/uploads/form", data={"file": (io.BytesIO(DATA), "a.txt")})


#: Requests that bring a new file, by dialect.
SENT = {"chunk": _chunk, "raw": _raw, "dropzone": _dropzone, "form": _form}


def make(
    make_app: Callable[..., Flask], hook: str, error: Any, *, base: type = ChunkedUploadView
) -> Flask:
    """Return an app as in production whose hook raises."""

    def fail(*_arguments: Any, **_options: Any) -> Any:
        raise error() if isinstance(error, type) else error

    app = make_app(PROPAGATE_EXCEPTIONS=False, CHUNKED_UPLOAD_FORM_REDIRECT="/done")
    view: Any = type("View", (base,), {hook: fail})
    if base is ChunkedUploadView:
        ChunkedUpload(app, upload_view=view)
    else:
        ChunkedUpload(app, complete_view=view)
    create_tables(app)
    return app


def forbidden() -> Any:
    """What ``abort(403, "Not today")`` raises."""
    with pytest.raises(Forbidden) as raised:
        abort(403, "Not today")
    return raised.value


@pytest.mark.parametrize("send", SENT.values(), ids=SENT)
@pytest.mark.parametrize("hook", CHUNK_HOOKS)
def test_abort_is_the_contracts_json(
    make_app: Callable[..., Flask], hook: str, send: Callable[[FlaskClient], TestResponse]
) -> None:
    app = make(make_app, hook, forbidden())
    response = send(app.test_client())
    assert refusal(response) == (403, "Not today")
    assert response.get_json()["error"] == "Not today"
    assert nothing_left(app)


@pytest.mark.parametrize("send", SENT.values(), ids=SENT)
@pytest.mark.parametrize("hook", CHUNK_HOOKS)
def test_an_unexpected_error_is_json_and_in_the_apps_log(
    make_app: Callable[..., Flask],
    caplog: pytest.LogCaptureFixture,
    hook: str,
    send: Callable[[FlaskClient], TestResponse],
) -> None:
    app = make(make_app, hook, ZeroDivisionError("secret"))
    response = send(app.test_client())
    assert refusal(response) == (500, "Internal server error; the server's log says more")
    assert "secret" not in response.text
    [logged] = [record for record in caplog.records if record.name == app.logger.name]
    assert logged.exc_info is not None
    assert logged.exc_info[0] is ZeroDivisionError
    assert nothing_left(app)


@pytest.mark.parametrize("error", [forbidden(), ZeroDivisionError()], ids=["abort", "error"])
@pytest.mark.parametrize("hook", COMPLETE_HOOKS)
def test_a_completion_that_a_hook_ends_can_be_repeated(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, hook: str, error: Exception
) -> None:
    app = make(make_app, hook, error, base=ChunkedUploadCompleteView)
    protocol = Protocol(app.test_client())
    upload_id = protocol.upload(DATA)
    response = protocol.complete(upload_id, DATA)
    assert response.status_code == getattr(error, "code", 500)
    assert response.get_json()["detail"]
    [record] = records(app)
    assert (record.status, record.offset, record.path) == (1, len(DATA), None)
    view = app.extensions["chunked_upload"]["chunked_upload"].complete_view
    monkeypatch.setattr(view, hook, getattr(ChunkedUploadCompleteView, hook))
    assert protocol.complete(upload_id, DATA).status_code == 200


@pytest.mark.parametrize("send", [_dropzone, _form], ids=["dropzone", "form"])
@pytest.mark.parametrize("hook", ["validate", "pre_save"])
def test_a_completion_with_the_last_byte_that_a_hook_ends_leaves_nothing_complete(
    make_app: Callable[..., Flask], hook: str, send: Callable[[FlaskClient], TestResponse]
) -> None:
    app = make(make_app, hook, forbidden(), base=ChunkedUploadCompleteView)
    assert refusal(send(app.test_client())) == (403, "Not today")
    assert [record for record in records(app) if record.status != 1] == []
    assert [name for name in files(app) if name.endswith("a.txt")] == []


@pytest.mark.parametrize("kind", [OwnError, OwnForbidden])
@pytest.mark.parametrize("send", SENT.values(), ids=SENT)
def test_handlers_for_an_apps_own_exceptions_are_asked(
    make_app: Callable[..., Flask], send: Callable[[FlaskClient], TestResponse], kind: type
) -> None:
    app = make(make_app, "validate", kind)

    @app.errorhandler(kind)
    def handle(error: Exception) -> Any:
        return {"own": type(error).__name__}, 418

    response = send(app.test_client())
    assert (response.status_code, response.get_json()) == (418, {"own": kind.__name__})
    assert nothing_left(app)


def test_a_handler_for_a_status_is_for_the_apps_pages(make_app: Callable[..., Flask]) -> None:
    app = make(make_app, "validate", forbidden())
    app.register_error_handler(403, lambda error: ("<h1>No</h1>", 403))
    assert refusal(_chunk(app.test_client())) == (403, "Not today")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (forbidden(), "Not today"),
        (ZeroDivisionError(), "Internal server error; the server's log says more"),
    ],
    ids=["abort", "error"],
)
def test_a_browsers_form_says_it_on_the_page(
    make_app: Callable[..., Flask], error: Exception, said: str
) -> None:
    app = make(make_app, "pre_save", error)
    app.add_url_rule("/page", "page", lambda: get_flashed_messages(with_categories=True))
    client = app.test_client()
    form = {"file": (io.BytesIO(DATA), "a.txt")}
    headers = {"Accept": "text/html", "Referer": "http://localhost/page"}
    shown = client.post("/uploads/form", data=form, headers=headers, follow_redirects=True)
    assert shown.get_json() == [["error", said]]
    assert nothing_left(app)


def test_a_user_loader_may_abort(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)
    create_tables(app)
    uploads.user_loader(lambda request: abort(401, "Sign in"))
    for send in SENT.values():
        assert refusal(send(app.test_client())) == (401, "Sign in")
    assert refusal(app.test_client().get("/uploads/")) == (401, "Sign in")
    assert nothing_left(app)


def test_an_error_in_on_completion_is_logged_and_the_file_stays(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make(make_app, "on_completion", forbidden(), base=ChunkedUploadCompleteView)
    upload_id = Protocol(app.test_client()).completed(DATA)
    assert "on_completion failed" in caplog.text
    [record] = records(app)
    assert (record.upload_id, record.status, record.notified_on) == (upload_id, 2, None)


@pytest.mark.parametrize("event", ["created", "chunk_received"])
def test_a_receiver_that_raises_is_json_too(make_app: Callable[..., Flask], event: str) -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    ChunkedUpload(app)
    create_tables(app)

    def fail(_sender: Flask, **_options: Any) -> None:
        raise ZeroDivisionError

    with SIGNALS[event].connected_to(fail, app):
        assert _chunk(app.test_client()).status_code == 500
    [record] = records(app)
    assert (record.offset, record.status) == (len(DATA), 1)  # it may be continued
