"""What the browser tests share: sites that last for a worker, and browsers that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser as Process
from playwright.sync_api import BrowserContext, Playwright

from tests.browser.client import Client
from tests.browser.clients.page import PAGE
from tests.browser.library import LibraryPage, Network
from tests.browser.site import Site, Sites
from tests.browser.visitor import SCRIPTS, Visitor
from tests.support.browser import launch, persistent_context
from tests.support.server import Server
from tests.support.tabs import Browser


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """Servers behind a network with faults, one for each configuration."""
    with Sites(tmp_path_factory.mktemp("sites")) as running:
        yield running


@pytest.fixture
def open_browser(playwright: Playwright) -> Iterator[Callable[[Path], BrowserContext]]:
    """Start browsers of their own; ``open_browser(profile)``."""
    contexts: list[BrowserContext] = []

    def start(profile: Path) -> BrowserContext:
        contexts.append(persistent_context(playwright, profile))
        return contexts[-1]

    yield start
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def whole_tabs(playwright: Playwright) -> Iterator[Browser]:
    """Chromium as people have it: where a form cannot be sent, it shows a page of its own."""
    with launch(playwright, whole=True) as process:
        yield Browser(process)


@pytest.fixture
def whole_browser(whole_tabs: Browser, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """As above, without pages of other tests."""
    yield from lend(whole_tabs, request)


@pytest.fixture(scope="session")
def tabs(browser_process: Process) -> Browser:
    """The tabs of this process's tests."""
    return Browser(browser_process)


@pytest.fixture
def browser(tabs: Browser, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium without pages of other tests; the next test may have this one's tabs, wiped."""
    yield from lend(tabs, request)


def lend(tabs: Browser, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Let a test have tabs; the next may have them if this one does not fail."""
    failed = request.session.testsfailed
    yield tabs
    tabs.take_back(sound=request.session.testsfailed == failed)


@pytest.fixture(scope="session")
def library_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The server of the client library's tests, with nothing configured."""
    with Site(Server(tmp_path_factory.mktemp("library"))) as running:
        yield running


@pytest.fixture
def network(library_site: Site) -> Network:
    """A server behind a network with faults."""
    return Network(library_site)


@pytest.fixture
def library(browser: Browser, network: Network) -> Callable[..., LibraryPage]:
    """Open tabs with the client library, all of one browser; keywords are its options."""
    context = browser.new_context()

    def open_tab(**options: Any) -> LibraryPage:
        return LibraryPage(context, network.proxy, **options)

    return open_tab


@pytest.fixture
def visit(sites: Sites, browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Visitor]]:
    """Go to the page as somebody new; keywords are the browser context's.

    They want less motion, unless the keywords say otherwise: drawing it takes a tenth of the tests'
    processor time. No script looks at it. Whatever happens, nothing may be amiss in the console.
    """
    visitors: list[Visitor] = []

    def go(client: Client = PAGE, **options: Any) -> Visitor:
        context = browser.new_context(scripts=SCRIPTS, **{"reduced_motion": "reduce", **options})
        visitors.append(Visitor(sites.of(client), context, tmp_path))
        visitors[-1].open()
        return visitors[-1]

    yield go
    for visitor in visitors:
        visitor.site.proxy.clear()
        assert visitor.complaints == []


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """Somebody new at the page."""
    return visit()
