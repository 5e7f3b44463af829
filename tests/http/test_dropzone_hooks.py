"""The app's hooks around Dropzone's chunks: those of the chunked dialect, at their moments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Request

from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadCompleteView,
    ChunkedUploadError,
    ChunkedUploadView,
)
from tests.conftest import create_tables
from tests.http.answers import refused, stored
from tests.http.forms import FORM, Unreadable, send
from tests.support.dropzone import DropzoneFile, send_whole
from tests.support.protocol import md5_of, nothing_left, records

pytestmark = pytest.mark.one_database

DATA = b"hello dropzone"


def test_the_hooks_and_their_order(make_app: Callable[..., Flask]) -> None:
    said: list[str] = []

    class Saying:
        def pre_save(self, upload: Any, request: Request, new: bool = False) -> None:
            said.append(f"{type(self).__name__}.pre_save new={new}")

        def save(self, upload: Any, request: Request, new: bool = False) -> None:
            said.append(f"{type(self).__name__}.save")
            super().save(upload, request, new)  # type: ignore[misc]

        def post_save(self, upload: Any, request: Request, new: bool = False) -> None:
            said.append(f"{type(self).__name__}.post_save")

    class Chunks(Saying, ChunkedUploadView):
        def get_extra_attrs(self, request: Request) -> dict[str, Any]:
            said.append(f"get_extra_attrs {request.form['album']}")
            return {}

    class Complete(Saying, ChunkedUploadCompleteView):
        def on_completion(self, uploaded_file: Any, request: Request) -> None:
            said.append(f"on_completion {uploaded_file.read().decode()}")

    app = make_app()
    uploads = ChunkedUpload(app, upload_view=Chunks, complete_view=Complete)
    uploads.check_permissions(lambda request: said.append("check_permissions"))
    uploads.validate(lambda request: said.append(f"validate {request.form['dzchunkindex']}"))
    create_tables(app)
    sent = DropzoneFile(app.test_client(), DATA, size=7, params={"album": "summer"})
    first = ["check_permissions", "validate 1", "get_extra_attrs summer"]
    chunk = ["Chunks.pre_save new={}", "Chunks.save", "Chunks.post_save"]
    assert sent.send(1).status_code == 200
    assert said == [*first, *(one.format(True) for one in chunk)]
    said.clear()
    assert sent.send(0).status_code == 200
    complete = ["Complete.pre_save new=False", "Complete.save", "Complete.post_save"]
    done = [*complete, "on_completion hello dropzone"]
    assert said == [
        "check_permissions",
        "validate 0",
        *(one.format(False) for one in chunk),
        *done,
    ]
    said.clear()
    sent.send(0)
    assert said == ["check_permissions", "validate 0"]


def test_answers_of_the_app(make_app: Callable[..., Flask]) -> None:
    class Chunks(ChunkedUploadView):
        def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
            return super().get_response_data(chunked_upload, request) | {"mine": "chunk"}

    class Complete(ChunkedUploadCompleteView):
        def get_response_data(self, chunked_upload: Any, request: Request) -> dict[str, Any]:
            return {"mine": "complete", "url": "/elsewhere"}

    app = make_app()
    ChunkedUpload(app, upload_view=Chunks, complete_view=Complete)
    create_tables(app)
    sent = DropzoneFile(app.test_client(), DATA, size=7)
    assert sent.send(0).get_json()["mine"] == "chunk"
    last = sent.send(1).get_json()
    assert (last["mine"], last["url"], last["offset"]) == ("complete", "/elsewhere", 14)


@pytest.mark.parametrize("hook", ["validate", "check_permissions", "pre_save", "post_save"])
def test_a_hook_of_the_completion_refuses(make_app: Callable[..., Flask], hook: str) -> None:
    """The bytes stay, and a chunk sent again tries again."""
    refusing = [True]

    def refuse(self: Any, *_: Any, **__: Any) -> None:
        if refusing[0]:
            raise ChunkedUploadError(status=422, detail="Not now")

    complete_view = type("Complete", (ChunkedUploadCompleteView,), {hook: refuse})
    app = make_app()
    ChunkedUpload(app, complete_view=complete_view)
    create_tables(app)
    sent = DropzoneFile(app.test_client(), DATA, size=7)
    assert sent.send(0).status_code == 200
    content = refused(sent.send(1), 422, "Not now")
    assert content["upload_id"] == records(app)[0].upload_id
    assert records(app)[0].offset == 14
    refusing[0] = False
    assert sent.send(1).get_json()["status"] == 2


def test_a_hook_of_a_chunk_refuses(make_app: Callable[..., Flask]) -> None:
    app = make_app()

    @ChunkedUpload(app).validate
    def only_small_ones(request: Request) -> None:
        if int(request.form.get("dztotalfilesize", 0)) > 10:
            raise ChunkedUploadError(status=422, detail="Too much")

    create_tables(app)
    refused(DropzoneFile(app.test_client(), DATA).send(1), 422, "Too much")
    assert nothing_left(app)
    assert DropzoneFile(app.test_client(), DATA[:10]).upload().status_code == 200


def test_permission_is_asked_before_the_body_is_read(make_app: Callable[..., Flask]) -> None:
    app = make_app()

    @ChunkedUpload(app).check_permissions
    def nobody(request: Request) -> None:
        raise ChunkedUploadError(status=402, detail="Pay first")

    create_tables(app)
    client = app.test_client()
    body = Unreadable()
    refused(send(client, "POST", "/uploads/", body, length="1000", CONTENT_TYPE=FORM), 402)
    refused(client.delete("/uploads/?dzuuid=one"), 402, "Pay first")


@pytest.mark.parametrize("checks", [True, False])
def test_an_app_that_does_not_check_the_md5(make_app: Callable[..., Flask], checks: bool) -> None:
    view = type("Complete", (ChunkedUploadCompleteView,), {"do_md5_check": checks})
    app = make_app()
    ChunkedUpload(app, complete_view=view)
    create_tables(app)
    sent = DropzoneFile(app.test_client(), DATA, params={"md5": "0" * 32})
    answers = [sent.send(index).status_code for index in range(3)]
    assert answers == [200, 200, 400 if checks else 200]
    assert records(app)[0].status == (1 if checks else 2)


def test_a_failing_on_completion_does_not_undo_it(make_app: Callable[..., Flask]) -> None:
    """As in the chunked dialect: it is logged, and called again when a chunk is repeated."""
    app, calls = make_app(), []

    @ChunkedUpload(app).on_completion
    def fail_once(file: Any, request: Request) -> None:
        calls.append(file.upload.md5)
        if len(calls) == 1:
            raise RuntimeError("out of order")

    create_tables(app)
    sent = DropzoneFile(app.test_client(), DATA)
    for _ in range(3):
        assert sent.upload().get_json()["status"] == 2
    assert calls == [md5_of(DATA)] * 2
    assert list(stored(app).values()) == [DATA]


def test_whole_files_call_them_too(make_app: Callable[..., Flask]) -> None:
    app, calls = make_app(), []

    @ChunkedUpload(app).on_completion
    def note(file: Any, request: Request) -> None:
        calls.append(file.upload.filename)

    create_tables(app)
    client = app.test_client()
    send_whole(client, ("file", DATA, "a.bin"))
    send_whole(client, ("file[0]", b"", "b.bin"), ("file[1]", b"1", "c.bin"))
    send_whole(client, ("file", DATA, "d.bin"), dzuuid="one")
    assert calls == ["a.bin", "b.bin", "c.bin", "d.bin"]
