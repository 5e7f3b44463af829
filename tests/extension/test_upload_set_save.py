"""An upload set's ``save()`` in an app's own view: names, rules, guarantees."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask_wtf import FlaskForm
from flask_wtf.file import FileAllowed, FileField
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from chunked_upload import (
    ALL,
    IMAGES,
    SCRIPTS,
    AllExcept,
    ChunkedUploadError,
    LocalStorage,
    SaveRefused,
    UploadNotAllowed,
    UploadSet,
    configure_uploads,
    upload_completed,
)
from chunked_upload.engine.engine import UploadEngine
from tests.conftest import create_tables
from tests.support.protocol import Protocol, md5_of, records

MakeApp = Callable[..., Flask]

pytestmark = pytest.mark.one_database


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def photos(place: Path) -> UploadSet:
    return UploadSet("photos", IMAGES, lambda app: str(place), max_bytes=1000)


@pytest.fixture
def app(make_app: MakeApp, photos: UploadSet) -> Flask:
    return serve(make_app(), photos)


def serve(app: Flask, upload_set: UploadSet) -> Flask:
    """Add the set, and a view that saves into it."""
    configure_uploads(app, upload_set)
    create_tables(app)

    @app.post("/save")
    def save() -> Any:
        return upload_set.save(request.files["photo"], **request.args.to_dict())

    return app


def post(app: Flask, data: bytes, filename: str, **arguments: str) -> TestResponse:
    form = {"photo": (io.BytesIO(data), filename)}
    return app.test_client().post("/save", data=form, query_string=arguments)


def a_file(name: str | None = "a.jpg", data: bytes = b"data") -> FileStorage:
    return FileStorage(io.BytesIO(data), filename=name)


def stored(place: Path) -> list[str]:
    """Return the files of a place, without those of unfinished uploads (there must be none)."""
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


# Names


@pytest.mark.parametrize(
    ("filename", "arguments", "name"),
    [
        ("a.jpg", {}, "a.jpg"),
        ("My Photo.JPG", {}, "My_Photo.jpg"),
        ("it's.jpg", {}, "its.jpg"),
        ("中文.png", {}, "中文.png"),
        ("été à Nice.PNG", {}, "été_à_Nice.png"),
        ("a.JPG", {"folder": "2026"}, "2026/a.jpg"),
        ("a.jpg", {"folder": "2026/11"}, "2026/11/a.jpg"),
        ("a.jpg", {"name": "photo.png"}, "photo.png"),
        ("a.JPG", {"name": "photo."}, "photo.jpg"),
        ("a.jpg", {"name": "dir/photo."}, "dir/photo.jpg"),
        ("a.jpg", {"name": "Photo 1.JPG", "folder": "x"}, "x/Photo_1.jpg"),
        ("..\\..\\a.jpg", {}, "a.jpg"),
    ],
)
def test_it_returns_the_files_name_in_the_set(
    app: Flask, place: Path, filename: str, arguments: dict[str, str], name: str
) -> None:
    answer = post(app, b"data", filename, **arguments)
    assert (answer.status_code, answer.text) == (200, name)
    assert (place / name).read_bytes() == b"data"
    assert stored(place) == [name]


def test_a_taken_name_gets_a_number(app: Flask, place: Path) -> None:
    names = [post(app, b"%d" % number, "a.jpg").text for number in range(3)]
    assert names == ["a.jpg", "a_1.jpg", "a_2.jpg"]
    assert [(place / name).read_bytes() for name in names] == [b"0", b"1", b"2"]


def test_ten_saves_of_one_name_at_once_are_ten_files(app: Flask, place: Path) -> None:
    """Flask-Uploads looks whether the name is free, and then writes: the last one wins there."""
    bodies = [b"%d" % number * 100 for number in range(10)]
    with ThreadPoolExecutor(10) as threads:
        names = list(threads.map(lambda body: post(app, body, "a.jpg", folder="x").text, bodies))
    assert len(set(names)) == 10
    assert [(place / name).read_bytes() for name in names] == bodies
    assert stored(place) == sorted(names)


def test_a_file_saved_and_one_uploaded_in_chunks_share_the_names(app: Flask, place: Path) -> None:
    Protocol(app.test_client(), "/uploads/photos").completed(b"chunks", filename="A b.JPG")
    assert post(app, b"saved", "A b.jpg").text == "A_b_1.jpg"
    assert (place / "A_b.jpg").read_bytes() == b"chunks"


def test_resolve_conflict_is_there_too(app: Flask, photos: UploadSet, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "a_1.jpg").touch()
    assert photos.resolve_conflict(str(place), "a.jpg") == "a_2.jpg"


# Rules


@pytest.mark.parametrize(
    ("filename", "arguments"),
    [
        ("a.txt", {}),
        ("a", {}),
        ("jpg", {}),
        ("a.jpg.exe", {}),
        ("a.jpg", {"name": "a.exe"}),
        ("a.jpg", {"name": "noext"}),
        ("a.jpg", {"name": "a.EXE"}),
        ("a.txt", {"name": "a.jpg"}),
        ("a.txt", {"name": "photo."}),
    ],
)
def test_another_type_is_refused_and_leaves_nothing(
    app: Flask, place: Path, filename: str, arguments: dict[str, str]
) -> None:
    answer = post(app, b"data", filename, **arguments)
    assert answer.status_code == 415
    assert "not" in answer.text
    assert records(app, "photos") == []
    assert stored(place) == []


@pytest.mark.parametrize("name", ["a.php", "a.PHP", "a.p'hp.php", "a.ｐｈｐ", "x.php "])
def test_no_spelling_passes_a_denied_extension_by(
    make_app: MakeApp, place: Path, name: str
) -> None:
    files = UploadSet("files", AllExcept(SCRIPTS), lambda app: str(place))
    app = serve(make_app(), files)
    with app.app_context():
        with pytest.raises(UploadNotAllowed):
            files.save(a_file(name))
        with pytest.raises(UploadNotAllowed):
            files.save(a_file("a.txt"), name=name)
    chunk = Protocol(app.test_client(), "/uploads/files").chunk(b"data", filename=name)
    assert chunk.status_code == 415
    assert stored(place) == []


def test_what_is_left_out_of_a_name_makes_no_other_extension(
    make_app: MakeApp, place: Path
) -> None:
    files = UploadSet("files", AllExcept(SCRIPTS), lambda app: str(place))
    app = serve(make_app(), files)
    with app.app_context():
        assert files.save(a_file("x.p'hp")) == "x.p_hp"
        assert files.save(a_file("x.txt"), name="z.php\u200d") == "z.php_"
    Protocol(app.test_client(), "/uploads/files").completed(b"data", filename="y.p'hp")
    assert stored(place) == ["x.p_hp", "y.p_hp", "z.php_"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"folder": "../x"}, "Path traversal"),
        ({"folder": "/etc"}, "Path traversal"),
        ({"name": "../../a.jpg"}, "Path traversal"),
        ({"name": "..\\a.jpg"}, "Path traversal"),
        ({"folder": "a//b"}, "Path traversal"),
        ({"name": "a/"}, "Path traversal"),
        ({"folder": "x/" * 600 + "x"}, "Invalid filename"),
        ({"folder": "...", "name": "a.jpg"}, "Invalid filename after sanitization"),
    ],
)
def test_no_folder_or_name_leaves_the_place(
    app: Flask, photos: UploadSet, place: Path, arguments: dict[str, str], said: str
) -> None:
    with app.app_context(), pytest.raises(ValueError, match=said):
        photos.save(a_file(), **arguments)
    answer = post(app, b"data", "a.jpg", **arguments)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert stored(place) == []


def test_a_file_is_no_folder(app: Flask, place: Path) -> None:
    assert post(app, b"data", "a.jpg").text == "a.jpg"
    answer = post(app, b"data", "b.jpg", folder="a.jpg/x")
    assert answer.status_code == 400
    assert "is a file, not a folder" in answer.text
    assert stored(place) == ["a.jpg"]
    assert len(records(app, "photos")) == 1


def test_wrong_values_are_refused_as_there(app: Flask, photos: UploadSet) -> None:
    storage: Any = b"data"
    with app.app_context():
        with pytest.raises(TypeError, match=r"storage must be a werkzeug\.FileStorage"):
            photos.save(storage)
        for name in (None, ""):
            with pytest.raises(ValueError, match="Filename must not be empty!"):
                photos.save(a_file(name))


def test_a_name_of_which_nothing_is_left_is_refused(make_app: MakeApp, place: Path) -> None:
    app = serve(make_app(), UploadSet("photos", ALL, lambda app: str(place)))
    answer = post(app, b"data", "...")
    assert (answer.status_code, "Invalid filename" in answer.text) == (400, True)


def test_a_function_of_the_record_may_say_where_files_go(make_app: MakeApp, place: Path) -> None:
    def by_content(upload: Any) -> str:
        return f"{upload.md5[:2]}/{upload.filename}"

    app = serve(make_app(), UploadSet("photos", ALL, lambda app: str(place), upload_to=by_content))
    assert post(app, b"data", "a.jpg").text == f"{md5_of(b'data')[:2]}/a.jpg"
    assert post(app, b"data", "a.jpg", folder="x").text == "x/a.jpg"


def test_an_app_may_look_at_more_than_the_name(make_app: MakeApp, place: Path) -> None:
    class RealImages(UploadSet):
        def file_allowed(self, storage: Any, basename: str) -> bool:
            if storage is None:  # in chunks
                return basename.endswith(".png")
            head = storage.stream.read(4)
            storage.stream.seek(0)
            return super().file_allowed(storage, basename) and head == b"\x89PNG"

    app = serve(make_app(), RealImages("photos", IMAGES, lambda app: str(place)))
    assert post(app, b"MZ...", "a.png").status_code == 415
    assert post(app, b"\x89PNG...", "a.png").text == "a.png"
    protocol = Protocol(app.test_client(), "/uploads/photos")
    assert protocol.chunk(b"GIF", filename="a.gif").status_code == 415
    assert protocol.completed(b"\x89PNG", filename="a.png")


# What an upload in chunks has, too


def test_a_saved_file_is_a_completed_upload(app: Flask, photos: UploadSet, place: Path) -> None:
    seen: list[Any] = []
    photos.on_completion(lambda file, request: seen.append((file.path, file.md5, file.read())))

    def note(app: Flask, upload: Any, upload_set: str) -> None:
        seen.append(upload_set)

    with app.test_request_context(), upload_completed.connected_to(note, sender=app):
        record = photos.save_upload(a_file("My a.jpg"), folder="x")
        assert (record.path, record.filename, record.offset) == ("x/My_a.jpg", "My a.jpg", 4)
        assert (record.status, record.md5) == (2, md5_of(b"data"))
        assert photos.path_of(record) == photos.path(record.path or "") == str(place / "x/My_a.jpg")
        assert photos.find(record.upload_id).path == record.path
    assert seen == [(str(place / "x/My_a.jpg"), md5_of(b"data"), b"data"), "photos"]


def test_a_command_may_save_where_callers_must_be_known(
    app: Flask, photos: UploadSet, place: Path
) -> None:
    """As when old files get their records. The file belongs to nobody."""
    photos.user_loader(lambda request: request.headers.get("X-User"))
    assert post(app, b"data", "a.jpg").status_code == 403
    with app.app_context():
        record = photos.save_upload(a_file())
    assert (stored(place), record.owner) == (["a.jpg"], None)
    with app.test_request_context(), pytest.raises(SaveRefused):
        photos.save(a_file())


def test_where_unclaimed_uploads_expire_a_saved_file_does_not(
    make_app: MakeApp, place: Path
) -> None:
    photos = UploadSet("photos", IMAGES, lambda app: str(place))
    app = serve(make_app(CHUNKED_UPLOAD_UNCLAIMED_EXPIRATION_DELTA=0), photos)
    post(app, b"data", "saved.jpg")
    Protocol(app.test_client(), "/uploads/photos").completed(b"data", filename="unclaimed.jpg")
    app.test_cli_runner().invoke(args=["chunked-upload", "delete-expired-uploads"])
    assert stored(place) == ["saved.jpg"]


def test_limits_and_checks_hold_and_leave_nothing(
    app: Flask, photos: UploadSet, place: Path
) -> None:
    answer = post(app, b"x" * 1001, "a.jpg")
    assert answer.status_code == 400
    assert "Size of file exceeds the limit (1000 bytes)" in answer.text

    @photos.validate
    def no_kittens(request: Any, upload: Any) -> Any:
        return ("No kittens!", 403) if "kitten" in upload.filename else None

    assert post(app, b"meow", "kitten.jpg").status_code == 403
    with app.test_request_context(), pytest.raises(ChunkedUploadError, match="No kittens!") as said:
        photos.save(a_file("kitten.jpg"))
    assert isinstance(said.value, SaveRefused)
    assert records(app, "photos") == []
    assert stored(place) == []


def test_an_owners_quota_holds(make_app: MakeApp, place: Path) -> None:
    photos = UploadSet("photos", ALL, lambda app: str(place), max_open_bytes=100)
    app = serve(make_app(), photos)
    assert post(app, b"x" * 101, "a.jpg").status_code == 413
    assert post(app, b"x" * 100, "a.jpg").status_code == 200
    assert stored(place) == ["a.jpg"]


def test_the_size_of_chunks_does_not_limit_it(make_app: MakeApp, place: Path) -> None:
    photos = UploadSet("photos", ALL, lambda app: str(place), max_chunk_bytes=10)
    app = serve(make_app(), photos)
    assert post(app, b"x" * 100, "a.jpg").status_code == 200


def test_if_the_disk_is_full_nothing_is_left(
    app: Flask, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as failing:
        failing.setattr(os, "pwrite", full)
        assert post(app, b"data", "a.jpg").status_code == 507
    assert records(app, "photos") == []
    assert stored(place) == []


def test_if_the_server_dies_in_between_the_cleaner_leaves_nothing(
    app: Flask, photos: UploadSet, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote = LocalStorage.promote

    def die_afterwards(self: LocalStorage, *arguments: Any) -> str:
        promote(self, *arguments)
        raise KeyboardInterrupt

    with app.test_request_context(), monkeypatch.context() as dying:
        dying.setattr(LocalStorage, "promote", die_afterwards)
        dying.setattr(UploadEngine, "abort", lambda *arguments: None)  # the dead clean nothing up
        with pytest.raises(KeyboardInterrupt):
            photos.save(a_file(), folder="x")
    assert "x/a.jpg" in stored(place)
    with app.app_context():
        [record] = records(app, "photos")
        assert photos.engine.expire(record, now=record.expires_on)
    assert stored(place) == []
    assert records(app, "photos") == []


def test_a_deleted_files_name_is_free_again(app: Flask, photos: UploadSet, place: Path) -> None:
    with app.test_request_context():
        photos.engine.abort(photos.save_upload(a_file()))
        assert stored(place) == []
        assert photos.save(a_file()) == "a.jpg"


# Flask-WTF


def test_file_allowed_of_flask_wtf_asks_the_set(app: Flask, photos: UploadSet) -> None:
    class PhotoForm(FlaskForm):  # type: ignore[misc]
        photo = FileField(validators=[FileAllowed(photos, "images only")])

    @app.post("/form")
    def form() -> Any:
        sent = PhotoForm(meta={"csrf": False})
        return {"ok": sent.validate(), "errors": sent.errors}

    def send(name: str) -> Any:
        data = {"photo": (io.BytesIO(b"x"), name)}
        return app.test_client().post("/form", data=data).get_json()

    assert send("a.JPG") == {"ok": True, "errors": {}}
    assert send("a.txt") == {"ok": False, "errors": {"photo": ["images only"]}}


# The page about porting


def test_the_app_of_the_page_about_porting_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs" / "porting-flask-uploads.md"
    code = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)[0]
    monkeypatch.setenv("FLASK_UPLOADED_PHOTOS_DEST", str(tmp_path / "photos"))
    monkeypatch.setenv("FLASK_SQLALCHEMY_DATABASE_URI", f"sqlite:///{tmp_path / 'photos.db'}")
    code = code.replace("Flask(__name__)", f"Flask(__name__, instance_path={str(tmp_path)!r})")
    names: dict[str, Any] = {"__name__": "photo_site"}
    exec(code, names)
    app: Flask = names["create_app"]()
    client = app.test_client()

    def send(name: str) -> str:
        data = {"photo": (io.BytesIO(b"data"), name)}
        return unescape(client.post("/", data=data, follow_redirects=True).text)

    assert "http://localhost/_uploads/photos/a.jpg" in send("a.JPG")
    assert "Photos only, please" in send("a.txt")
    assert "/uploads/photos/" in client.get("/").text
    Protocol(client, "/uploads/photos").completed(b"chunks", filename="a.jpg")
    with app.test_client().get("/_uploads/photos/a_1.jpg") as shown:
        assert shown.data == b"chunks"
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()
