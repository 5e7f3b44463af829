"""What one test has done in a browser context is not there for the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.proxy import Proxy
from tests.support.kept import KeptContexts

_STORE = """async () => {
    document.cookie = "a=1";
    localStorage.a = sessionStorage.a = "1";
    await new Promise((done) => (indexedDB.open("a").onsuccess = done));
    await caches.open("a");
    await (await navigator.storage.getDirectory()).getFileHandle("a", {create: true});
    return document.hasFocus();
}"""

#: All that is stored for a page, and what it is told of how it is looked at.
_LOOK = """async () => {
    const files = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) files.push(name);
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { state } = await navigator.permissions.query({ name: "clipboard-read" });
    return [document.cookie, localStorage.length, sessionStorage.length, files, dark, still,
        await indexedDB.databases(), await caches.keys(), innerWidth, navigator.onLine, state,
        typeof window.added, history.length > 1];
}"""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(0) as running:
        running.files = {"/page.html": b"<!doctype html><title>A page</title>"}.get
        yield running


def look(page: Page, proxy: Proxy) -> object:
    page.goto(proxy.url + "/page.html")
    return page.evaluate(_LOOK)


def test_nothing_is_left(browser: Browser, kept_contexts: KeptContexts, proxy: Proxy) -> None:
    context = browser.new_context()
    page = context.new_page()
    before = look(page, proxy)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    context.grant_permissions(["clipboard-read"])
    for script in (context.add_init_script, page.add_init_script):
        script("window.added = true")
    page.route("**/*", lambda route: route.fulfill(body="routed"))
    page.set_viewport_size({"width": 320, "height": 640})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert look(page, proxy) != before
    page.evaluate(_STORE)
    other = context.new_page()
    context.set_offline(True)
    kept_contexts.take_back()

    again = browser.new_context()
    assert again is context
    assert again.pages == [page]
    assert other.is_closed()
    assert again.new_page() is page
    assert look(page, proxy) == before
    page.evaluate("console.log('heard?')")
    assert said == []


def test_two_at_a_time_have_nothing_in_common(browser: Browser, proxy: Proxy) -> None:
    one, other = browser.new_page(), browser.new_page(color_scheme="dark")
    for page in (one, other):
        page.goto(proxy.url + "/page.html")
    one.evaluate("document.cookie = 'a=1'")
    assert other.evaluate("document.cookie") == ""


def close(context: BrowserContext) -> None:
    context.close()


def install_a_clock(context: BrowserContext) -> None:
    context.clock.install()
    context.pages[0].reload()


@pytest.mark.parametrize("change", [close, install_a_clock])
def test_what_cannot_be_undone_is_not_lent_again(
    browser: Browser, kept_contexts: KeptContexts, proxy: Proxy, change: object
) -> None:
    context = browser.new_context()
    context.new_page().goto(proxy.url + "/page.html")
    assert callable(change)
    change(context)
    kept_contexts.take_back()
    assert context not in browser.contexts
    assert browser.new_context() is not context
