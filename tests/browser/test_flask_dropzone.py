"""Flask-Dropzone 2.0 itself in front of the service, in the example's pages.

Files of all sizes over a bad network are the matrix's (test_matrix.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import AppServer, Site
from tests.browser.trial import make_file
from tests.browser.zones import CHUNK, ROOT, bytes_of
from tests.support.tabs import Browser

EXAMPLE = ROOT / "examples" / "flask_dropzone_app.py"

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example, with small chunks, and tokens that have expired as soon as they are made."""
    environment = {"FLASK_CHUNK_SIZE": str(CHUNK), "FLASK_WTF_CSRF_TIME_LIMIT": "-1"}
    directory = tmp_path_factory.mktemp("flask-dropzone")
    with Site(AppServer(directory, EXAMPLE, environment)) as running:
        yield running


@pytest.fixture
def site(shared_site: Site) -> Site:
    """The example, its network mended."""
    shared_site.proxy.clear()
    return shared_site


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Open]:
    """Open a page of the example; at the end its scripts must have made no mistake."""
    page = browser.new_page()
    page.set_default_timeout(60_000)
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))

    def open_page(path: str = "/") -> Page:
        page.goto(site.url + path)
        return page

    yield open_page
    assert mistakes == []


def pick(page: Page, *files: Path) -> None:
    page.set_input_files(".dz-hidden-input", files)


@pytest.mark.parametrize("size", [CHUNK, 2 * CHUNK + 1])
def test_whole_or_in_chunks_then_the_redirect(
    open_page: Open, site: Site, tmp_path: Path, size: int
) -> None:
    """The token in the form is older than Flask-WTF would take: long uploads need no more."""
    before = site.stored()
    page = open_page()
    file = make_file(tmp_path / "file.bin", size)
    pick(page, file)
    page.wait_for_url("**/thanks")
    assert bytes_of(site.stored() - before) == [file.read_bytes()]
    assert [chunk.status for chunk in site.proxy.chunks] == [200] * max(-(-size // CHUNK), 1)


def test_several_files_on_a_click_in_one_request(
    open_page: Open, site: Site, tmp_path: Path
) -> None:
    before = site.stored()
    page = open_page("/click")
    files = [make_file(tmp_path / f"{number}.bin", CHUNK * number) for number in range(3)]
    pick(page, *files)
    page.click("#upload")
    page.wait_for_url("**/thanks")
    assert bytes_of(site.stored() - before) == sorted(file.read_bytes() for file in files)
    assert len(site.proxy.chunks) == 1


def test_without_its_token_the_server_refuses(open_page: Open, site: Site, tmp_path: Path) -> None:
    before = site.stored(), site.unfinished()
    page = open_page()
    page.evaluate("Dropzone.instances[0].off('queuecomplete')")  # it redirects after errors, too
    page.evaluate("delete Dropzone.instances[0].options.headers['X-CSRF-Token']")
    pick(page, make_file(tmp_path / "file.bin", 5))
    shown = page.locator("[data-dz-errormessage]")
    expect(shown).to_have_text("The CSRF token is missing or wrong", timeout=60_000)
    assert (site.stored(), site.unfinished()) == before


def test_the_servers_refusal_is_shown(open_page: Open, site: Site, tmp_path: Path) -> None:
    page = open_page()
    page.evaluate("Dropzone.instances[0].off('queuecomplete')")
    page.evaluate("Dropzone.instances[0].options.acceptedFiles = null")
    pick(page, make_file(tmp_path / "program.exe", 5))
    shown = page.locator("[data-dz-errormessage]")
    expect(shown).to_have_text(
        "Files of type 'exe' are not accepted, only: jpg, png, pdf, bin", timeout=60_000
    )


@pytest.mark.parametrize("size", [5, 2 * CHUNK])
def test_removing_a_file_removes_it_from_the_server(
    open_page: Open, site: Site, tmp_path: Path, size: int
) -> None:
    before = site.stored(), site.unfinished()
    page = open_page()
    page.evaluate("Dropzone.instances[0].off('queuecomplete')")
    pick(page, make_file(tmp_path / "file.bin", size))
    page.locator(".dz-success").wait_for()
    with page.expect_response(lambda response: response.request.method == "DELETE") as gone:
        page.evaluate("Dropzone.instances[0].removeAllFiles()")
    assert gone.value.status == 204
    assert (site.stored(), site.unfinished()) == before
