"""The description of the API as a page: within its policy, for everybody, on any screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import violations
from tests.support.server import Server

URL = "/openapi"


@pytest.fixture(scope="module")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place: Path = tmp_path_factory.mktemp("openapi")
    with Server(place, {"CHUNKED_UPLOAD_SHARE": "1"}) as running:
        yield running


def opened(browser: Browser, server: Server, *, width: int, colours: str) -> tuple[Page, list[str]]:
    """Return the page with every request shown, and what its console says."""
    page = browser.new_page(
        viewport={"width": width, "height": 800},
        color_scheme=colours,  # type: ignore[arg-type]
    )
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(server.url + URL)
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    return page, said


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (1280, "dark"), (320, "light")])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: Browser, page_server: Server, width: int, colours: str
) -> None:
    page, said = opened(browser, page_server, width=width, colours=colours)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []


def test_a_request_is_shown_with_its_errors(browser: Browser, page_server: Server) -> None:
    page, _ = opened(browser, page_server, width=1280, colours="light")
    complete = page.locator("#complete_upload")
    for text in ("/uploads/complete", "upload_id", "md5 checksum does not match", "507"):
        assert text in complete.inner_text()
    assert page.locator("html").evaluate("(e) => getComputedStyle(e).backgroundColor") == (
        "rgb(245, 246, 248)"
    )
