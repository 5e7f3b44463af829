"""Upload sets by configuration alone, and clients that choose one by a form field."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ConfigurationError, UploadSet, configure_uploads
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.http.forms import BOUNDARY, field, file, form
from tests.support.protocol import Protocol, files, md5_of, records

MakeApp = Callable[..., Flask]

pytestmark = pytest.mark.one_database

SETS: dict[str, Any] = {
    "photos": {"allowed_extensions": ["jpg"], "max_bytes": 10},
    "docs": {"denied_extensions": "exe", "max_bytes": "1K"},
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return serve(make_app(CHUNKED_UPLOAD_SETS=SETS, CHUNKED_UPLOAD_SET_FIELD="set"))


def serve(app: Flask) -> Flask:
    ChunkedUpload(app)
    create_tables(app)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


# By configuration alone


def test_each_set_has_its_url_rules_and_place(app: Flask, client: FlaskClient) -> None:
    photos, docs = Protocol(client, "/uploads/photos"), Protocol(client, "/uploads/docs")
    photos.completed(b"data", filename="a.jpg")
    docs.completed(b"data" * 10, filename="a.jpg")
    assert files(app) == ["docs/a.jpg", "photos/a.jpg"]
    assert refusal(photos.chunk(b"x" * 11, filename="a.jpg"))[1].endswith("limit (10 bytes)")
    assert refusal(photos.chunk(b"x", filename="a.txt"))[0] == 415
    assert refusal(docs.chunk(b"x", filename="a.exe"))[0] == 415
    assert answer(Protocol(client).chunk(b"x" * 2000, filename="a.exe"))


def test_they_are_reached_by_their_names(app: Flask) -> None:
    with app.app_context():
        sets = ChunkedUpload().sets
        assert sorted(sets) == ["chunked_upload", "docs", "photos"]
        assert isinstance(sets["photos"], UploadSet)
        assert sets["photos"].file_allowed(None, "a.jpg")


def test_as_text_they_are_json(make_app: MakeApp) -> None:
    app = serve(make_app(CHUNKED_UPLOAD_SETS=json.dumps(SETS)))
    assert Protocol(app.test_client(), "/uploads/docs").completed(b"data", filename="a.txt")


def test_each_has_its_hooks_by_function_or_dotted_name(make_app: MakeApp, tmp_path: Path) -> None:
    seen: list[str] = []
    sets = {
        "a": {"on_completion": lambda file, request: seen.append(file.path)},
        "b": {"validate": "tests.extension.test_configured_sets.nothing_today"},
    }
    app = serve(make_app(CHUNKED_UPLOAD_SETS=sets, CHUNKED_UPLOAD_ROOT=str(tmp_path / "root")))
    Protocol(app.test_client(), "/uploads/a").completed(b"data", filename="a.txt")
    assert seen == [str(tmp_path / "root" / "a" / "a.txt")]
    chunk = Protocol(app.test_client(), "/uploads/b").chunk(b"data")
    assert refusal(chunk) == (403, "Nothing today")


def nothing_today(request: Any) -> Any:
    return "Nothing today", 403


def test_callers_are_those_of_the_app(make_app: MakeApp) -> None:
    """Or a set that the configuration adds would let in everybody."""
    app = make_app(CHUNKED_UPLOAD_SETS=SETS)
    uploads = ChunkedUpload(app)
    uploads.user_loader(lambda request: request.headers.get("X-User"))
    create_tables(app)
    photos = Protocol(app.test_client(), "/uploads/photos")
    assert refusal(photos.chunk(b"data", filename="a.jpg"))[0] == 403
    assert answer(photos.chunk(b"data", filename="a.jpg", headers={"X-User": "ada"}))
    assert records(app)[0].owner == "ada"


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("photos", "CHUNKED_UPLOAD_SETS='photos': expected a JSON object"),
        (["photos"], "expected a dict of names and values"),
        ({"my photos": {}}, "must have names of letters and digits"),
        ({"photos": ["jpg"]}, "must have the settings of each set as a dict"),
        ({"photos": {"max_byte": 1}}, r"SETS\['photos'\]: max_byte .* did you mean max_bytes"),
        ({"photos": {"max_bytes": "much"}}, r"SETS\['photos'\]: .*MAX_BYTES"),
        ({"photos": {"allowed_extensions": "IMAGES"}}, "'IMAGES' is the name of a preset"),
        ({"photos": {"on_completion": "no.such"}}, "on_completion='no.such' cannot be imported"),
        ({"photos": {"name": "pictures"}}, r"SETS\['photos'\]: name is not a setting; write an Up"),
        ({"photos": {"model": "app.Photo"}}, "model is not a setting"),
        ({"photos": {"default_dest": "/x"}}, "default_dest is not a setting"),
        ({"complete": {}}, "'/uploads/complete' of upload set 'complete' is also that of"),
        ({"shared": {}}, "'/uploads/shared' of upload set 'shared' is also that of"),
        ({"static": {}}, "'/uploads/static' of upload set 'static' is also that of"),
        ({"a": {"root": "/tmp/x"}, "b": {"root": "/tmp/./x"}}, "'a' and 'b' have the same place"),
        ({"a": {"url_prefix": "/x"}, "b": {"url_prefix": "/x"}}, "have the same URL prefix '/x'"),
    ],
)
def test_sets_that_cannot_work_are_refused_at_the_start(
    make_app: MakeApp, sets: Any, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ChunkedUpload(make_app(CHUNKED_UPLOAD_SETS=sets))


def test_a_set_of_the_code_and_one_of_the_config_have_two_names(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(CHUNKED_UPLOAD_SETS=SETS, UPLOADS_DEFAULT_DEST=str(tmp_path))
    configure_uploads(app, UploadSet("photos"))
    with pytest.raises(ConfigurationError, match="already has an upload set named 'photos'"):
        ChunkedUpload(app)


# Chosen by a field


def test_a_field_before_the_file_chooses_the_set(app: Flask, client: FlaskClient) -> None:
    protocol = Protocol(client)
    upload_id = protocol.chunk(b"hel", 0, 5, filename="a.jpg", set="photos").get_json()["upload_id"]
    again = protocol.chunk(b"lo", 3, 5, upload_id=upload_id, filename="a.jpg", set="photos")
    assert answer(again)["offset"] == 5
    done = client.post(
        "/uploads/complete", data={"set": "photos", "upload_id": upload_id, "md5": md5_of(b"hello")}
    )
    assert answer(done)["url"] == f"/uploads/photos/{upload_id}/file"
    assert answer(done)["metadata"] == {}
    assert files(app) == ["photos/a.jpg"]


def test_a_parameter_of_the_query_does_too(app: Flask, client: FlaskClient) -> None:
    sent = client.post("/uploads/?set=docs&filename=a.txt", data=b"hello", content_type="a/b")
    upload_id = answer(sent)["upload_id"]
    assert answer(client.get(f"/uploads/{upload_id}?set=docs"))["offset"] == 5
    assert client.get(f"/uploads/{upload_id}").status_code == 404
    body = {"upload_id": upload_id, "md5": md5_of(b"hello")}
    assert answer(client.post("/uploads/complete?set=docs", json=body))["status"] == 2
    assert client.delete(f"/uploads/{upload_id}?set=docs").status_code == 204
    assert files(app) == []


def test_a_plain_form_may_choose(app: Flask, client: FlaskClient) -> None:
    data = {"set": "photos", "file": (io.BytesIO(b"data"), "a.jpg")}
    assert answer(client.post("/uploads/form", data=data))["uploads"][0]["filename"] == "a.jpg"
    assert files(app) == ["photos/a.jpg"]


def test_the_chosen_sets_rules_hold(app: Flask, client: FlaskClient) -> None:
    protocol = Protocol(client)
    assert refusal(protocol.chunk(b"x" * 11, filename="a.jpg", set="photos"))[0] == 400
    assert refusal(protocol.chunk(b"x", filename="a.txt", set="photos"))[0] == 415
    data = {"set": "photos", "file": (io.BytesIO(b"data"), "a.txt")}
    assert client.post("/uploads/form", data=data).status_code == 415
    assert records(app) == []
    assert files(app) == []


def test_a_set_that_does_not_exist_is_refused_with_those_that_do(
    app: Flask, client: FlaskClient
) -> None:
    said = (400, "There is no upload set 'videos'; choose one of: chunked_upload, docs, photos")
    assert refusal(Protocol(client).chunk(b"data", set="videos")) == said
    assert refusal(client.post("/uploads/?set=videos&filename=a", data=b"x")) == said
    body = {"set": "videos", "upload_id": "a" * 32, "md5": "b"}
    assert refusal(client.post("/uploads/complete", json=body)) == said
    data = {"set": "videos", "file": (io.BytesIO(b"data"), "a.txt")}
    assert refusal(client.post("/uploads/form", data=data)) == said
    assert records(app) == []
    assert files(app) == []


def test_a_choice_after_the_file_is_refused(app: Flask, client: FlaskClient) -> None:
    """Its bytes would already lie in another set."""
    body = form(file(b"data", "a.jpg"), field("set", "photos"))
    sent = client.post(
        "/uploads/", data=body, content_type=f"multipart/form-data; boundary={BOUNDARY}"
    )
    assert refusal(sent) == (400, "'set' must come before the file")
    assert records(app) == []
    assert files(app) == []


@pytest.mark.parametrize("name", ["upload_id", "md5", "file", "dzuuid"])
def test_a_field_that_means_something_else_is_refused_at_the_start(
    make_app: MakeApp, name: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"CHUNKED_UPLOAD_SET_FIELD is '{name}'"):
        serve(make_app(CHUNKED_UPLOAD_SETS=SETS, CHUNKED_UPLOAD_SET_FIELD=name))


def test_where_the_app_does_not_allow_it_the_field_is_metadata(make_app: MakeApp) -> None:
    app = serve(make_app(CHUNKED_UPLOAD_SETS=SETS))
    protocol = Protocol(app.test_client())
    upload_id = protocol.upload(b"data", set="photos")
    assert answer(protocol.state(upload_id))["metadata"] == {"set": "photos"}


def test_where_the_app_does_not_allow_it_a_field_without_a_name_chooses_none(
    make_app: MakeApp,
) -> None:
    client = serve(make_app(CHUNKED_UPLOAD_SETS=SETS)).test_client()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    for path in ("/uploads/", "/uploads/form"):
        for value in ("photos", "none"):
            body = form(field("", value), file(b"data", "a.exe"))
            response = client.post(path, data=body, content_type=kind)
            assert response.status_code in (200, 201), response.text


def test_each_set_has_its_quota(make_app: MakeApp) -> None:
    """What an owner has open in one set takes no room in another."""
    sets = {"a": {"max_open_uploads": 1}, "b": {"max_open_bytes": 100}}
    client = serve(make_app(CHUNKED_UPLOAD_SETS=sets)).test_client()
    default, a, b = (Protocol(client, f"/uploads{path}") for path in ("", "/a", "/b"))
    for _ in range(3):
        assert default.chunk(b"x" * 90).status_code == 200
    assert a.chunk(b"x" * 90).status_code == 200
    assert refusal(a.chunk(b"x"))[0] == 413
    assert b.chunk(b"x" * 60, 0, 60).status_code == 200
    assert refusal(b.chunk(b"x" * 60, 0, 60))[0] == 413
