"""Flask-Uploads' upload sets: names, presets, keys, places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, url_for

from chunked_upload import (
    ALL,
    ARCHIVES,
    DEFAULTS,
    DOCUMENTS,
    EXECUTABLES,
    IMAGES,
    SCRIPTS,
    TEXT,
    AllExcept,
    ChunkedUpload,
    ConfigurationError,
    UploadConfiguration,
    UploadSet,
    allowed_file,
    configure_uploads,
)
from tests.conftest import create_tables
from tests.extension.helpers import answer, refusal
from tests.support.protocol import Protocol

MakeApp = Callable[..., Flask]

pytestmark = pytest.mark.one_database


@pytest.fixture
def app(make_app: MakeApp, tmp_path: Path) -> Flask:
    """An app whose sets lie below ``places``."""
    return make_app(UPLOADS_DEFAULT_DEST=str(tmp_path / "places"))


def configured(app: Flask, *upload_sets: UploadSet) -> Flask:
    configure_uploads(app, upload_sets)
    create_tables(app)
    return app


def test_files_uploaded_in_chunks_lie_at_their_own_names(app: Flask, tmp_path: Path) -> None:
    configured(app, UploadSet("photos", IMAGES), UploadSet("docs", DOCUMENTS))
    photos = Protocol(app.test_client(), "/uploads/photos")
    docs = Protocol(app.test_client(), "/uploads/docs")
    for data in (b"one", b"two", b"three"):
        photos.completed(data, filename="a.jpg")
    docs.completed(b"text", filename="a.pdf")
    place = tmp_path / "places"
    found = {
        name: (place / "photos" / name).read_bytes() for name in ("a.jpg", "a_1.jpg", "a_2.jpg")
    }
    assert found == {"a.jpg": b"one", "a_1.jpg": b"two", "a_2.jpg": b"three"}
    assert (place / "docs" / "a.pdf").read_bytes() == b"text"


def test_each_set_takes_its_own_types(app: Flask) -> None:
    configured(app, UploadSet("photos", IMAGES), UploadSet("docs", DOCUMENTS))
    photos = Protocol(app.test_client(), "/uploads/photos")
    assert refusal(photos.chunk(b"x", filename="a.pdf"))[0] == 415
    assert answer(photos.chunk(b"x", filename="A.JPG"))["offset"] == 1


# The place


def test_a_place_is_its_own_key_then_the_function_then_the_default(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(UPLOADED_A_DEST=str(tmp_path / "a"), UPLOADS_DEFAULT_DEST=str(tmp_path / "d"))

    def by_app(app: Flask) -> str:
        return str(tmp_path / app.name)

    sets = [
        UploadSet("a", default_dest=by_app),
        UploadSet("b", default_dest=by_app),
        UploadSet("c"),
    ]
    configured(app, *sets)
    with app.app_context():
        destinations = [one.config.destination for one in sets]
    assert destinations == [str(tmp_path / place) for place in ("a", "tests", "d/c")]


def test_one_set_has_a_place_in_each_app(make_app: MakeApp, tmp_path: Path) -> None:
    photos = UploadSet("photos", IMAGES)
    apps = [make_app(UPLOADED_PHOTOS_DEST=str(tmp_path / place)) for place in ("one", "two")]
    apps[1].config["UPLOADED_PHOTOS_DENY"] = ("gif",)
    for app in apps:
        configured(app, photos)
        Protocol(app.test_client(), "/uploads/photos").completed(b"data", filename="a.jpg")
    assert [(tmp_path / place / "a.jpg").exists() for place in ("one", "two")] == [True, True]
    assert [allowed(app, photos, "a.gif") for app in apps] == [["a.gif"], []]


def test_a_set_without_a_place_is_refused(make_app: MakeApp) -> None:
    with pytest.raises(ConfigurationError, match=r"no destination for set 'photos'.*_PHOTOS_DEST"):
        configure_uploads(make_app(), UploadSet("photos"))


def test_two_sets_with_one_place_are_refused(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(UPLOADED_A_DEST=str(tmp_path / "a"), UPLOADED_B_DEST=str(tmp_path / "." / "a"))
    with pytest.raises(ConfigurationError, match="'a' and 'b' have the same place"):
        configure_uploads(app, [UploadSet("a"), UploadSet("b")])


@pytest.mark.parametrize("inside", [".incoming", ".incoming/ab"])
@pytest.mark.parametrize("names", ["ab", "ba"])
def test_a_place_among_unfinished_uploads_is_refused(
    make_app: MakeApp, tmp_path: Path, inside: str, names: str
) -> None:
    """Its files might be taken for orphans, and a front server that offers it would offer parts."""
    app = make_app(UPLOADED_A_DEST=str(tmp_path), UPLOADED_B_DEST=str(tmp_path / inside))
    with pytest.raises(ConfigurationError, match=r"place of upload set 'b', .* where 'a' keeps"):
        configure_uploads(app, [UploadSet(name) for name in names])


# What it takes


def allowed(app: Flask, upload_set: UploadSet, *names: str) -> list[str]:
    with app.app_context():
        return [name for name in names if upload_set.file_allowed(None, name)]


def test_allow_adds_and_deny_takes_away(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(
        UPLOADS_DEFAULT_DEST=str(tmp_path),
        UPLOADED_PHOTOS_ALLOW=("raw", "gif"),
        UPLOADED_PHOTOS_DENY=("png", "gif"),
    )
    photos = UploadSet("photos", IMAGES)
    configured(app, photos)
    assert allowed(app, photos, "a.jpg", "a.raw", "a.gif", "a.png", "a.txt") == [
        *("a.jpg", "a.raw", "a.gif")
    ]
    protocol = Protocol(app.test_client(), "/uploads/photos")
    assert protocol.chunk(b"x", filename="a.raw").status_code == 200
    assert protocol.chunk(b"x", filename="a.png").status_code == 415


def test_all_and_all_except(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(UPLOADS_DEFAULT_DEST=str(tmp_path), UPLOADED_SOME_ALLOW=("py",))
    anything = UploadSet("anything", ALL)
    some = UploadSet("some", AllExcept(SCRIPTS + EXECUTABLES))
    configured(app, anything, some)
    names = ("a", "a.php", "a.exe", "a.py", "a.PHP", "a.jpg")
    assert allowed(app, anything, *names) == list(names)
    assert allowed(app, some, *names) == ["a", "a.py", "a.jpg"]
    assert (
        Protocol(app.test_client(), "/uploads/some").chunk(b"x", filename="a.php").status_code
        == 415
    )


def test_by_default_it_takes_text_documents_images_and_data(app: Flask) -> None:
    files = UploadSet()
    configured(app, files)
    assert files.name == "files"
    assert allowed(app, files, "a.txt", "a.csv", "a.zip", "a") == ["a.txt", "a.csv"]
    with app.app_context():
        assert files.extension_allowed("pdf")
        assert not files.extension_allowed("")


def test_a_set_that_takes_nothing_is_refused(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(UPLOADS_DEFAULT_DEST=str(tmp_path), UPLOADED_A_DENY=("txt",))
    with pytest.raises(ConfigurationError, match="UPLOADED_A_DENY denies all"):
        configure_uploads(app, UploadSet("a", TEXT))


@pytest.mark.parametrize(
    ("extensions", "said"),
    [
        ("images", "write IMAGES, from chunked_upload"),
        ("jpg", r"write \('jpg',\)"),
        (3, "must be a preset, as IMAGES, or several extensions, not 3"),
        (("a/b",), "must hold extensions"),
    ],
)
def test_what_is_no_set_of_extensions_is_refused(extensions: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        UploadSet("photos", extensions)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"UPLOADED_PHOTOS_DEST": 3}, "UPLOADED_PHOTOS_DEST must be the path of a directory"),
        ({"UPLOADED_PHOTOS_DEST": "~/x"}, "UPLOADED_PHOTOS_DEST must be a whole path"),
        ({"UPLOADED_PHOTOS_DEST": ""}, "no destination for set 'photos'"),
        ({"UPLOADS_DEFAULT_DEST": b"x"}, "UPLOADS_DEFAULT_DEST must be the path of a directory"),
        ({"UPLOADED_PHOTOS_URL": "cdn"}, "UPLOADED_PHOTOS_URL must be a URL or a path"),
        ({"UPLOADED_PHOTOS_ALLOW": "IMAGES"}, "UPLOADED_PHOTOS_ALLOW .* the name of a preset"),
        ({"UPLOADED_PHOTOS_DENY": 3}, "UPLOADED_PHOTOS_DENY must be a name or several names"),
    ],
)
def test_keys_with_wrong_values_are_refused(
    make_app: MakeApp, tmp_path: Path, config: dict[str, Any], said: str
) -> None:
    defaults = {} if "DEST" in str(config) else {"UPLOADS_DEFAULT_DEST": str(tmp_path)}
    with pytest.raises(ConfigurationError, match=said):
        configure_uploads(make_app(**defaults, **config), UploadSet("photos"))


@pytest.mark.parametrize("wrong", ["photos", ["photos"], None, ChunkedUpload])
def test_only_upload_sets_are_configured(app: Flask, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="configure_uploads takes UploadSet objects"):
        configure_uploads(app, wrong)


def test_a_place_by_default_is_a_function(app: Flask) -> None:
    directory: Any = "/srv/photos"
    with pytest.raises(ConfigurationError, match="as lambda app: '/srv/photos'"):
        UploadSet("photos", IMAGES, directory)


def test_a_set_and_another_endpoint_have_two_urls(app: Flask) -> None:
    configure_uploads(app, UploadSet("form"))
    with pytest.raises(ConfigurationError, match="'/uploads/form' of upload set 'form' is also"):
        ChunkedUpload(app)


@pytest.mark.parametrize("name", ["my_photos", "", "a/b", "ü", None])
def test_names_are_letters_and_digits(name: Any) -> None:
    with pytest.raises(ValueError, match="Name must be alphanumeric"):
        UploadSet(name)


def test_a_name_is_taken_once(app: Flask) -> None:
    with pytest.raises(ConfigurationError, match="already has an upload set named 'photos'"):
        configure_uploads(app, (UploadSet("photos"), UploadSet("photos")))


# Keys


def test_keys_of_sets_that_the_app_does_not_have_are_refused(app: Flask) -> None:
    app.config["UPLOADED_PHOTO_DENY"] = ("png",)
    with pytest.raises(ConfigurationError, match=r"UPLOADED_PHOTO_DENY .* has no effect here"):
        configure_uploads(app, UploadSet("photos", IMAGES))


def test_an_upload_set_of_the_plain_kind_may_come_after_them(app: Flask) -> None:
    configure_uploads(app, UploadSet("photos", IMAGES))
    ChunkedUpload(app)
    create_tables(app)
    assert Protocol(app.test_client()).completed(b"data")
    assert Protocol(app.test_client(), "/uploads/photos").completed(b"data", filename="a.png")


def test_the_app_may_have_a_blueprint_of_a_sets_name(app: Flask) -> None:
    configured(app, UploadSet("photos", IMAGES))
    pages = Blueprint("photos", "tests")
    pages.add_url_rule("/gallery", "gallery", lambda: url_for("uploads_photos.uploads"))
    app.register_blueprint(pages)
    assert app.test_client().get("/gallery").text == "/uploads/photos/"
    photos = Protocol(app.test_client(), "/uploads/photos")
    upload_id = photos.completed(b"data", filename="a.jpg")
    assert photos.state(upload_id).get_json()["url"] == f"/uploads/photos/{upload_id}/file"


def test_the_configuration_is_the_current_apps(app: Flask, tmp_path: Path) -> None:
    app.config["UPLOADS_DEFAULT_URL"] = "https://cdn.example.org/files"
    photos = UploadSet("photos", IMAGES)
    configured(app, photos)
    with app.app_context():
        assert photos.config == UploadConfiguration(
            str(tmp_path / "places" / "photos"), "https://cdn.example.org/files/photos/"
        )
        assert photos.url("a b.jpg") == "https://cdn.example.org/files/photos/a%20b.jpg"
    with Flask("another").app_context(), pytest.raises(RuntimeError, match="configure_uploads"):
        assert photos.config


def test_paths_stay_in_the_place(app: Flask, tmp_path: Path) -> None:
    photos = UploadSet("photos", IMAGES)
    configured(app, photos)
    with app.app_context():
        assert photos.path("a.jpg") == str(tmp_path / "places" / "photos" / "a.jpg")
        assert photos.path("a.jpg", folder="2026") == photos.path("2026/a.jpg")
        for name in ("../a.jpg", "/etc/passwd", "a/../../b", ".", "a\\..\\b", ""):
            with pytest.raises(ValueError, match="Path traversal"):
                photos.path(name)


# Flask's pattern


def test_allowed_file_is_flasks() -> None:
    extensions = {"txt", "pdf", "tar.gz"}
    names = ("a.txt", "a.PDF", "a.tar.gz", "a.gz", "txt", "a", "", "a.txt.exe", "a.txt ")
    assert [name for name in names if allowed_file(name, extensions)] == [
        *("a.txt", "a.PDF", "a.tar.gz", "a.txt ")
    ]
    assert not allowed_file(None, extensions)
    assert allowed_file("a.zip", ARCHIVES)
    assert not allowed_file("a.zip", DEFAULTS)
    with pytest.raises(ValueError, match=r"write \('txt',\)"):
        allowed_file("a.txt", "txt")
