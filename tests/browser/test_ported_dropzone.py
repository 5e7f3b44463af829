"""Templates written for Flask-Dropzone, only the import changed, in Chromium and under a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.site import AppServer, Site
from tests.browser.zones import ZonePage, need_dropzone
from tests.support.tabs import Browser

APP = Path(__file__).with_name("ported_dropzone.py")

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100_000)

Open = Callable[[str], ZonePage]


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_dropzone()
    with Site(AppServer(tmp_path_factory.mktemp("ported"), APP, {})) as running:
        yield running


@pytest.fixture
def saved(shared_site: Site) -> Path:
    """The folder in which the app's view saves files, emptied."""
    folder = shared_site.server.directory / "saved"
    for path in folder.iterdir():
        path.unlink()
    return folder


@pytest.fixture
def open_page(browser: Browser, shared_site: Site) -> Iterator[Open]:
    """Open pages in one browser; at the end none of them may have complained."""
    context = browser.new_context()
    pages: list[ZonePage] = []

    def open_page(path: str) -> ZonePage:
        pages.append(ZonePage(context, shared_site, path))
        return pages[-1]

    yield open_page
    assert [page.complaints for page in pages] == [[]] * len(pages)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three pictures."""
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(PNG)
    return sorted(tmp_path.glob("*.png"))


def requests_of(saved: Path) -> list[str]:
    """Return the file fields of each request that the app's view has taken."""
    return (saved / "requests.log").read_text().split()


def pictures(saved: Path) -> list[str]:
    return sorted(path.name for path in saved.glob("*.png") if path.read_bytes() == PNG)


def test_the_basic_page_sends_each_file_to_the_view(
    open_page: Open, saved: Path, files: list[Path]
) -> None:
    page = open_page("/basic")
    page.pick(*files)
    page.wait("success", 3)
    said = page.page.locator(".chunked-upload-said")
    expect(said).to_have_text(["Done · 100 kB"] * 3)
    assert requests_of(saved) == ["file"] * 3
    assert pictures(saved) == ["0.png", "1.png", "2.png"]


def test_the_views_refusal_is_shown_at_the_file(
    open_page: Open, saved: Path, tmp_path: Path
) -> None:
    page = open_page("/redirect")
    (tmp_path / "a.jpg").write_bytes(PNG)
    page.pick(tmp_path / "a.jpg")
    page.wait("error")
    assert page.page.locator("[data-dz-errormessage]").inner_text() == "PNG only!"
    assert page.page.url.endswith("/redirect")  # it stays, since a file has failed
    assert pictures(saved) == []
    page.complaints.clear()  # Chromium's own, of the status 400


def test_after_all_files_the_redirect(open_page: Open, saved: Path, files: list[Path]) -> None:
    page = open_page("/redirect")
    with page.going_to("/completed"):
        page.pick(*files)
    assert pictures(saved) == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize(("path", "button"), [("/parallel", None), ("/click", "#upload")])
def test_several_files_in_one_request(
    open_page: Open, saved: Path, files: list[Path], path: str, button: str | None
) -> None:
    page = open_page(path)
    with page.going_to("/completed"):
        page.pick(*files)
        if button:
            page.page.click(button)
    assert requests_of(saved) == ["file[0],file[1],file[2]"]
    assert pictures(saved) == ["0.png", "1.png", "2.png"]


def test_javascript_with_a_nonce_runs(open_page: Open, saved: Path, files: list[Path]) -> None:
    page = open_page("/custom")
    page.pick(*files)
    assert page.page.locator(".dz-remove").count() == 3
    assert not (saved / "requests.log").exists()
    page.page.click("#upload-btn")
    expect(page.page).to_have_title("saved", timeout=60_000)


def test_two_zones_each_with_its_options(open_page: Open, saved: Path, files: list[Path]) -> None:
    page = open_page("/two")
    assert page.page.locator(".dz-default").all_inner_texts() == ["Dropzone Foo", "Dropzone Bar"]
    for number in (1, 0):  # Dropzone makes a new input, at the page's end, for each choice
        page.pick(files[number], zone=number)
    page.wait("success", 2)
    links = [page.page.locator(f"#{name} .dz-remove").count() for name in ("foo", "bar")]
    assert links == [0, 1]


def test_a_form_is_submitted_after_its_files(
    open_page: Open, saved: Path, files: list[Path]
) -> None:
    page = open_page("/in-form")
    page.page.fill("[name=title]", "Album")
    page.pick(*files)
    with page.going_to("/form"):
        page.page.click("#submit")
    assert page.page.locator("body").inner_text() == (
        "form submitted: Album, ['0.png', '1.png', '2.png']"
    )
