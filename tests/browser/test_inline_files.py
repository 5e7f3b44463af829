"""A stranger's files by name in Chromium: what is safe is shown, and nothing of them runs."""

from __future__ import annotations

import base64
import io
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.extension.helpers import FlaskProcess
from tests.support.tabs import Browser

APP = """
from flask import Flask
from chunked_upload import ChunkedUpload

app = Flask(__name__)
app.secret_key = "tests"
uploads = ChunkedUpload(
    app, name="photos", path="", public_files=True,
    inline_types="image/*, image/svg+xml, audio/*, application/pdf",
)
with app.app_context():
    uploads.db.create_all()
"""

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SCRIPT = "document.title = 'it ran'; fetch('/uploads/', {method: 'POST', body: 'x'})"
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10" onload="{SCRIPT}">'
    f"<script>{SCRIPT}</script><rect width='20' height='10'/></svg>"
)


#: Not ``wait_for_function``, which the policy forbids.
PLAYS = """() => new Promise(done => {
    const media = document.querySelector('audio, video');
    media.addEventListener('durationchange', () => done(media.duration));
    if (media.duration) done(media.duration);
})"""


def sound() -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return content.getvalue()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FlaskProcess]:
    (tmp_path / "shown.py").write_text(APP)
    with FlaskProcess("shown", tmp_path, {}) as running:
        yield running


def put(site: FlaskProcess, name: str, content: bytes) -> str:
    kind = {"Content-Type": "application/octet-stream"}
    url = f"{site.url}/uploads/{name}"
    urllib.request.urlopen(urllib.request.Request(url, content, kind, method="PUT"), timeout=60)
    return f"{site.url}/_uploads/photos/{name}"


def test_safe_files_are_shown_and_nothing_of_them_runs(
    browser: Browser, site: FlaskProcess
) -> None:
    page = browser.new_context().new_page()
    page.goto(put(site, "a.png", PNG))
    assert page.evaluate("document.images[0].naturalWidth") == 1
    page.goto(put(site, "a.wav", sound()))
    assert page.evaluate(PLAYS) == 1
    page.goto(put(site, "a.svg", SVG.encode()))
    assert page.evaluate("document.documentElement.getBoundingClientRect().width") == 20
    assert page.title() != "it ran"
    # Named as a picture, it stays one: a broken picture, not a page.
    page.goto(put(site, "page.png", f"<title>x</title><script>{SCRIPT}</script>".encode()))
    assert page.title() != "it ran"
    embeds(page, site)


def embeds(page: Page, site: FlaskProcess) -> None:
    """Check that a page of the site may embed the pictures."""
    page.goto(f"{site.url}/uploads/static/chunked-upload.js")
    width = """src => new Promise(done => {
        const image = new Image();
        image.onload = () => done(image.naturalWidth);
        image.onerror = () => done(null);
        image.src = src;
    })"""
    assert page.evaluate(width, "/_uploads/photos/a.png") == 1
    assert page.evaluate(width, "/_uploads/photos/a.svg") == 20


def test_a_page_is_downloaded(browser: Browser, site: FlaskProcess) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{site.url}/uploads/static/chunked-upload.js")
    url = put(site, "page.html", f"<title>it ran</title><script>{SCRIPT}</script>".encode())
    with page.expect_download() as download:
        page.evaluate("url => { location.href = url; }", url)
    assert download.value.suggested_filename == "page.html"
    assert page.title() != "it ran"
