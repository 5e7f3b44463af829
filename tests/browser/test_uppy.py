"""What the matrix does not try of Uppy's Dashboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.client import CHUNK
from tests.browser.clients.tus import CLIENTS, INPUT
from tests.browser.library import Network
from tests.browser.proxy import Proxy
from tests.browser.site import Site, Sites
from tests.browser.trial import make_file
from tests.support.tabs import Browser

[UPPY] = [client for client in CLIENTS if client.page == "uppy.html"]


@pytest.fixture
def site(sites: Sites) -> Site:
    return sites.of(UPPY)


@pytest.fixture
def network(site: Site) -> Network:
    return Network(site)


@pytest.fixture
def page(browser: Browser, network: Network, site: Site) -> Page:
    site.publish(UPPY)
    tab = browser.new_context().new_page()
    tab.set_default_timeout(60_000)
    UPPY.open(tab, site.url)
    return tab


def test_cancel_removes_what_the_server_has(page: Page, network: Network, tmp_path: Path) -> None:
    held = network.proxy.hold(1)
    page.set_input_files(INPUT, make_file(tmp_path / "file.bin", 2 * CHUNK))
    held.wait()
    page.get_by_role("button", name="Cancel").first.click()
    network.proxy.wait(lambda proxy: 204 in deleted(proxy))
    held.finish()
    assert network.unfinished == []
    assert network.stored == []


def deleted(proxy: Proxy) -> list[int | None]:
    """Return the statuses of the requests that delete uploads."""
    return [request.status for request in proxy.requests if request.method == "DELETE"]


def test_paused_files_continue_where_the_server_stands(
    page: Page, network: Network, tmp_path: Path
) -> None:
    file = make_file(tmp_path / "file.bin", 3 * CHUNK)
    held = network.proxy.hold(1)
    page.set_input_files(INPUT, file)
    held.wait()
    page.get_by_role("button", name="Pause").first.click()
    page.get_by_role("button", name="Resume").first.click()
    page.wait_for_selector(UPPY.done)
    held.finish()
    assert [path.read_bytes() for path in network.stored] == [file.read_bytes()]
    assert network.sent < 4 * CHUNK
