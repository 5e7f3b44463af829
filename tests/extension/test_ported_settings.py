"""The settings of django-chunked-upload: names, defaults, effects."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect
from sqlalchemy.orm import Mapped, mapped_column

from chunked_upload import ChunkedUpload, ChunkedUploadMixin, LocalStorage
from chunked_upload.settings.keys import Settings
from chunked_upload.storage import StoredUpload
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.support.protocol import Protocol, files, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]


class ShelfStorage(LocalStorage):
    """A storage of the app's own, which puts a shelf before every key."""

    def promote(self, upload: StoredUpload, directory: str) -> str:
        return super().promote(upload, f"shelf/{directory}")


def serve(app: Flask, **settings: Any) -> Protocol:
    ChunkedUpload(app, **settings)
    create_tables(app)
    return Protocol(app.test_client())


def test_the_defaults_are_those_of_the_original() -> None:
    settings = Settings()
    assert settings.expiration_delta == timedelta(days=1)
    assert settings.path == "chunked_uploads/%Y/%m/%d"
    assert settings.storage_class is None
    assert settings.abstract_model is True
    assert settings.encoder is None
    assert settings.content_type == "application/json"
    assert settings.mimetype is None
    assert settings.max_bytes is None


def test_expiration_delta_is_counted_from_the_last_chunk(make_app: MakeApp, tmp_path: Path) -> None:
    """The app is set up again, with another setting, between the two."""
    first, later = (
        serve(make_app(CHUNKED_UPLOAD_ROOT=tmp_path), expiration_delta=timedelta(hours=hours))
        for hours in (1, 5)
    )
    upload_id = answer(first.chunk(b"a", 0, 3))["upload_id"]
    second = answer(later.chunk(b"b", 1, 3, upload_id=upload_id))
    left = datetime.fromisoformat(second["expires"]) - datetime.now(UTC)
    assert timedelta(hours=4, minutes=55) < left <= timedelta(hours=5)


def test_an_upload_past_its_time_is_gone(make_app: MakeApp) -> None:
    protocol = serve(make_app(CHUNKED_UPLOAD_EXPIRATION_DELTA=timedelta(0)))
    upload_id = answer(protocol.chunk(b"a", 0, 3))["upload_id"]
    expired = (410, "Upload has expired")
    assert refusal(protocol.chunk(b"b", 1, 3, upload_id=upload_id)) == expired
    assert refusal(protocol.state(upload_id)) == expired
    assert refusal(protocol.complete(upload_id, b"abc")) == expired


def test_path_is_a_pattern_of_the_day_on_which_the_upload_began(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_PATH="files/%Y-%m/%d")
    serve(app).completed(b"data", filename="a.txt")
    [record] = records(app)
    assert files(app) == [record.created_on.strftime("files/%Y-%m/%d/a.txt")]


def test_path_may_be_the_root_itself(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_PATH="")
    protocol = serve(app)
    upload_id = protocol.completed(b"data", filename="a.txt")
    assert files(app) == ["a.txt"]
    assert protocol.client.delete(f"/uploads/{upload_id}").status_code == 204
    assert files(app) == []


@pytest.mark.parametrize(
    "storage_class", [ShelfStorage, f"{__name__}.ShelfStorage"], ids=["class", "dotted name"]
)
def test_storage_class_is_a_class_or_its_dotted_name(make_app: MakeApp, storage_class: Any) -> None:
    app = make_app(CHUNKED_UPLOAD_STORAGE_CLASS=storage_class)
    protocol = serve(app)
    upload_id = protocol.completed(b"data", filename="a.txt")
    [name] = files(app)
    assert name.startswith("shelf/chunked_uploads/")
    with protocol.client.get(f"/uploads/{upload_id}/file") as download:
        assert download.data == b"data"


@pytest.mark.parametrize(
    ("config", "built_in_table"),
    [({}, False), ({"CHUNKED_UPLOAD_ABSTRACT_MODEL": False}, True)],
    ids=["abstract", "not abstract"],
)
def test_abstract_model_leaves_out_the_built_in_table_beside_an_own_model(
    make_app: MakeApp, config: dict[str, Any], built_in_table: bool
) -> None:
    app = make_app(**config)
    db = SQLAlchemy(app)

    class Document(ChunkedUploadMixin, db.Model):  # type: ignore[name-defined,misc]
        title: Mapped[str | None] = mapped_column()

    protocol = serve(app, model=Document)
    assert protocol.completed(b"data")
    with app.app_context():
        assert inspect(db.engine).has_table("chunked_upload") is built_in_table
        assert inspect(db.engine).has_table("document")


def test_encoder_writes_every_answer(make_app: MakeApp) -> None:
    def encoder(content: Any) -> str:
        return json.dumps({"wrapped": content}, default=str)

    protocol = serve(make_app(CHUNKED_UPLOAD_ENCODER=encoder))
    taken = answer(protocol.chunk(b"data"))
    assert taken["wrapped"]["offset"] == 4
    refused = protocol.chunk(b"data", 3, 9)
    assert refused.get_json()["wrapped"]["detail"] == "Offsets do not match"


def test_content_type_is_that_of_every_json_answer(make_app: MakeApp) -> None:
    protocol = serve(make_app(CHUNKED_UPLOAD_CONTENT_TYPE="application/vnd.app+json"))
    assert protocol.chunk(b"data").content_type == "application/vnd.app+json"
    assert protocol.chunk(b"data", 3, 9).content_type == "application/vnd.app+json"


def test_mimetype_is_the_deprecated_name_of_content_type(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_MIMETYPE="text/plain")
    with pytest.warns(DeprecationWarning, match="set CHUNKED_UPLOAD_CONTENT_TYPE instead"):
        protocol = serve(app)
    assert protocol.chunk(b"data").content_type == "text/plain"


@pytest.mark.parametrize("size", [3, lambda request: 3], ids=["number", "function"])
def test_max_bytes_limits_what_is_declared_and_what_arrives(make_app: MakeApp, size: Any) -> None:
    app = make_app(CHUNKED_UPLOAD_MAX_BYTES=size)
    protocol = serve(app)
    too_large = (400, "Size of file exceeds the limit (3 bytes)")
    assert refusal(protocol.chunk(b"ab", 0, 4)) == too_large
    assert refusal(protocol.chunk(b"abcd")) == too_large
    assert records(app) == []
    assert files(app) == []
    assert protocol.chunk(b"abc").status_code == 200


def test_a_function_for_max_bytes_gets_the_request(make_app: MakeApp) -> None:
    def limit(request: Request) -> int | None:
        return None if request.headers.get("X-Plan") == "paid" else 3

    protocol = serve(make_app(), max_bytes=limit)
    assert protocol.chunk(b"four").status_code == 400
    assert protocol.chunk(b"four", headers={"X-Plan": "paid"}).status_code == 200


def test_the_keyword_of_an_upload_set_wins_over_the_apps_setting(make_app: MakeApp) -> None:
    protocol = serve(make_app(CHUNKED_UPLOAD_MAX_BYTES=3), max_bytes=4)
    assert protocol.chunk(b"four").status_code == 200


def test_the_root_is_where_the_setting_says(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(CHUNKED_UPLOAD_ROOT=str(tmp_path / "elsewhere"))
    serve(app).completed(b"data", filename="a.txt")
    assert [path.name for path in (tmp_path / "elsewhere").rglob("a.txt")] == ["a.txt"]
