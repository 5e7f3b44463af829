"""Putting the service into apps: once, several times, by a factory, on the app's own database."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, url_for
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect

from chunked_upload import (
    ChunkedUpload,
    ChunkedUploadCompleteView,
    ChunkedUploadView,
    ConfigurationError,
    UploadedFile,
)
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.support.protocol import Protocol, records

pytestmark = pytest.mark.one_database

MakeApp = Callable[..., Flask]


def test_init_app_serves_as_the_constructor_does(make_app: MakeApp) -> None:
    app = make_app()
    uploads = ChunkedUpload()
    uploads.init_app(app)
    create_tables(app)
    assert Protocol(app.test_client()).completed(b"data")


def test_a_factory_may_create_the_database_first_or_last(make_app: MakeApp) -> None:
    for database_first in (True, False):
        db = SQLAlchemy()
        uploads = ChunkedUpload(db=db)
        app = make_app()
        for extension in (db, uploads) if database_first else (uploads, db):
            extension.init_app(app)
        create_tables(app)
        assert Protocol(app.test_client()).completed(b"data")


def test_one_object_serves_two_apps_apart(make_app: MakeApp, tmp_path: Path) -> None:
    uploads = ChunkedUpload()
    apps = [make_app(), make_app()]
    apps[1].config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'other.db'}"
    apps[1].config["CHUNKED_UPLOAD_URL_PREFIX"] = "/files"
    for app in apps:
        uploads.init_app(app)
        create_tables(app)
    first, second = Protocol(apps[0].test_client()), Protocol(apps[1].test_client(), "/files")

    upload_id = first.upload(b"data")

    assert refusal(second.state(upload_id)) == (404, "Upload not found")
    assert len(records(apps[0])) == 1
    assert records(apps[1]) == []
    for app in apps:
        with app.app_context():
            assert uploads.upload_set.app is app
            assert uploads.db is app.extensions["sqlalchemy"]
            assert uploads.engine.records.model is uploads.model


def test_two_apps_in_one_process_have_their_own_settings(make_app: MakeApp) -> None:
    small, large = make_app(CHUNKED_UPLOAD_MAX_BYTES=3), make_app()
    for app in (small, large):
        ChunkedUpload(app)
        create_tables(app)
    assert refusal(Protocol(small.test_client()).chunk(b"four")) == (
        400,
        "Size of file exceeds the limit (3 bytes)",
    )
    assert Protocol(large.test_client()).chunk(b"four").status_code == 200


def test_settings_are_read_once_when_the_app_is_set_up(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_MAX_BYTES=4)
    ChunkedUpload(app)
    create_tables(app)
    for later in (3, 0, None):  # the second would be refused at the start
        app.config["CHUNKED_UPLOAD_MAX_BYTES"] = later
        protocol = Protocol(app.test_client())
        assert protocol.chunk(b"four").status_code == 200
        assert refusal(protocol.chunk(b"fives")) == (
            400,
            "Size of file exceeds the limit (4 bytes)",
        )


def test_several_upload_sets_may_differ_by_setting(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_CORS_ORIGINS="https://a.example")
    ChunkedUpload(app)
    ChunkedUpload(app, name="other", url_prefix="/other", cors_origins="https://b.example")
    create_tables(app)
    headers = {"Origin": "https://a.example"}
    answers = [
        app.test_client().post(f"/{prefix}/", data=b"1", headers=headers)
        for prefix in ("uploads", "other")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    shared = [answer.access_control_allow_origin for answer in answers]
    assert shared == ["https://a.example", None]


def test_every_endpoint_has_a_url(app: Flask) -> None:
    with app.test_request_context():
        assert url_for("chunked_upload.uploads") == "/uploads/"
        assert url_for("chunked_upload.complete") == "/uploads/complete"
        assert url_for("chunked_upload.upload", upload_id="x") == "/uploads/x"
        assert url_for("chunked_upload.file", upload_id="x") == "/uploads/x/file"


def test_the_app_chooses_the_url_prefix_by_setting_or_keyword(make_app: MakeApp) -> None:
    by_setting = make_app(CHUNKED_UPLOAD_URL_PREFIX="/api/v1/files")
    ChunkedUpload(by_setting)
    by_keyword = make_app(CHUNKED_UPLOAD_URL_PREFIX="/ignored")
    ChunkedUpload(by_keyword, url_prefix="/api/v1/files")
    for app in (by_setting, by_keyword):
        create_tables(app)
        protocol = Protocol(app.test_client(), "/api/v1/files")
        upload_id = protocol.completed(b"data")
        assert answer(protocol.state(upload_id))["url"] == f"/api/v1/files/{upload_id}/file"


def test_an_app_below_a_prefix_gives_urls_with_it(app: Flask) -> None:
    client = app.test_client()
    upload_id = Protocol(client).completed(b"data")
    state = client.get(f"/uploads/{upload_id}", environ_overrides={"SCRIPT_NAME": "/shop"})
    assert answer(state)["url"] == f"/shop/uploads/{upload_id}/file"


# Several upload sets in one app


@pytest.fixture
def two_upload_sets(make_app: MakeApp) -> Flask:
    """Two upload sets that differ in field name, limit, hooks and views."""
    app = make_app()
    app.config["DONE"] = []
    photos = ChunkedUpload(
        app, name="photos", url_prefix="/photos", field_name="photo", max_bytes=10
    )
    videos = ChunkedUpload(
        app,
        name="videos",
        url_prefix="/videos",
        field_name=("video", "clip"),
        upload_view=EchoView,
        complete_view=EchoCompleteView,
    )

    @photos.on_completion
    def photo_done(file: UploadedFile, request: Any) -> None:
        app.config["DONE"].append(("photo", file.filename))

    @videos.on_completion
    def video_done(file: UploadedFile, request: Any) -> None:
        app.config["DONE"].append(("video", file.filename))

    create_tables(app)
    return app


class EchoView(ChunkedUploadView):
    def get_response_data(self, chunked_upload: Any, request: Any) -> dict[str, Any]:
        return {"upload_set": "videos"} | super().get_response_data(chunked_upload, request)


class EchoCompleteView(ChunkedUploadCompleteView):
    do_md5_check = False


def test_each_upload_set_has_its_own_field_name_limit_hooks_and_views(
    two_upload_sets: Flask,
) -> None:
    client = two_upload_sets.test_client()
    photos, videos = Protocol(client, "/photos"), Protocol(client, "/videos")

    assert refusal(photos.chunk(b"x", field="video")) == (400, "No chunk file was submitted")
    assert refusal(videos.chunk(b"x", field="photo")) == (400, "No chunk file was submitted")
    assert videos.chunk(b"x", field="clip").status_code == 200
    assert photos.chunk(b"x" * 11, field="photo").status_code == 400

    photo = answer(photos.chunk(b"x" * 10, field="photo", filename="a.jpg"))
    video = answer(videos.chunk(b"x" * 11, field="video", filename="b.mp4"))
    assert "upload_set" not in photo
    assert video["upload_set"] == "videos"

    assert refusal(photos.complete(photo["upload_id"], "")) == (
        400,
        "Both 'upload_id' and 'md5' are required",
    )
    assert photos.complete(photo["upload_id"], b"x" * 10).status_code == 200
    assert videos.complete(video["upload_id"], "").status_code == 200
    assert two_upload_sets.config["DONE"] == [("photo", "a.jpg"), ("video", "b.mp4")]
    with two_upload_sets.test_request_context():
        assert url_for("photos.file", upload_id="x") == "/photos/x/file"
        assert url_for("videos.file", upload_id="x") == "/videos/x/file"


@pytest.mark.both_databases
def test_an_upload_set_never_sees_anothers_uploads(two_upload_sets: Flask) -> None:
    client = two_upload_sets.test_client()
    photos, videos = Protocol(client, "/photos"), Protocol(client, "/videos")
    upload_id = answer(photos.chunk(b"hello ", 0, 10, field="photo"))["upload_id"]

    not_found = (404, "Upload not found")
    assert refusal(videos.state(upload_id)) == not_found
    later = videos.chunk(b"four", 6, 10, upload_id=upload_id, field="video")
    assert refusal(later) == not_found
    assert refusal(videos.put(upload_id, b"four", 6, 10)) == not_found
    assert refusal(videos.complete(upload_id, b"hello four")) == not_found
    assert refusal(client.delete(f"/videos/{upload_id}")) == not_found
    assert refusal(client.get(f"/videos/{upload_id}/file")) == not_found
    assert answer(client.get("/videos/"))["uploads"] == []
    assert answer(client.get("/videos/?file=file.bin")) == {"file": None}

    assert answer(photos.state(upload_id))["offset"] == 6
    assert len(answer(client.get("/photos/"))["uploads"]) == 1


def test_each_upload_set_may_know_its_callers_in_its_own_way(make_app: MakeApp) -> None:
    app = make_app()
    open_to_all = ChunkedUpload(app)
    members = ChunkedUpload(app, name="members", url_prefix="/members")
    members.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    client = app.test_client()
    assert Protocol(client).chunk(b"x").status_code == 200
    assert refusal(Protocol(client, "/members").chunk(b"x")) == (
        403,
        "Authentication credentials were not provided",
    )
    assert Protocol(client, "/members").chunk(b"x", headers={"X-User": "a"}).status_code == 200
    with app.app_context():
        assert not open_to_all.upload_set.login_required


def test_the_caller_is_asked_anew_for_every_request(make_app: MakeApp) -> None:
    """Also when the requests share an app context, as in many apps' own tests."""
    app = make_app()
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    with app.app_context():
        client = app.test_client()
        upload_id = answer(Protocol(client).chunk(b"x", headers={"X-User": "a"}))["upload_id"]
        as_b = client.get(f"/uploads/{upload_id}", headers={"X-User": "b"})
        assert refusal(as_b) == (404, "Upload not found")


def test_a_user_is_loaded_once_for_a_request(make_app: MakeApp) -> None:
    app = make_app()
    asked = []
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: asked.append(request) or "alice")  # type: ignore[func-returns-value]
    create_tables(app)
    assert Protocol(app.test_client()).chunk(b"x").status_code == 200
    assert len(asked) == 1


# What cannot work is found when the app starts


def test_two_upload_sets_cannot_have_one_name(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    with pytest.raises(ConfigurationError, match="give the second one another name="):
        ChunkedUpload(app, url_prefix="/more")


def test_two_upload_sets_cannot_have_one_url_prefix(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    with pytest.raises(ConfigurationError, match="the same URL prefix '/uploads'"):
        ChunkedUpload(app, name="more")


def test_an_upload_sets_name_is_one_that_records_can_hold(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app, name="n" * 64)
    create_tables(app)
    assert Protocol(app.test_client()).completed(b"data")
    with pytest.raises(ConfigurationError, match="is longer than 64 characters"):
        ChunkedUpload(app, name="n" * 65, url_prefix="/more")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_byte": 1}, r"max_byte is not a setting; did you mean max_bytes\?"),
        ({"max_bytes": -10}, "CHUNKED_UPLOAD_MAX_BYTES must be a positive number, not -10"),
        ({"url_prefix": "files/"}, "CHUNKED_UPLOAD_URL_PREFIX must begin with a slash"),
        ({"path": "/etc"}, "CHUNKED_UPLOAD_PATH must be a relative path"),
        ({"path": "../%Y"}, "CHUNKED_UPLOAD_PATH must be a relative path"),
        ({"expiration_delta": 3600.5}, "CHUNKED_UPLOAD_EXPIRATION_DELTA must be a timedelta"),
        (
            {"storage_class": "no.such.Storage"},
            "CHUNKED_UPLOAD_STORAGE_CLASS='no.such.Storage' cannot be",
        ),
        ({"storage_class": "builtins.dict"}, "must be a subclass of chunked_upload.Storage"),
        ({"storage_class": 5}, "must be a subclass"),
        ({"field_name": 5}, "CHUNKED_UPLOAD_FIELD_NAME must be a name or several names"),
        ({"tokens": {"alice": "secret"}}, "CHUNKED_UPLOAD_TOKENS must map names to SHA-256"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_the_start(
    make_app: MakeApp, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ChunkedUpload(make_app(), **settings)


def test_an_unknown_key_in_the_apps_config_is_refused(make_app: MakeApp) -> None:
    app = make_app(CHUNKED_UPLOAD_MAX_BYTE=10)
    message = r"CHUNKED_UPLOAD_MAX_BYTE is not a setting; did you mean CHUNKED_UPLOAD_MAX_BYTES\?"
    with pytest.raises(ConfigurationError, match=message):
        ChunkedUpload(app)


def test_an_app_without_the_upload_set_says_so(make_app: MakeApp) -> None:
    uploads = ChunkedUpload()
    with make_app().app_context(), pytest.raises(RuntimeError, match=r"call init_app\(app\) first"):
        uploads.engine  # noqa: B018


# The database


def test_an_app_that_is_no_longer_needed_goes_with_all_that_was_made_for_it(tmp_path: Path) -> None:
    uploads = ChunkedUpload()

    def make() -> list[weakref.ref[Any]]:
        app = Flask("tests", instance_path=str(tmp_path))
        app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
        uploads.init_app(app)
        with app.app_context():
            return [weakref.ref(app), weakref.ref(uploads.db), weakref.ref(uploads.model)]

    made = make()
    gc.collect()
    assert [reference() for reference in made] == [None, None, None]


@pytest.mark.both_databases
def test_the_apps_own_database_is_used(make_app: MakeApp) -> None:
    app = make_app()
    db = SQLAlchemy(app)
    uploads = ChunkedUpload(app)
    create_tables(app)
    with app.app_context():
        assert uploads.db is db
        assert inspect(db.engine).has_table("chunked_upload")


@pytest.mark.both_databases
def test_an_app_without_a_database_gets_one_in_its_instance_folder(tmp_path: Path) -> None:
    app = Flask("tests", instance_path=str(tmp_path / "instance"))
    uploads = ChunkedUpload(app)
    create_tables(app)
    assert Protocol(app.test_client()).upload(b"data")
    assert (tmp_path / "instance" / "chunked_upload.db").is_file()
    with app.app_context():
        uploads.db.engine.dispose()


def test_an_app_without_a_secret_key_still_takes_uploads(tmp_path: Path) -> None:
    app = Flask("tests", instance_path=str(tmp_path / "instance"))
    uploads = ChunkedUpload(app)
    create_tables(app)
    client = app.test_client()
    upload_id = Protocol(client).completed(b"data")
    assert answer(Protocol(client).state(upload_id))["status"] == 2
    assert answer(client.get("/uploads/"))["uploads"] == []  # nothing tells callers apart
    with app.app_context():
        uploads.db.engine.dispose()


def test_path_of_says_where_a_completed_file_lies(app: Flask, protocol: Protocol) -> None:
    uploads = ChunkedUpload()
    protocol.completed(b"done")
    protocol.upload(b"open")
    done, unfinished = records(app)
    with app.app_context():
        assert Path(uploads.path_of(done)).read_bytes() == b"done"
        with pytest.raises(ValueError, match="is not complete"):
            uploads.path_of(unfinished)
