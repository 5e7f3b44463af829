"""The description of the API as a page: Swagger UI, within the page's policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.server import Server
from tests.support.tabs import Browser

URL = "/openapi"


@pytest.fixture(scope="module")
def page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place: Path = tmp_path_factory.mktemp("openapi")
    with Server(place, {"CHUNKED_UPLOAD_SHARE": "1"}) as running:
        yield running


def opened(browser: Browser, url: str) -> tuple[Page, list[str]]:
    """Return the page, and what its console says; what its policy refuses is said there, too."""
    page = browser.new_page(color_scheme="dark")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url)
    page.locator(".opblock").first.wait_for()
    return page, said


def test_requests_are_listed_and_one_is_shown_and_tried_out(
    browser: Browser, page_server: Server
) -> None:
    """In the system's dark colours, which it follows."""
    page, said = opened(browser, page_server.url + URL)
    ground = page.locator("html").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert max(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))) < 80
    page.emulate_media(color_scheme="light")
    expect(page.locator("html.dark-mode")).to_have_count(0)
    for verb, path in [("POST", "/uploads/complete"), ("PATCH", "/uploads/tus/{upload_id}")]:
        shown = page.locator(".opblock-summary").filter(has_text=verb).filter(has_text=path)
        assert shown.count() == 1, (verb, path)
    quota = page.locator("[id$=get_quota]")
    quota.locator(".opblock-summary-control").click()
    expect(quota).to_contain_text("A limit that does not exist is null.")
    expect(quota).to_contain_text("What the caller may have, and has, now.")
    quota.get_by_role("button", name="Try it out").click()
    quota.get_by_role("button", name="Execute").click()
    expect(quota.locator(".live-responses-table")).to_contain_text('"requests_per_second": null')
    assert said == []
