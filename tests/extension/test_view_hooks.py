"""The hooks of the views: which, when, with what; and what is left when one raises.

The order is django-chunked-upload's. A chunk there: check_permissions, validate, look-up and
validity (or creation), size limit, bytes, pre_save, save, post_save, answer. A completion:
check_permissions, look-up, validate, validity, MD5, pre_save, save, post_save, on_completion,
answer.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Request, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.local import LocalProxy

from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadCompleteView,
    ChunkedUploadError,
    ChunkedUploadMixin,
    ChunkedUploadView,
    ConfigurationError,
    UploadedFile,
)
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.support.protocol import Protocol, files, md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]
Call = tuple[str, tuple[Any, ...], dict[str, Any]]

#: Hooks called by the app's views, in their order, with their arguments.
calls: list[Call] = []


def real(value: Any) -> Any:
    """Return what stands behind ``flask.request``, which is a proxy."""
    return value._get_current_object() if isinstance(value, LocalProxy) else value


def recording(name: str) -> Any:
    """Make a method that notes its call, raises when asked to, and does what the original does."""

    def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append((name, tuple(map(real, args)), kwargs))
        if request.headers.get("X-Raise-In") == name:
            raise ChunkedUploadError(status=418, detail=f"{name} refuses")
        if request.headers.get("X-Fail-In") == name:
            raise ZeroDivisionError(name)
        return getattr(super(type(self), self), name)(*args, **kwargs)

    return hook


SHARED = [
    "get_queryset",
    "validate",
    "get_response_data",
    "pre_save",
    "save",
    "post_save",
    "check_permissions",
    "is_valid_chunked_upload",
]
CHUNK_ONLY = ["get_extra_attrs", "get_max_bytes", "create_chunked_upload"]
COMPLETE_ONLY = ["md5_check", "on_completion"]

View = type("View", (ChunkedUploadView,), {n: recording(n) for n in SHARED + CHUNK_ONLY})
CompleteView = type(
    "CompleteView", (ChunkedUploadCompleteView,), {n: recording(n) for n in SHARED + COMPLETE_ONLY}
)

NEW_CHUNK = [
    "check_permissions",
    "validate",
    "get_extra_attrs",
    "create_chunked_upload",
    "get_max_bytes",
    "pre_save",
    "save",
    "post_save",
    "get_response_data",
]
LATER_CHUNK = [
    "check_permissions",
    "validate",
    "get_queryset",
    "is_valid_chunked_upload",
    "get_max_bytes",
    "pre_save",
    "save",
    "post_save",
    "get_response_data",
]
COMPLETION = [
    "check_permissions",
    "get_queryset",
    "validate",
    "is_valid_chunked_upload",
    "md5_check",
    "pre_save",
    "save",
    "post_save",
    "on_completion",
    "get_response_data",
]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    calls.clear()
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    ChunkedUpload(app, upload_view=View, complete_view=CompleteView)
    create_tables(app)
    return app


def names() -> list[str]:
    called = [name for name, _, _ in calls]
    calls.clear()
    return called


def test_hooks_are_called_in_the_originals_order(app: Flask, protocol: Protocol) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    assert names() == NEW_CHUNK
    assert answer(protocol.chunk(b"world", 6, 11, upload_id=upload_id))["offset"] == 11
    assert names() == LATER_CHUNK
    assert answer(protocol.complete(upload_id, b"hello world"))["status"] == 2
    assert names() == COMPLETION


def test_hooks_get_the_originals_arguments(app: Flask, protocol: Protocol) -> None:
    upload_id = answer(protocol.chunk(b"data", filename="a.txt"))["upload_id"]
    chunk = {name: (args, kwargs) for name, args, kwargs in calls}
    for name in ("check_permissions", "validate", "get_extra_attrs", "get_max_bytes"):
        [given], named = chunk[name]
        assert isinstance(given, Request)
        assert named == {}
    none, attrs = chunk["create_chunked_upload"]
    assert none == ()
    assert attrs.pop("save") is False
    assert attrs["filename"] == "a.txt"
    for name in ("pre_save", "save", "post_save"):
        [upload, given], named = chunk[name]
        assert isinstance(upload, ChunkedUploadMixin)
        assert isinstance(given, Request)
        assert named == {"new": True}
    [upload, given], _ = chunk["get_response_data"]
    assert upload.upload_id == upload_id
    assert isinstance(given, Request)
    calls.clear()

    protocol.complete(upload_id, md5_of(b"data").upper())
    completion = {name: (args, kwargs) for name, args, kwargs in calls}
    assert isinstance(completion["get_queryset"][0][0], Request)
    [upload] = completion["is_valid_chunked_upload"][0]
    assert upload.upload_id == upload_id
    [upload, md5] = completion["md5_check"][0]
    assert (upload.upload_id, md5) == (upload_id, md5_of(b"data").upper())
    for name in ("pre_save", "save", "post_save"):
        assert completion[name][1] == {"new": False}
    [file, given] = completion["on_completion"][0]
    assert isinstance(file, UploadedFile)
    assert isinstance(given, Request)


def test_pre_save_sees_what_will_be_stored(make_app: MakeApp) -> None:
    seen = []

    class View(ChunkedUploadView):
        def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
            seen.append((chunked_upload.offset, chunked_upload.length, chunked_upload.status))

    class CompleteView(ChunkedUploadCompleteView):
        def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
            seen.append((chunked_upload.offset, chunked_upload.length, chunked_upload.status))
            assert chunked_upload.completed_on is not None
            assert chunked_upload.md5 == md5_of(b"hello world")

    app = make_app()
    ChunkedUpload(app, upload_view=View, complete_view=CompleteView)
    create_tables(app)
    protocol = Protocol(app.test_client())
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    protocol.chunk(b"world", 6, 11, upload_id=upload_id)
    assert answer(protocol.complete(upload_id, b"hello world"))["status"] == 2
    assert seen == [(6, 11, 1), (11, 11, 1), (11, 11, 2)]


def test_hooks_read_form_fields_as_ever(make_app: MakeApp) -> None:
    """``request.form`` holds the fields that came before the file."""
    seen: dict[str, dict[str, str]] = {}

    class View(ChunkedUploadView):
        def validate(self, request: Request) -> None:
            seen["validate"] = request.form.to_dict()

        def get_extra_attrs(self, request: Request) -> dict[str, Any]:
            return {"filename": request.form["title"]}

        def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
            seen["pre_save"] = request.form.to_dict()

    class CompleteView(ChunkedUploadCompleteView):
        def validate(self, request: Request) -> None:
            seen["complete"] = request.form.to_dict()

    app = make_app()
    ChunkedUpload(app, upload_view=View, complete_view=CompleteView)
    create_tables(app)
    protocol = Protocol(app.test_client())
    upload_id = protocol.upload(b"data", title="My title")
    assert seen == {"validate": {"title": "My title"}, "pre_save": {"title": "My title"}}
    assert answer(protocol.state(upload_id))["filename"] == "My title"

    form = {"upload_id": upload_id, "md5": md5_of(b"data")}
    for body in ({"data": form}, {"json": form}):
        assert protocol.client.post("/uploads/complete", **body).status_code == 200
        assert seen.pop("complete") == form


@pytest.mark.both_databases
def test_attributes_set_in_pre_save_are_stored(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        title: Mapped[str | None] = mapped_column()
        chunks: Mapped[int] = mapped_column(default=0)
        checked: Mapped[bool] = mapped_column(default=False)

    class View(ChunkedUploadView):
        def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
            chunked_upload.chunks += 1
            if new:
                chunked_upload.title = request.form["title"]

    class CompleteView(ChunkedUploadCompleteView):
        def pre_save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
            chunked_upload.checked = True

    ChunkedUpload(app, model=Document, upload_view=View, complete_view=CompleteView)
    create_tables(app)
    protocol = Protocol(app.test_client())
    upload_id = answer(protocol.chunk(b"hello ", 0, 11, title="First"))["upload_id"]
    protocol.chunk(b"world", 6, 11, upload_id=upload_id)
    protocol.complete(upload_id, b"hello world")
    [record] = records(app)
    assert (record.title, record.chunks, record.checked) == ("First", 2, True)


def test_a_save_that_forgets_to_save_is_told_so(make_app: MakeApp) -> None:
    class View(ChunkedUploadView):
        def save(self, chunked_upload: Any, request: Request, new: bool = False) -> None:
            pass

    app = make_app()
    ChunkedUpload(app, upload_view=View)
    create_tables(app)
    with pytest.raises(RuntimeError, match=r"View.save\(\) must call super\(\).save\(\)"):
        Protocol(app.test_client()).chunk(b"data")
    assert nothing_left(app)


# A hook that raises


@pytest.mark.both_databases
@pytest.mark.parametrize("how", ["X-Raise-In", "X-Fail-In"])
@pytest.mark.parametrize("name", NEW_CHUNK[:-2])
def test_a_hook_that_raises_in_a_first_chunk_leaves_nothing(
    app: Flask, protocol: Protocol, name: str, how: str
) -> None:
    response = protocol.chunk(b"hello ", 0, 11, headers={how: name})
    if how == "X-Raise-In":
        assert refusal(response) == (418, f"{name} refuses")
    else:
        assert response.status_code == 500
    assert nothing_left(app)


@pytest.mark.parametrize("how", ["X-Raise-In", "X-Fail-In"])
@pytest.mark.parametrize("name", LATER_CHUNK[:-2])
def test_a_hook_that_raises_in_a_later_chunk_leaves_the_offset(
    app: Flask, protocol: Protocol, name: str, how: str
) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    raised = protocol.chunk(b"WORLD", 6, 11, upload_id=upload_id, headers={how: name})
    assert raised.status_code in (418, 500)
    assert answer(protocol.state(upload_id))["offset"] == 6
    assert answer(protocol.chunk(b"world", 6, 11, upload_id=upload_id))["offset"] == 11
    assert answer(protocol.complete(upload_id, b"hello world"))["status"] == 2


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["post_save", "get_response_data"])
def test_a_hook_that_raises_after_the_save_does_not_undo_it(
    app: Flask, protocol: Protocol, name: str
) -> None:
    upload_id = answer(protocol.chunk(b"hello ", 0, 11))["upload_id"]
    raised = protocol.chunk(b"world", 6, 11, upload_id=upload_id, headers={"X-Raise-In": name})
    assert refusal(raised) == (418, f"{name} refuses")
    assert answer(protocol.state(upload_id))["offset"] == 11


@pytest.mark.parametrize("how", ["X-Raise-In", "X-Fail-In"])
@pytest.mark.parametrize("name", COMPLETION[:-3])
def test_a_hook_that_raises_in_a_completion_leaves_the_upload_open(
    app: Flask, protocol: Protocol, name: str, how: str
) -> None:
    upload_id = protocol.upload(b"data")
    form = {"upload_id": upload_id, "md5": md5_of(b"data")}
    raised = protocol.client.post("/uploads/complete", data=form, headers={how: name})
    assert raised.status_code in (418, 500)
    assert answer(protocol.state(upload_id))["status"] == 1
    assert not [file for file in files(app) if not file.startswith(".incoming/")]

    assert answer(protocol.complete(upload_id, b"data"))["status"] == 2
    [record] = records(app)
    assert record.notified_on is not None


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ["post_save", "get_response_data"])
def test_a_hook_that_raises_after_a_completion_does_not_undo_it(
    app: Flask, protocol: Protocol, name: str
) -> None:
    upload_id = protocol.upload(b"data")
    form = {"upload_id": upload_id, "md5": md5_of(b"data")}
    raised = protocol.client.post("/uploads/complete", data=form, headers={"X-Raise-In": name})
    assert refusal(raised) == (418, f"{name} refuses")
    assert answer(protocol.state(upload_id))["status"] == 2
    calls.clear()
    assert answer(protocol.complete(upload_id, b"data"))["status"] == 2
    [record] = records(app)
    assert record.notified_on is not None


# Functions registered on the upload set


def test_registered_checks_run_where_the_views_hooks_do(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload(app)

    @uploads.check_permissions
    def only_on_weekdays(request: Request) -> None:
        if request.headers.get("X-Day") == "Sunday":
            raise ChunkedUploadError(status=403, detail="Closed on Sundays")

    @uploads.validate
    def titled(request: Request) -> None:
        if request.method == "POST" and "file" not in request.files and not request.form:
            raise ChunkedUploadError(status=400, detail="A title is required")

    create_tables(app)
    protocol = Protocol(app.test_client())
    sunday = {"X-Day": "Sunday"}
    assert refusal(protocol.chunk(b"x", headers=sunday)) == (403, "Closed on Sundays")
    assert refusal(protocol.chunk(b"x")) == (400, "A title is required")
    assert nothing_left(app)
    upload_id = protocol.upload(b"x", title="t")
    closed = protocol.client.get(f"/uploads/{upload_id}", headers=sunday)
    assert refusal(closed) == (403, "Closed on Sundays")


def test_check_permissions_is_called_before_the_body_is_read(make_app: MakeApp) -> None:
    class Untouchable:
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    app = make_app()
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: None)
    create_tables(app)
    response = app.test_client().post(
        "/uploads/",
        environ_overrides={
            "wsgi.input": Untouchable(),
            "CONTENT_LENGTH": "5",
            "CONTENT_TYPE": "application/octet-stream",
        },
    )
    assert refusal(response) == (403, "Authentication credentials were not provided")


# The options of the views


def test_a_view_names_its_field_and_limit_and_header(make_app: MakeApp) -> None:
    class View(ChunkedUploadView):
        field_name = "the_file"
        max_bytes = 4
        content_range_header = "X-Range"
        fail_if_no_header = True

    app = make_app()
    ChunkedUpload(app, upload_view=View)
    create_tables(app)
    protocol = Protocol(app.test_client())
    headers = {"X-Range": "bytes 0-3/4"}
    assert refusal(protocol.chunk(b"four", headers=headers)) == (
        400,
        "No chunk file was submitted",
    )
    assert refusal(protocol.chunk(b"four", field="the_file")) == (
        400,
        "Error in request headers",
    )
    assert refusal(
        protocol.chunk(b"four", field="the_file", headers={"X-Range": "bytes 0-3/5"})
    ) == (400, "Size of file exceeds the limit (4 bytes)")
    assert protocol.chunk(b"four", field="the_file", headers=headers).status_code == 200


@pytest.mark.both_databases
def test_a_queryset_of_the_views_own_holds_for_every_endpoint(make_app: MakeApp) -> None:
    """Here everybody sees every upload but those named secret."""

    class View(ChunkedUploadView):
        def get_queryset(self, request: Request) -> Any:
            everything = self.engine.records.query(self.upload_set.name)
            return everything.where(self.model.filename != "secret")

    app = make_app()
    uploads = ChunkedUpload(app, upload_view=View)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    client = app.test_client()
    protocol = Protocol(client)
    alice, bob = {"X-User": "alice"}, {"X-User": "bob"}
    shown = answer(protocol.chunk(b"x", filename="shown", headers=alice))["upload_id"]
    hidden = answer(protocol.chunk(b"x", filename="secret", headers=alice))["upload_id"]
    assert answer(client.get(f"/uploads/{shown}", headers=bob))["offset"] == 1
    assert client.get(f"/uploads/{hidden}", headers=alice).status_code == 404
    listed = answer(client.get("/uploads/", headers=bob))["uploads"]
    assert [upload["upload_id"] for upload in listed] == [shown]


def test_do_md5_check_false_needs_no_md5_and_checks_none(make_app: MakeApp) -> None:
    class CompleteView(ChunkedUploadCompleteView):
        do_md5_check = False

    app = make_app()
    ChunkedUpload(app, complete_view=CompleteView)
    create_tables(app)
    protocol = Protocol(app.test_client())
    assert refusal(protocol.client.post("/uploads/complete")) == (400, "'upload_id' is required")
    upload_id = protocol.upload(b"data")
    assert answer(protocol.complete(upload_id, ""))["md5"] == md5_of(b"data")
    short = answer(protocol.chunk(b"da", 0, 4))["upload_id"]
    assert refusal(protocol.complete(short, "")) == (400, "Upload is not complete")


# Views that the app routes itself, as with Django


@pytest.fixture
def routed(make_app: MakeApp) -> Flask:
    """An app with URLs of its own for the two views, which belong to the upload set ``docs``."""
    app = make_app()
    db = SQLAlchemy(app)

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        pass

    class DocumentView(ChunkedUploadView):
        upload_set = "docs"
        model = Document
        field_name = "the_file"

    class DocumentCompleteView(ChunkedUploadCompleteView):
        upload_set = "docs"
        model = Document

        def on_completion(self, uploaded_file: UploadedFile, request: Request) -> None:
            app.config["DONE"] = uploaded_file.stream.read()

        def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
            return {"message": f"{chunked_upload.filename} is here"}

    ChunkedUpload(app, name="docs", url_prefix="/documents", model=Document)
    app.add_url_rule("/api/upload", view_func=DocumentView.as_view("api_upload"))
    app.add_url_rule("/api/upload_done", view_func=DocumentCompleteView.as_view("api_done"))
    create_tables(app)
    return app


def test_views_may_be_routed_by_the_app(routed: Flask) -> None:
    client = routed.test_client()
    first = Protocol(client, "/api/upload").client.post(
        "/api/upload",
        data={"the_file": (io.BytesIO(b"hello "), "a.txt")},
        headers={"Content-Range": "bytes 0-5/11"},
    )
    upload_id = answer(first)["upload_id"]
    assert answer(client.get(f"/documents/{upload_id}"))["offset"] == 6
    assert answer(Protocol(client, "/documents").put(upload_id, b"world", 6, 11))["offset"] == 11
    done = client.post(
        "/api/upload_done", data={"upload_id": upload_id, "md5": md5_of(b"hello world")}
    )
    assert answer(done) == {"message": "a.txt is here"}
    assert routed.config["DONE"] == b"hello world"


def test_routed_views_say_what_they_offer(routed: Flask) -> None:
    client = routed.test_client()
    for url in ("/api/upload", "/api/upload_done"):
        response = client.get(url)
        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]
        assert client.options(url).status_code < 300  # a browser's preflight


# content_range_pattern


class BlocksView(ChunkedUploadView):
    """Takes what some other client sends instead of ``bytes a-b/total``."""

    content_range_pattern = re.compile(r"^block (?P<total>\d+): (?P<start>-?\d+)\.\.(?P<end>\d*)$")


def test_a_content_range_pattern_of_ones_own_is_read(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, upload_view=BlocksView)
    create_tables(app)
    protocol = Protocol(app.test_client())

    def send(content_range: str) -> Any:
        return protocol.chunk(b"data", headers={"Content-Range": content_range})

    assert answer(send("block 9: 0..3"))["offset"] == 4
    for wrong in (
        "bytes 0-3/9",
        "block 4: 0..4",
        "block 9: 3..0",
        "block 9: 0..",
        "block 9: -1..2",
        f"block {'9' * 30}: 0..3",
        f"block {'9' * 5000}: 0..3",
    ):
        assert refusal(send(wrong)) == (400, "Error in request headers"), wrong
    assert len(records(app)) == 1


@pytest.mark.parametrize("pattern", [re.compile(r"(?P<start>\d+)-(?P<end>\d+)"), "bytes"])
def test_one_without_the_groups_is_refused_at_once(pattern: Any) -> None:
    with pytest.raises(ConfigurationError, match="content_range_pattern"):
        type("Wrong", (ChunkedUploadView,), {"content_range_pattern": pattern})
