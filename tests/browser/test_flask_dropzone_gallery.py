"""The gallery of examples/, ported from Flask-Dropzone: with and without scripts."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.site import AppServer, Site
from tests.browser.zones import CHUNK, ROOT, ZonePage, bytes_of, need_dropzone
from tests.support.tabs import Browser

EXAMPLE = ROOT / "examples" / "flask_dropzone_gallery.py"


def png(side: int) -> bytes:
    """Return a grey picture with sides of so many pixels, not compressed."""

    def block(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    pixels = (b"\0" + bytes([128]) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + block(b"IHDR", head)
        + block(b"IDAT", zlib.compress(pixels, 0))
        + block(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, with small chunks."""
    need_dropzone()
    environment = {"FLASK_CHUNKED_UPLOAD_DROPZONE": json.dumps({"chunk_size": CHUNK})}
    with Site(AppServer(tmp_path_factory.mktemp("gallery"), EXAMPLE, environment)) as running:
        yield running


def shown(page: ZonePage) -> list[tuple[str, int]]:
    """Return the name and width of each picture in the gallery, in the order of names."""
    pictures = page.page.evaluate(
        "Array.from(document.images, (image) => [image.alt, image.naturalWidth])"
    )
    return sorted((name, width) for name, width in pictures)


def test_pictures_go_in_chunks_over_a_cut_into_the_gallery(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    page = ZonePage(browser.new_context(), site)
    for side in (300, 20):
        (tmp_path / f"{side}.png").write_bytes(png(side))
    site.proxy.cut(1)
    with page.going_to("/gallery"):
        page.pick(tmp_path / "300.png", tmp_path / "20.png")
    page.page.wait_for_load_state()
    assert shown(page) == [("20.png", 20), ("300.png", 300)]
    assert len(site.proxy.chunks) >= 3  # one was cut, and the rest of its file sent again
    assert bytes_of(site.stored()) == sorted([png(300), png(20)])

    page.complaints.clear()  # Chromium's own, of the cut connection
    page.open("/")
    (tmp_path / "a.bmp").write_bytes(b"BM")
    page.pick(tmp_path / "a.bmp")
    page.wait("error")
    assert page.errors() == ["PNG, JPEG and GIF only!"]
    assert len(site.stored()) == 2
    assert [text for text in page.complaints if "400" not in text] == []


def test_without_scripts_the_form_leads_to_the_gallery_too(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(site.url)
    (tmp_path / "plain.png").write_bytes(png(10))
    page.set_input_files("input[type=file]", tmp_path / "plain.png")
    with page.expect_navigation(url=f"{site.url}/gallery"):
        page.click("button")
    assert page.locator("img[alt='plain.png']").count() == 1
