"""django-chunked-upload's modules and the methods of its model, on the engine."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

import chunked_upload
from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadCompleteView,
    ChunkedUploadError,
    UploadNotFound,
    upload_aborted,
)
from chunked_upload.engine.errors import AlreadyComplete, FileTooLarge, SizeMismatch, UploadExpired
from chunked_upload.models import AbstractChunkedUpload
from chunked_upload.records.claims import BY_REQUEST
from tests.conftest import create_tables
from tests.extension.helpers import answer
from tests.extension.test_commands import age
from tests.support.protocol import Protocol, files, nothing_left, records

MakeApp = Callable[..., Flask]


@pytest.fixture
def app(make_app: MakeApp) -> Iterator[Flask]:
    """An app with a model as ported from Django; the test runs in its context."""
    app = make_app(CHUNKED_UPLOAD_MAX_BYTES=20)
    db = SQLAlchemy(app)

    class MyChunkedUpload(AbstractChunkedUpload, db.Model):  # type: ignore[name-defined,misc]
        pass

    ChunkedUpload(app, model=MyChunkedUpload)
    create_tables(app)
    with app.app_context():
        yield app


@pytest.fixture
def protocol(app: Flask) -> Protocol:
    return Protocol(app.test_client())


def the_upload(app: Flask) -> Any:
    """The only upload, in the app's own session."""
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    return upload_set.db.session.scalars(select(upload_set.model)).one()


# delete


@pytest.mark.parametrize("complete", [True, False])
def test_delete_removes_record_and_bytes(app: Flask, protocol: Protocol, complete: bool) -> None:
    protocol.completed(b"data") if complete else protocol.upload(b"data")
    gone = []
    upload = the_upload(app)
    with upload_aborted.connected_to(lambda sender, upload, **_: gone.append(upload.upload_id)):
        upload.delete()
    assert gone == [upload.upload_id]
    assert nothing_left(app)
    app.extensions["sqlalchemy"].session.commit()
    with pytest.raises(UploadNotFound):
        upload.delete()


def test_delete_also_removes_what_a_request_has_claimed(app: Flask, protocol: Protocol) -> None:
    upload_id = protocol.completed(b"data")
    engine = app.extensions["chunked_upload"]["chunked_upload"].engine
    engine.claim(records(app))
    assert the_upload(app).claimed_by == BY_REQUEST
    the_upload(app).delete()
    assert nothing_left(app)
    assert protocol.state(upload_id).status_code == 404


def test_delete_keeps_no_file_without_a_record(app: Flask, protocol: Protocol) -> None:
    protocol.completed(b"data")
    with pytest.raises(ValueError, match="move the file away first"):
        the_upload(app).delete(delete_file=False)
    assert len(records(app)) == len(files(app)) == 1


# append_chunk


class Chunk:
    """Bytes that can only be read, with a size as Django's uploaded files have it."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.read = io.BytesIO(data).read


@pytest.mark.parametrize("kind", [bytes, io.BytesIO, Chunk])
def test_append_chunk_goes_on_where_the_upload_stands(
    app: Flask, protocol: Protocol, kind: Callable[[bytes], Any]
) -> None:
    upload_id = answer(protocol.chunk(b"one ", 0, 13))["upload_id"]
    upload = the_upload(app)
    upload.append_chunk(kind(b"two "))
    assert upload.offset == 8
    assert answer(protocol.state(upload_id))["offset"] == 8
    assert answer(protocol.chunk(b"three", 8, 13, upload_id=upload_id))["offset"] == 13
    assert protocol.complete(upload_id, b"one two three").status_code == 200


@pytest.mark.parametrize(
    ("chunk", "size", "refusal"),
    [(b"short", 6, SizeMismatch), (b"long", 3, SizeMismatch), (b"x" * 10, None, SizeMismatch)],
)
def test_append_chunk_takes_what_was_declared_or_nothing(
    app: Flask, protocol: Protocol, chunk: bytes, size: int | None, refusal: type[Exception]
) -> None:
    protocol.chunk(b"one ", 0, 13)
    upload = the_upload(app)
    with pytest.raises(refusal):
        upload.append_chunk(chunk, chunk_size=size)
    assert records(app)[0].offset == 4


def test_append_chunk_is_held_to_the_limit_and_to_the_uploads_state(
    app: Flask, protocol: Protocol
) -> None:
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    new = upload_set.model(filename="a.txt")
    upload_set.engine.create(new)
    with pytest.raises(FileTooLarge):
        new.append_chunk(b"x" * 21)
    new.append_chunk(b"whole")
    assert (new.offset, new.length) == (5, 5)
    age(app, new.upload_id)
    with pytest.raises(UploadExpired):
        new.append_chunk(b"x")
    new.delete()
    protocol.completed(b"data")
    with pytest.raises(AlreadyComplete):
        the_upload(app).append_chunk(b"x")


def test_append_chunk_never_stores_bytes_that_no_record_knows(
    app: Flask, protocol: Protocol
) -> None:
    protocol.chunk(b"one ", 0, 13)
    with pytest.raises(ValueError, match="the offset is saved with the bytes"):
        the_upload(app).append_chunk(b"two", save=False)
    with pytest.raises(ValueError, match="pass chunk_size="):
        the_upload(app).append_chunk(Unsized())


class Unsized:
    def read(self, size: int = -1) -> bytes:
        return b""


# file


def test_file_and_get_uploaded_file_read_the_completed_file(app: Flask, protocol: Protocol) -> None:
    protocol.completed(b"some data", filename="a.txt")
    upload = the_upload(app)
    assert upload.file
    assert (upload.file.size, upload.file.read()) == (9, b"some data")
    assert list(upload.file.chunks(4)) == [b"some", b" dat", b"a"]
    assert upload.file.path.endswith(upload.file.name)
    with app.test_request_context():
        url = upload.file.url
    with protocol.client.get(url) as download:
        assert download.data == b"some data"
    with pytest.raises(ValueError, match="only read"):
        upload.file.open("wb")
    with closing(upload.get_uploaded_file()) as file:
        assert (file.name, file.size, file.content_type) == ("a.txt", 9, "text/plain")
        assert (file.read(), file.path) == (b"some data", upload.file.path)
        assert (list(file.chunks(5)), file.multiple_chunks(5)) == ([b"some ", b"data"], True)
        assert not file.multiple_chunks()


def test_on_completion_gets_a_file_like_djangos(make_app: MakeApp) -> None:
    seen: list[Any] = []

    class CompleteView(ChunkedUploadCompleteView):
        def on_completion(self, uploaded_file: Any, request: Any) -> None:
            seen.extend((uploaded_file.name, uploaded_file.content_type, uploaded_file.size))
            seen.extend((uploaded_file.multiple_chunks(), list(uploaded_file.chunks())))

    app = make_app()
    ChunkedUpload(app, complete_view=CompleteView)
    create_tables(app)
    Protocol(app.test_client()).completed(b"data", filename="a.png")
    assert seen == ["a.png", "image/png", 4, False, [b"data"]]


def test_an_unfinished_upload_has_no_file_yet(app: Flask, protocol: Protocol) -> None:
    protocol.upload(b"data")
    upload = the_upload(app)
    assert not upload.file
    for read in (upload.file.open, upload.get_uploaded_file, lambda: upload.file.path):
        with pytest.raises(ValueError, match="is not complete, it has no file yet"):
            read()


# modules


def test_the_original_modules_are_importable() -> None:
    from chunked_upload import constants, exceptions, models, views

    assert models.AbstractChunkedUpload is chunked_upload.AbstractChunkedUpload
    assert issubclass(models.AbstractChunkedUpload, chunked_upload.ChunkedUploadMixin)
    assert exceptions.ChunkedUploadError is ChunkedUploadError
    assert views.ChunkedUploadView is chunked_upload.ChunkedUploadView
    assert views.ChunkedUploadCompleteView is chunked_upload.ChunkedUploadCompleteView
    assert (constants.UPLOADING, constants.COMPLETE) == (1, 2)
    assert dict(constants.CHUNKED_UPLOAD_CHOICES) == {1: "Uploading", 2: "Complete"}
    assert constants.http_status.HTTP_410_GONE == 410


def test_the_original_built_in_model_is_refused_with_what_to_write() -> None:
    with pytest.raises(ImportError, match=r"use uploads\.model, or derive your own"):
        from chunked_upload.models import ChunkedUpload  # noqa: F401
