"""1 GiB from the first byte to "done": each client in Chromium, and the same file with curl.

Straight to the server, without the proxy of the matrix; only ``make clients`` runs it.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.client import CURL, LARGE, LARGE_CHUNK, ROOT, Client, all_clients
from tests.browser.proxy import Proxy
from tests.browser.site import Site
from tests.browser.trial import LONG_PATIENCE, make_file
from tests.support.server import Server

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

Record = Callable[[str, object], None]


def measurable(client: Client) -> bool:
    """Whether its page can be told where the server is, or comes from there."""
    if not client.chunked or client.app is not None:
        return False
    return client.source is None or client.endpoint is not None


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    path = make_file(tmp_path / "large.bin", LARGE)
    yield path
    path.unlink()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as running:
        yield running


@pytest.mark.parametrize("client", [c for c in all_clients() if measurable(c)], ids=str)
def test_a_client(
    client: Client,
    browser_process: Browser,
    large: Path,
    tmp_path: Path,
    stack: ExitStack,
    record_property: Record,
) -> None:
    pages = stack.enter_context(Proxy(0))
    setting = {"CHUNKED_UPLOAD_CORS_ORIGINS": pages.url, **client.settings(LARGE_CHUNK)}
    (tmp_path / "server").mkdir()
    site = stack.enter_context(Site(Server(tmp_path / "server", setting)))
    pages.files = lambda path: site.proxy.files(path) or _script(path)
    page = stack.enter_context(browser_process.new_context()).new_page()
    if client.source is None:
        client.open(page, site.server.url)
    else:
        endpoint = {**client.attributes, "endpoint": f"{site.server.url}{client.endpoint}"}
        site.publish(replace(client, attributes=endpoint), LARGE_CHUNK)
        client.open(page, pages.url)
    begun = time.monotonic()
    client.begin(page, [large])
    page.locator(client.done).wait_for(state="attached", timeout=LONG_PATIENCE)
    _note(record_property, client.name, time.monotonic() - begun)
    for path in site.stored():
        path.unlink()


def test_curl(large: Path, tmp_path: Path, stack: ExitStack, record_property: Record) -> None:
    (tmp_path / "server").mkdir()
    server = stack.enter_context(Server(tmp_path / "server"))
    script = [str(ROOT / "examples" / "upload.sh"), str(large), f"{server.url}/uploads/"]
    environment = {**server.environment, "CHUNK": str(LARGE_CHUNK)}
    begun = time.monotonic()
    subprocess.run(script, check=True, env=environment, capture_output=True)
    _note(record_property, CURL, time.monotonic() - begun)


def _script(path: str) -> bytes | None:
    """Return a file that pages find at ``/static/`` of the server they come from."""
    file = (ROOT / path.lstrip("/")).resolve()
    inside = file.is_relative_to(ROOT / "static") and file.is_file()
    return file.read_bytes() if inside else None


def _note(record_property: Record, client: str, seconds: float) -> None:
    record_property("client", client)
    record_property("seconds", round(seconds, 1))
