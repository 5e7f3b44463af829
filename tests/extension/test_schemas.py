"""An app's own schemas: fields that it adds to requests are checked, those of answers appear."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from marshmallow import fields, validate
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.datastructures import FileStorage

from chunked_upload import (
    ALL,
    ChunkedUpload,
    ChunkedUploadMixin,
    ChunkedUploadView,
    ConfigurationError,
    UploadSet,
    configure_uploads,
)
from chunked_upload.http.set_schemas import BoundSchemas
from chunked_upload.schemas import (
    ChunkReplySchema,
    ChunkSchema,
    CompleteSchema,
    ErrorSchema,
    ListSchema,
    PageSchema,
    Schemas,
    UploadSchema,
)
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.support.protocol import Protocol, md5_of, nothing_left

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]


class TitledChunk(ChunkSchema):
    title = fields.String(validate=validate.Length(max=5), load_default="untitled")


class TitledReply(ChunkReplySchema):
    title = fields.String()


class TitledUpload(UploadSchema):
    title = fields.String()
    size = fields.Integer(attribute="length", dump_only=True)


class SignedComplete(CompleteSchema):
    signed_by = fields.String(required=True)


class ShortList(ListSchema):
    per_page = fields.Integer(load_default=1, validate=validate.Range(1, 2))


class View(ChunkedUploadView):
    def pre_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
        chunked_upload.title = self.chunk_fields["title"]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app()
    db = SQLAlchemy(app)

    class Upload(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        title: Mapped[str | None] = mapped_column(String(20))

    ChunkedUpload(
        app,
        model=Upload,
        upload_view=View,
        schemas=Schemas(
            chunk=TitledChunk,
            chunk_reply=TitledReply,
            upload=TitledUpload,
            complete=SignedComplete,
            list_query=ShortList,
        ),
    )
    create_tables(app)
    return app


@pytest.mark.both_databases
def test_a_field_added_to_answers_appears_in_each(app: Flask) -> None:
    protocol = Protocol(app.test_client())
    chunk = answer(protocol.chunk(b"data", title="Sea"))
    assert chunk["title"] == "Sea"
    form = {"upload_id": chunk["upload_id"], "md5": md5_of(b"data"), "signed_by": "ada"}
    done = answer(protocol.client.post("/uploads/complete", data=form))
    assert (done["title"], done["size"], done["status"]) == ("Sea", 4, 2)
    assert answer(protocol.state(chunk["upload_id"])) == done
    [listed] = answer(protocol.client.get("/uploads/"))["uploads"]
    assert (listed["title"], listed["size"]) == ("Sea", 4)
    form_answer = protocol.client.post("/uploads/form", data={"file": (io.BytesIO(b"x"), "a.txt")})
    assert answer(form_answer)["uploads"][0]["title"] == "untitled"


@pytest.mark.parametrize("path", ["/uploads/", "/uploads/form"])
def test_a_field_added_to_chunks_is_checked_before_a_byte_is_stored(app: Flask, path: str) -> None:
    data = {"title": "too long", "file": (io.BytesIO(b"data"), "a.txt")}
    response = app.test_client().post(path, data=data)
    assert refusal(response) == (400, "title: Longer than maximum length 5.")
    assert nothing_left(app)


def test_its_default_holds_for_files_that_a_view_of_the_app_saves(
    make_app: MakeApp, tmp_path: Path
) -> None:
    seen = []

    class SeenView(ChunkedUploadView):
        def pre_save(self, chunked_upload: Any, request: Any, new: bool = False) -> None:
            seen.append(self.chunk_fields["title"])

    app = make_app()
    schemas, place = Schemas(chunk=TitledChunk), str(tmp_path / "saved")
    saved = UploadSet("files", ALL, lambda app: place, upload_view=SeenView, schemas=schemas)
    configure_uploads(app, saved)
    create_tables(app)
    with app.test_request_context():
        assert saved.save(FileStorage(io.BytesIO(b"data"), "a.txt")) == "a.txt"
    assert set(seen) == {"untitled"}


def test_one_added_to_completions_is_checked(app: Flask) -> None:
    protocol = Protocol(app.test_client())
    upload_id = protocol.upload(b"data")
    unsigned = protocol.complete(upload_id, b"data")
    assert refusal(unsigned) == (400, "signed_by: Missing data for required field.")
    assert answer(protocol.state(upload_id))["status"] == 1
    both = "Both 'upload_id' and 'md5' are required"
    assert refusal(protocol.client.post("/uploads/complete", json={"md5": 1})) == (400, both)


@pytest.mark.both_databases
def test_one_changed_in_the_lists_query_holds(app: Flask) -> None:
    protocol = Protocol(app.test_client())
    for name in ("a", "b"):
        protocol.upload(b"data", filename=name)
    assert len(answer(protocol.client.get("/uploads/"))["uploads"]) == 1
    assert "per_page: " in refusal(protocol.client.get("/uploads/?per_page=3"))[1]


@pytest.mark.parametrize("wrong", [ChunkSchema, UploadSchema(), "UploadSchema", None])
def test_a_schema_of_another_kind_is_refused_at_the_start(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"upload=.*derives from .*\.UploadSchema"):
        Schemas(upload=wrong)


def test_the_schemas_name_every_field_of_the_answers(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    create_tables(app)
    protocol = Protocol(app.test_client())
    protocol.completed(b"data")
    page = answer(protocol.client.get("/uploads/"))
    assert page.keys() == PageSchema().fields.keys()
    assert page["uploads"][0].keys() == UploadSchema().fields.keys() - {"metadata"}
    chunk = answer(protocol.chunk(b"data"))
    assert chunk.keys() == ChunkReplySchema().fields.keys()
    mismatch = protocol.chunk(b"ta", 2, 4, upload_id=chunk["upload_id"]).get_json()
    assert mismatch.keys() == {"detail", "error", "offset"}
    assert mismatch.keys() <= ErrorSchema().fields.keys()


@pytest.mark.parametrize("fields", [{}, {"upload_id": " x "}, {"upload_id": "", "other": "y"}])
def test_chunks_without_schemas_of_the_apps_own_are_read_as_the_schema_says(
    fields: dict[str, str],
) -> None:
    """They are read and answered without marshmallow, which would cost a small chunk its speed."""
    bound = BoundSchemas(Schemas(), None)
    assert bound.load_chunk(fields) == ChunkSchema().load(fields)
    upload = SimpleNamespace(upload_id="f" * 32, offset=5, expires_on=datetime.now(UTC), more="z")
    assert bound.dump_chunk_reply(upload) == ChunkReplySchema().dump(upload)
