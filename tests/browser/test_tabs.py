"""The tabs that tests hand on: nothing of an earlier test is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser as Process
from playwright.sync_api import Page

from tests.browser.proxy import Proxy
from tests.support.tabs import Browser

#: What a test may leave behind that is kept for an origin.
_KEEP = """async () => {
    document.cookie = "a=1";
    localStorage.setItem("a", "1");
    await (await caches.open("a")).put("/a", new Response("1"));
    const file = await (await navigator.storage.getDirectory()).getFileHandle("a", {create: true});
    await new Promise((done) => (indexedDB.open("a").onsuccess = done));
    window.a = 1;
}"""

_KEPT = """async () => {
    const files = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) files.push(name);
    return [document.cookie, ...Object.keys(localStorage), ...Object.keys(sessionStorage),
        ...(await caches.keys()), ...files, ...(await indexedDB.databases()), window.a ?? "",
    ].join("");
}"""


@pytest.fixture(scope="module")
def pages() -> Iterator[Proxy]:
    with Proxy(0) as running:
        running.files = {"/page.html": b"<!doctype html><title>of the server</title>"}.get
        yield running


@pytest.fixture
def tabs(browser_process: Process) -> Iterator[Browser]:
    own = Browser(browser_process)
    yield own
    own.close()


def open_page(tabs: Browser, pages: Proxy) -> Page:
    page = tabs.new_page()
    page.goto(f"{pages.url}/page.html")
    return page


def test_a_tab_is_handed_on_and_is_empty(tabs: Browser, pages: Proxy) -> None:
    first = open_page(tabs, pages)
    told: list[str] = []
    first.on("console", lambda message: told.append(message.text))
    first.route("**/page.html", lambda route: route.fulfill(body="of the test"))
    first.context.route("**/page.html", lambda route: route.fulfill(body="of the test"))
    first.context.new_page()
    first.evaluate(_KEEP)
    assert first.evaluate(_KEPT) == "a=1aaa[object Object]1"
    tabs.take_back(sound=True)
    second = open_page(tabs, pages)
    assert second is first
    assert second.title() == "of the server"
    assert second.evaluate(_KEPT) == ""
    assert len(second.context.pages) == 1
    second.evaluate("console.log('a')")
    assert told == []


@pytest.mark.parametrize(
    "done",
    [
        lambda page: page.add_init_script("window.a = 1"),
        lambda page: page.context.add_init_script("window.a = 1"),
        lambda page: page.set_viewport_size({"width": 400, "height": 300}),
        lambda page: page.clock.install(),
        lambda page: page.evaluate("sessionStorage.setItem('a', '1')"),
        lambda page: page.goto(page.url.replace("127.0.0.1", "localhost")),
        lambda page: page.context.new_page().goto(page.url.replace("127.0.0.1", "localhost")),
        lambda page: page.close(),
        lambda page: page.context.close(),
    ],
)
def test_one_in_which_something_would_stay_is_closed(
    tabs: Browser, pages: Proxy, done: Callable[[Page], object]
) -> None:
    first = open_page(tabs, pages)
    done(first)
    tabs.take_back(sound=True)
    assert first.is_closed()
    assert open_page(tabs, pages) is not first


def test_those_of_a_failed_test_and_of_other_options_are_not_handed_on(
    tabs: Browser, pages: Proxy
) -> None:
    first = open_page(tabs, pages)
    assert open_page(tabs, pages) is not first, "it is in use"
    tabs.take_back(sound=False)
    assert first.is_closed()
    dark = tabs.new_page(color_scheme="dark")
    tabs.take_back(sound=True)
    assert tabs.new_page() is not dark
    assert tabs.new_page(color_scheme="dark") is dark
