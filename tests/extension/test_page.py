"""The ready-made page as an app serves it: the document, its policy, and what it is told."""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, render_template_string
from flask.testing import FlaskClient

from chunked_upload import ChunkedUpload, ChunkedUploadView, Limits
from chunked_upload.pages import assets, not_loaded
from chunked_upload.pages.upload_page import modules
from tests.conftest import create_tables

pytestmark = pytest.mark.one_database

STATIC = Path(__file__).parents[2] / "static"
MakeApp = Callable[..., Flask]


def page_app(app: Flask, *, page: dict[str, Any] | None = None, **settings: Any) -> FlaskClient:
    """UploadSet the service and serve its page at ``/files``; return a client."""
    uploads = ChunkedUpload(app, **settings)

    @app.get("/files")
    def files() -> Response:
        return uploads.page(**(page or {}))

    create_tables(app)
    return app.test_client()


def configuration(text: str) -> dict[str, Any]:
    """Return what a page is told."""
    [config] = re.findall(r'data-config="([^"]*)"', text)
    told: dict[str, Any] = json.loads(html.unescape(config))
    return told


def test_the_policy_allows_what_is_needed_and_no_more(make_app: MakeApp) -> None:
    response = page_app(make_app()).get("/files")
    policy = dict(
        directive.split(" ", 1)
        for directive in response.headers["Content-Security-Policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "img-src": "'self'",
        "media-src": "blob:",  # a still of a video; never blobs as pictures or documents
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-cache"


def test_nothing_inline_and_every_address_is_the_upload_sets(make_app: MakeApp) -> None:
    client = page_app(make_app(), url_prefix="/in/here")
    text = client.get("/files").text
    assert "<style" not in text
    assert " style=" not in text
    assert not re.search(r"<script(?![^>]* src=)", text)
    addresses = re.findall(r'(?:href|src)="([^"]*)"', text)
    assert addresses
    for address in addresses:
        if address == "":  # loads the page again (not_loaded.py)
            continue
        assert address.startswith("/in/here/static/")
        assert client.get(address, buffered=True).status_code == 200


def test_every_module_is_loaded_at_once(make_app: MakeApp) -> None:
    text = page_app(make_app()).get("/files").text
    loaded = re.findall(r'rel="modulepreload" href="/uploads/static/([^"]*)"', text)
    assert {"chunked-upload.js", "chunked-upload/transfer.js", "page/format.js"} <= set(loaded)
    for name in loaded:
        source = (STATIC / name).read_text()
        for target in re.findall(r'^(?:im|ex)port .*?from "(\.[^"]*)"', source, re.M | re.S):
            imported = (STATIC / name).parent.joinpath(target).resolve()
            assert str(imported.relative_to(STATIC.resolve())) in loaded


def test_the_built_page_loads_few_modules(built_static: Path) -> None:
    assert len(modules(STATIC)) > 40
    assert 1 <= len(modules(built_static)) <= 4


@pytest.mark.parametrize(
    ("accepted", "language", "texts"),
    [
        (None, None, "en"),
        ("en-GB,en;q=0.9", None, "en"),
        ("tlh,xx;q=0.9", None, "en"),
        ("de-AT,de;q=0.9,en;q=0.8", None, "de"),
        ("tlh,ar-EG;q=0.9,en;q=0.8", None, "ar"),
        ("de", "zh-Hans", "zh"),
        ("xx;q=0.9,en;q=0.8", "nl", "en"),
    ],
)
def test_the_texts_of_one_language_are_loaded_at_once(
    make_app: MakeApp, accepted: str | None, language: str | None, texts: str
) -> None:
    client = page_app(make_app(), page={"language": language})
    headers = {"Accept-Language": accepted} if accepted else {}
    response = client.get("/files", headers=headers)
    found = re.findall(
        r'rel="modulepreload" href="/uploads/static/page/texts/(.*?)"', response.text
    )
    assert found == [f"{texts}.js"]
    assert "Accept-Language" in response.headers["Vary"]
    assert re.findall(r'<html lang="(.*?)"', response.text) == [language or "en"]


def test_what_the_page_is_told(make_app: MakeApp) -> None:
    settings: dict[str, Any] = {
        "url_prefix": "/photos",
        "max_bytes": 20_000_000,
        "max_chunk_bytes": 1_000_000,
        "allowed_extensions": (".JPG", "png"),
        "denied_extensions": ("exe",),
        "field_name": ("photo", "photos[]"),
    }
    told = configuration(page_app(make_app(), **settings).get("/files").text)
    assert told == {
        "title": None,
        "logo": None,
        "accent": None,
        "endpoint": "/photos/",
        "fieldName": "photo",
        "maxBytes": 20_000_000,
        "maxChunkBytes": 1_000_000,
        "allowedExtensions": ["jpg", "png"],
        "deniedExtensions": ["exe"],
        "md5": True,
        "checksum": "md5",
        "csrfTokenUrl": None,
        "language": None,
        "languages": None,
        "account": "/photos/account",
        "expiresAfter": 86400,
        "quota": {"bytes": None, "files": None},
        "usage": None,
        "share": None,
        "signIn": {"with": None, "url": None},
    }


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        ({"max_stored_files": 3}, {"storedFiles": 3}),
        ({"max_stored_bytes": 70, "max_bytes_per_day": 7}, {"storedBytes": 70, "bytesPerDay": 7}),
        ({"limits_of": lambda owner: Limits()}, {}),
    ],
)
def test_the_page_knows_where_to_ask_for_what_is_used_of_limits(
    make_app: MakeApp, settings: dict[str, Any], known: dict[str, int]
) -> None:
    told = configuration(page_app(make_app(), **settings).get("/files").text)["usage"]
    none = dict.fromkeys(("storedBytes", "storedFiles", "bytesPerDay"))
    assert told == {"url": "/uploads/quota", **none, **known}


@pytest.mark.parametrize("setting", ["max_open_bytes", "max_requests_per_second"])
def test_the_page_does_not_ask_for_what_it_does_not_show(make_app: MakeApp, setting: str) -> None:
    settings: dict[str, Any] = {setting: 9}
    told = configuration(page_app(make_app(), **settings).get("/files").text)
    assert told["usage"] is None


class ByPlan(ChunkedUploadView):
    """Takes larger files from those who pay."""

    field_name = "document"

    def get_max_bytes(self, request: Any) -> int | None:
        return 2**40 if request.headers.get("X-Plan") == "paid" else 2**30


def test_limits_are_those_of_the_request(make_app: MakeApp) -> None:
    client = page_app(make_app(), upload_view=ByPlan)
    told = configuration(client.get("/files").text)
    assert (told["maxBytes"], told["fieldName"]) == (2**30, "document")
    told = configuration(client.get("/files", headers={"X-Plan": "paid"}).text)
    assert told["maxBytes"] == 2**40


@pytest.mark.parametrize(
    ("settings", "loader", "expected"),
    [
        ({}, False, None),
        ({"tokens": {"alice": "0" * 64}}, False, "token"),
        ({}, True, "app"),
        ({"tokens": {"alice": "0" * 64}}, True, "app"),
    ],
)
def test_how_people_sign_in(
    make_app: MakeApp, settings: dict[str, Any], loader: bool, expected: str | None
) -> None:
    app = make_app()
    uploads = ChunkedUpload(app, **settings)
    if loader:
        uploads.user_loader(lambda request: None)
    with app.test_request_context():
        told = configuration(uploads.page(sign_in="/login").get_data(as_text=True))
    assert told["signIn"] == {"with": expected, "url": "/login"}


def test_a_page_with_csrf_knows_where_tokens_are(make_app: MakeApp) -> None:
    told = configuration(page_app(make_app(), csrf=True).get("/files").text)
    assert told["csrfTokenUrl"] == "/uploads/csrf-token"


def test_what_is_written_into_the_page_is_escaped(make_app: MakeApp) -> None:
    nasty = '"><script>alert(1)</script>'
    options = {"title": nasty, "language": nasty, "messages": nasty, "sign_in": nasty}
    text = page_app(make_app(), page=options).get("/files").text
    assert "<script>alert" not in text
    assert configuration(text)["title"] == nasty


def test_a_visitor_is_known_before_the_first_of_several_uploads(make_app: MakeApp) -> None:
    client = page_app(make_app())
    first = client.get("/files").headers.get("Set-Cookie", "")
    assert first.startswith("session=")
    assert "Set-Cookie" not in client.get("/files").headers


def test_the_page_as_part_of_an_apps_template(make_app: MakeApp) -> None:
    app = make_app()
    ChunkedUpload(app)
    ChunkedUpload(app, name="photos", url_prefix="/photos")
    template = """<main>{{ chunked_upload.page(
        upload_set="photos", nonce="once", language="de", messages="/de.js") }}</main>"""
    with app.test_request_context():
        text = render_template_string(template)
    style, element, script = text.removeprefix("<main>").removesuffix("</main>").splitlines()
    assert style == '<link rel="stylesheet" href="/photos/static/page.css" nonce="once">'
    assert element.startswith('<div class="cu" data-config="{')
    assert '" data-messages="/de.js" lang="de"><p class="chunked-upload-not-loaded"' in element
    told = configuration(element)
    assert (told["endpoint"], told["title"]) == ("/photos/", None)
    assert script == (
        '<script type="module" src="/photos/static/page/main.js" nonce="once"></script>'
    )


@pytest.mark.parametrize("language", sorted(path.stem for path in STATIC.glob("page/texts/*.js")))
def test_what_is_said_when_scripts_do_not_arrive_is_in_every_language(
    make_app: MakeApp, language: str
) -> None:
    text = page_app(make_app()).get("/files", headers={"Accept-Language": language}).text
    wrong, reload = not_loaded.WORDS[language]
    assert f' lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">{wrong}' in text
    assert f'<a href="">{reload}</a>' in text


#: What the page may weigh in bytes, compressed, without the worker for thumbnails (issue 17).
MOST = 70_000


def test_the_page_is_light(
    make_app: MakeApp, built_static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "resource", lambda name: built_static.parent / name)
    client = page_app(make_app())
    texts = max(built_static.glob("page/texts/*.js.gz"), key=lambda path: path.stat().st_size)
    names = ["page.css", "page/icon.svg", "page/main.js", f"page/texts/{texts.stem}"]
    names += ["md5-worker.js", "vendor/md5.umd.min.js", *modules(built_static)]
    compressed = [len(gzip.compress(client.get("/files").data, 9))]
    for name in names:
        address = f"/uploads/static/{name}"
        response = client.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True)
        assert response.headers["Content-Encoding"] == "gzip"
        compressed.append(len(response.data))
    print(f"the page: {len(compressed)} files, {sum(compressed) / 1000:.1f} kB compressed")
    assert sum(compressed) <= MOST


def test_no_third_party_address(make_app: MakeApp) -> None:
    own = ("page/**/*.*", "*.*", "chunked-upload*/**/*.*")
    sources = [path for pattern in own for path in STATIC.glob(pattern)]
    assert len(sources) > 20
    for path in sources:
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text()))
        assert addresses <= {"http://www.w3.org"}, path  # a name space, which is never fetched
