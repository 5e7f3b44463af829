"""The package's scripts and styles, served by the upload set to pages of an app."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload
from chunked_upload.pages import assets
from tests.http.answers import refused
from tests.support.protocol import Protocol

pytestmark = pytest.mark.one_database

STATIC = Path(__file__).parents[2] / "static"
PAGE = "/uploads/static/page.css"

LIBRARIES = ("md5.umd.min.js", "sha256.umd.min.js")


def test_each_upload_set_serves_the_static_folder(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    ChunkedUpload(app)
    ChunkedUpload(app, name="photos", url_prefix="/photos")
    with app.test_request_context():
        assert url_for("photos.static", filename="page.css") == "/photos/static/page.css"
    for path in (PAGE, "/photos/static/page.css"):
        response = app.test_client().get(path, buffered=True)
        assert response.status_code == 200
        assert b'@import url("page/css/base.css");' in response.data


@pytest.mark.parametrize(
    ("name", "mimetype"), [("page.css", "text/css"), ("index.html", "text/html")]
)
def test_types_are_exact_and_not_to_be_guessed(
    client: FlaskClient, name: str, mimetype: str
) -> None:
    response = client.get(f"/uploads/static/{name}", buffered=True)
    assert response.mimetype == mimetype
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_unchanged_files_are_not_sent_again(client: FlaskClient) -> None:
    first = client.get(PAGE, buffered=True)
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to serve as the build makes it; beside it lies what is nobody's business."""
    static = tmp_path / "static"
    (static / "vendor").mkdir(parents=True)
    for name in ("page.css", "a.js", "vendor/a.js"):
        text = f"/* {name} */\n".encode()
        (static / name).write_bytes(text)
        (static / f"{name}.gz").write_bytes(gzip.compress(text))
    (static / "a.js.br").write_bytes(b"(brotli)")
    (static / "alone.js").write_text("alone();\n")
    (static / ".hidden").write_text("hidden")
    (static / ".git").mkdir()
    (static / ".git" / "config").write_text("hidden")
    (tmp_path / "secret").write_text("secret")
    monkeypatch.setattr(assets, "resource", lambda name: tmp_path / name)
    return static


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("accepted", ["gzip", "gzip, br", "*"])
def test_files_are_compressed_for_who_can_read_it(client: FlaskClient, accepted: str) -> None:
    plain = client.get(PAGE, buffered=True)
    small = client.get(PAGE, headers={"Accept-Encoding": accepted}, buffered=True)
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.mimetype == "text/css"
    assert gzip.decompress(small.data) == plain.data
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != small.headers["ETag"]


@pytest.mark.usefixtures("folder")
def test_the_smaller_of_two_encodings_is_sent(client: FlaskClient) -> None:
    for accepted, encoding in (("gzip, br", "br"), ("*", "br"), ("gzip, br;q=0", "gzip")):
        accepts = {"Accept-Encoding": accepted}
        small = client.get("/uploads/static/a.js", headers=accepts, buffered=True)
        assert small.headers["Content-Encoding"] == encoding
        assert (small.data == b"(brotli)") == (encoding == "br")
        assert small.mimetype == "text/javascript"


# The build's version


@pytest.fixture
def versioned(folder: Path) -> str:
    """The folder, with a version; the first part of addresses with it."""
    (folder / "version.txt").write_text("0123456789ab")
    return "/uploads/static/v-0123456789ab"


def test_a_file_of_the_version_is_kept_by_browsers(client: FlaskClient, versioned: str) -> None:
    for name in ("page.css", "vendor/a.js", "alone.js"):
        response = client.get(f"{versioned}/{name}", buffered=True)
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.data == client.get(f"/uploads/static/{name}", buffered=True).data


def test_a_file_of_another_version_is_not(client: FlaskClient, versioned: str) -> None:
    """A page from before an upgrade gets what is there now."""
    for place in ("/uploads/static/v-aaaaaaaaaaaa", "/uploads/static"):
        response = client.get(f"{place}/page.css", buffered=True)
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-cache")
    for name in ("b.js", ".hidden", "v-0123456789ab/page.css", "../secret"):
        refused(client.get(f"{versioned}/{name}", buffered=True, follow_redirects=True), 404)


def test_pages_name_the_version(app: Flask, client: FlaskClient, versioned: str) -> None:
    upload_set = app.extensions["chunked_upload"]["chunked_upload"]
    with app.test_request_context():
        assert assets.asset_url(upload_set, "page.css") == f"{versioned}/page.css"


def test_without_a_version_nothing_is_kept(client: FlaskClient) -> None:
    """In a checkout, files change."""
    response = client.get("/uploads/static/v-0123456789ab/page.css", buffered=True)
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.usefixtures("folder")
def test_a_compressed_file_is_not_sent_again(client: FlaskClient) -> None:
    accepted = {"Accept-Encoding": "gzip"}
    first = client.get(PAGE, headers=accepted, buffered=True)
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get(PAGE, headers={**accepted, **known}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(PAGE, headers=known, buffered=True).status_code == 200


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity"])
def test_files_are_plain_for_who_cannot(client: FlaskClient, accepted: str) -> None:
    response = client.get(PAGE, headers={"Accept-Encoding": accepted}, buffered=True)
    assert "Content-Encoding" not in response.headers


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_compressed_is_sent_plain(client: FlaskClient) -> None:
    address = "/uploads/static/alone.js"
    response = client.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert (response.data, response.mimetype) == (b"alone();\n", "text/javascript")
    assert "Content-Encoding" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.usefixtures("folder")
def test_what_is_found(client: FlaskClient) -> None:
    for name in ("a.js", "vendor/a.js"):
        response = client.get(f"/uploads/static/{name}", buffered=True)
        assert (response.text, response.mimetype) == (f"/* {name} */\n", "text/javascript")
    for name in (
        *("", "b.js", "vendor", "../secret", "vendor/../../secret", "/etc/passwd", "a.js%00"),
        *(".hidden", ".git/config", "vendor/../.hidden", "..%2fsecret", "%2fetc/passwd"),
    ):
        address = f"/uploads/static/{name}"
        response = client.get(address, buffered=True, follow_redirects=True)
        assert response.status_code == 404, name


def test_a_changed_file_is_read_again(client: FlaskClient, folder: Path) -> None:
    first = client.get("/uploads/static/alone.js", buffered=True)
    (folder / "alone.js").write_text("changed();\n")
    known = {"If-None-Match": first.headers["ETag"]}
    second = client.get("/uploads/static/alone.js", headers=known, buffered=True)
    assert (second.status_code, second.data) == (200, b"changed();\n")


def test_explanations_stay_at_home(built_static: Path) -> None:
    assert "/**" in (STATIC / "page" / "dom.js").read_text()
    built = built_static.rglob("*.js")
    scripts = [path for path in built if path.parent.name not in ("vendor", "texts")]
    assert len(scripts) > 4
    for path in scripts:
        assert "/**" not in path.read_text(), path
    sources = [
        *STATIC.glob("*.js"),
        *STATIC.glob("page/*.js"),
        *STATIC.glob("chunked-upload*/*.js"),
    ]
    size = sum(path.stat().st_size for path in scripts)
    assert size < sum(path.stat().st_size for path in sources) / 2


#: What pages and apps import, or name in another way.
PUBLIC = {
    *("chunked-upload.js", "chunked-upload-dropzone.js", "chunked-upload-dropzone.css"),
    *("index.html", "md5-worker.js", "page.css", "page/icon.svg", "page/main.js", "page/page.js"),
    *("admin.css", "admin.html", "admin/main.js", "openapi.js"),
    "page/notice.js",
    "page/picture-worker.js",
}


def test_the_build_joins_the_styles(built_static: Path) -> None:
    assert "@import" in (STATIC / "page.css").read_text()
    built = (built_static / "page.css").read_text()
    assert "@import" not in built
    assert ".cu-row" in built
    assert not (built_static / "page" / "css").exists()


def test_the_build_has_what_is_imported_and_each_compressed(built_static: Path) -> None:
    built = {path.relative_to(built_static) for path in built_static.rglob("*.*")}
    plain = {path for path in built if path.suffix not in (".gz", ".br")}
    assert built_static.joinpath("version.txt").read_text().isalnum()
    plain.remove(Path("version.txt"))
    names = {str(path) for path in plain if path.parts[0] not in ("vendor", "chunks")}
    # Both of the others are beside the way: one for editors, one so that zones share a chunk.
    texts = {str(path.relative_to(STATIC)) for path in STATIC.glob("page/texts/*.js")}
    assert names == PUBLIC | texts | {"chunked-upload/types.js", "chunked-upload-dropzone/zone.js"}
    assert {path.name for path in plain if path.parts[0] == "vendor"} == {
        *LIBRARIES,
        *("LICENSES.txt", "dropzone.min.css", "dropzone.min.js"),
        *("swagger-ui-bundle.js", "swagger-ui.css"),
    }
    for path in plain:
        compressed = built_static / f"{path}.gz"
        assert gzip.decompress(compressed.read_bytes()) == (built_static / path).read_bytes()
        assert (built_static / f"{path}.br").stat().st_size > 0


def test_licences_come_along(built_static: Path) -> None:
    licences = (built_static / "vendor" / "LICENSES.txt").read_text()
    for name in ("dropzone", "hash-wasm", "swagger-ui-dist"):
        assert f"{name}\n\n" in licences
    assert "Copyright 2020-2021 SmartBear Software" in licences  # of the NOTICE
    assert licences.count("Permission is hereby granted") == 4  # two of what Swagger UI bundles


def test_a_checkout_serves_its_sources(client: FlaskClient) -> None:
    response = client.get("/uploads/static/page/dom.js", buffered=True)
    assert response.data == (STATIC / "page" / "dom.js").read_bytes()


def test_the_apps_own_time_of_caching_holds(make_app: Callable[..., Flask]) -> None:
    app = make_app(SEND_FILE_MAX_AGE_DEFAULT=60)
    ChunkedUpload(app)
    assert app.test_client().get(PAGE, buffered=True).cache_control.max_age == 60


@pytest.mark.parametrize(
    "path",
    ["absent.js", "../pyproject.toml", "%2e%2e/pyproject.toml", "page", "a%00b", "page.css/x"],
)
def test_what_is_not_there(client: FlaskClient, path: str) -> None:
    refused(client.get(f"/uploads/static/{path}"), 404)


def test_verbs(client: FlaskClient) -> None:
    assert client.head(PAGE, buffered=True).status_code == 200
    assert client.options(PAGE).headers["Allow"] == "GET, HEAD, OPTIONS"
    for verb in ("POST", "PUT", "PATCH", "DELETE"):
        response = client.open(PAGE, method=verb)
        refused(response, 405)
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_no_upload_is_in_its_shadow(client: FlaskClient, protocol: Protocol) -> None:
    refused(client.get("/uploads/static"), 404, "Upload not found")
    upload_id = protocol.completed(b"data")
    assert client.get(f"/uploads/{upload_id}/file", buffered=True).data == b"data"
