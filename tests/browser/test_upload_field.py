"""The form field of the example, with scripts over a cut connection, and without scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import AppServer, Site
from tests.browser.trial import make_file
from tests.browser.zones import CHUNK, ROOT, ZonePage, bytes_of, need_dropzone
from tests.support.tabs import Browser

EXAMPLE = ROOT / "examples" / "form_app.py"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_dropzone()
    environment = {"FLASK_CHUNKED_UPLOAD_DROPZONE": json.dumps({"chunk_size": CHUNK})}
    with Site(AppServer(tmp_path_factory.mktemp("field"), EXAMPLE, environment)) as running:
        yield running


def post(page: Page, title: str) -> None:
    """Fill the title in, and submit the form."""
    page.get_by_label("Title").fill(title)
    with page.expect_navigation():
        page.get_by_role("button", name="Post").click()


def delete(page: Page, site: Site) -> None:
    """Delete the only post; its file must be gone too."""
    with page.expect_navigation():
        page.get_by_role("button", name="Delete").click()
    assert site.stored() == set()


def test_a_form_is_posted_with_an_upload_in_chunks(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    tab = ZonePage(browser.new_context(), site, "/posts")
    file = make_file(tmp_path / "film.bin", 5 * CHUNK + 1)
    site.proxy.cut(2)
    tab.pick(file)
    post(tab.page, "")  # waits for the upload, and is refused
    expect(tab.page.get_by_role("alert")).to_have_text("This field is required.")
    expect(tab.page.get_by_label("film.bin")).to_be_checked()
    assert len(site.proxy.chunks) > 5
    post(tab.page, "Holidays")
    expect(tab.page.get_by_role("link", name="film.bin")).to_be_visible()
    assert bytes_of(site.stored()) == [file.read_bytes()]
    delete(tab.page, site)


def test_the_same_without_scripts(browser: Browser, site: Site, tmp_path: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{site.url}/posts")
    file = make_file(tmp_path / "film.bin", 5 * CHUNK + 1)
    page.set_input_files("input[type=file]", file)
    post(page, "")
    expect(page.get_by_role("alert")).to_have_text("This field is required.")
    post(page, "Holidays")  # with the file that the page has kept
    expect(page.get_by_role("link", name="film.bin")).to_be_visible()
    assert bytes_of(site.stored()) == [file.read_bytes()]
    delete(page, site)
