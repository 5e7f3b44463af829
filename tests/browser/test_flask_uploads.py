"""The photo site of the example, as a visitor uses it: a form, a zone, a gallery."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.site import AppServer, Site
from tests.browser.zones import CHUNK, ROOT, ZonePage, need_dropzone
from tests.support.tabs import Browser

EXAMPLE = ROOT / "examples" / "flask_uploads_app.py"

#: One pixel. What follows the picture in the file is nothing to browsers.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    need_dropzone()
    environment = {"FLASK_CHUNKED_UPLOAD_MAX_CHUNK_BYTES": str(CHUNK)}
    with Site(AppServer(tmp_path, EXAMPLE, environment)) as running:
        yield running


def test_photos_by_form_and_in_chunks_are_shown(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    small, large, text = tmp_path / "My cat.PNG", tmp_path / "My_cat.png", tmp_path / "a.txt"
    small.write_bytes(PIXEL)
    large.write_bytes(PIXEL + bytes(3 * CHUNK))
    text.write_bytes(b"no photo")
    tab = ZonePage(browser.new_context(), site)
    page = tab.page

    for file, said in ((small, "Saved as My_cat.png"), (text, "Photos only, please")):
        page.set_input_files("input[name=photo]", file)
        page.get_by_role("button", name="Upload", exact=True).click()
        # The zone has a status of its own, from the moment that its script has run.
        expect(page.get_by_role("status").filter(has_text=said)).to_have_count(1)
    with page.expect_navigation():
        tab.pick(large)
    expect(page.get_by_role("img")).to_have_count(2)

    stored = sorted((tmp_path / "photos").glob("*.*"))
    kept = {path.name: path.stat().st_size for path in stored if path.is_file()}
    assert kept == {"My_cat.png": len(PIXEL), "My_cat_1.png": len(PIXEL) + 3 * CHUNK}
    widths = "images => images.map(image => image.naturalWidth)"
    page.wait_for_load_state("load")
    assert page.locator("img").evaluate_all(widths) == [1, 1]
    stranger = browser.new_context().new_page()
    assert stranger.goto(f"{site.url}/_uploads/photos/My_cat_1.png").status == 200  # type: ignore[union-attr]
    in_chunks = [one for one in site.proxy.chunks if one.target.startswith("/uploads/photos")]
    assert len(in_chunks) == 4
    assert tab.complaints == []
