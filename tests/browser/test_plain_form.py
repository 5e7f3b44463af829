"""The plain form of the example, as browsers send it: no script runs in these pages.

Files of all sizes over a bad network are the matrix's (test_matrix.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import AppServer, Site
from tests.browser.trial import make_file
from tests.browser.zones import CHUNK, ROOT, bytes_of
from tests.support.site import wait_until
from tests.support.tabs import Browser

EXAMPLE = ROOT / "examples" / "form_app.py"

LIMIT = 20 * CHUNK


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    environment = {"FLASK_CHUNKED_UPLOAD_MAX_BYTES": str(LIMIT)}
    with Site(AppServer(tmp_path_factory.mktemp("form"), EXAMPLE, environment)) as running:
        yield running


@pytest.fixture
def page(browser: Browser, site: Site) -> Page:
    site.proxy.clear()
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(60_000)
    page.goto(site.url)
    return page


def send(page: Page, *files: Path) -> None:
    page.set_input_files("input[type=file]", files)
    page.get_by_role("button", name="Upload").click()


def said(page: Page, category: str, message: str) -> None:
    """Expect the page that it goes to to say something."""
    expect(page.locator(f".{category}")).to_have_text(message, timeout=60_000)
    assert page.get_by_role("status").count() == 1


@pytest.mark.parametrize("size", [0, 2 * CHUNK + 1])
def test_a_file_of_any_size(page: Page, site: Site, tmp_path: Path, size: int) -> None:
    before = site.stored()
    file = make_file(tmp_path / "grüße & co.bin", size)
    send(page, file)
    said(page, "success", "grüße & co.bin uploaded")
    assert page.url == f"{site.url}/"
    assert bytes_of(site.stored() - before) == [file.read_bytes()]


def test_several_files(page: Page, site: Site, tmp_path: Path) -> None:
    before = site.stored()
    files = [make_file(tmp_path / f"{number}.bin", CHUNK + number) for number in range(3)]
    send(page, *files)
    said(page, "success", "3 files uploaded")
    assert bytes_of(site.stored() - before) == sorted(file.read_bytes() for file in files)


def test_nothing_chosen(page: Page, site: Site) -> None:
    before = site.stored()
    send(page)
    said(page, "error", "No selected file")
    assert site.stored() == before


def test_one_too_large_among_others(page: Page, site: Site, tmp_path: Path) -> None:
    before = site.stored()
    send(page, make_file(tmp_path / "a.bin", 1), make_file(tmp_path / "b.bin", LIMIT + 1))
    said(page, "error", f"Size of file exceeds the limit ({LIMIT} bytes)")
    assert (site.stored(), site.unfinished()) == (before, set())


def test_a_refusal_in_the_middle_of_a_large_form_is_seen(
    page: Page, site: Site, tmp_path: Path
) -> None:
    """The browser is still sending when the answer comes."""
    send(page, make_file(tmp_path / "large.bin", 30_000_000))
    said(page, "error", f"Size of file exceeds the limit ({LIMIT} bytes)")


def test_a_form_of_a_session_that_has_ended(page: Page, site: Site, tmp_path: Path) -> None:
    before = site.stored()
    page.context.clear_cookies()
    send(page, make_file(tmp_path / "a.bin", 5))
    said(page, "error", "The CSRF token is missing or wrong")
    send(page, make_file(tmp_path / "a.bin", 5))
    said(page, "success", "a.bin uploaded")
    assert len(site.stored() - before) == 1


def test_a_form_whose_connection_breaks_leaves_nothing(
    page: Page, site: Site, tmp_path: Path
) -> None:
    before = site.stored()
    # Chromium may send it once more by itself.
    faults = [site.proxy.cut(number, after=8 * CHUNK) for number in range(2)]
    file = make_file(tmp_path / "a.bin", LIMIT)
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Upload").click(no_wait_after=True)
    faults[0].wait()
    expect(page).to_have_url("chrome-error://chromewebdata/")  # or it breaks into the next one
    page.goto(site.url)
    site.proxy.clear()
    wait_until(lambda: not site.unfinished())
    send(page, file)
    said(page, "success", "a.bin uploaded")
    assert bytes_of(site.stored() - before) == [file.read_bytes()]
    assert site.unfinished() == set()
