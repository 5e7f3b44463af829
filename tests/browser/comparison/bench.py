"""A server behind a line, and one of the four pages in Chromium."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.comparison.filepond_server import FilePondServer
from tests.browser.comparison.peers import HERE, Peer
from tests.browser.proxy import Proxy
from tests.support import npm
from tests.support.server import Server

#: Bytes a second of the line on which files are sent.
LINE = 1_000_000
#: Bytes of a file that is interrupted.
SIZE = 8_000_000

LONG_TASKS = """
window.longest = 0;
new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longest = Math.max(longest, duration);
}).observe({ type: "longtask", buffered: true });
"""


class Bench:
    """A server behind a line, and one of the pages."""

    def __init__(self, peer: Peer, browser: Browser, directory: Path, made: Path) -> None:
        self.peer = peer
        self._browser = browser
        self._made = made
        self._stack = ExitStack()
        self.directory = directory
        if peer.name == "FilePond":
            self.server: Server | None = None
            port = self._stack.enter_context(FilePondServer()).server_port
        else:
            environment = {"CHUNKED_UPLOAD_DENIED_EXTENSIONS": "exe"}
            self.server = self._stack.enter_context(Server(directory, environment))
            port = self.server.port
        self.proxy = self._stack.enter_context(Proxy(port))
        self.proxy.files = self._file

    def _file(self, path: str) -> bytes | None:
        if path.startswith("/npm/"):
            return (npm.MODULES / path.removeprefix("/npm/")).read_bytes()
        if path.startswith("/made/"):
            return (self._made / path.removeprefix("/made/")).read_bytes()
        page = HERE / path.removeprefix("/")
        return page.read_bytes() if path.endswith(".html") and page.is_file() else None

    @contextmanager
    def page(self, *, slow: bool = True, **options: Any) -> Iterator[Page]:
        """Open the page as a new visitor."""
        self.proxy.clear()
        self.proxy.keep_alive = True
        context = self._browser.new_context(bypass_csp=True, **options)
        context.set_default_timeout(20_000)
        context.add_init_script("delete window.showOpenFilePicker")
        context.add_init_script(LONG_TASKS)
        yield self._open(context, slow=slow)
        context.close()

    def _open(self, context: BrowserContext, *, slow: bool) -> Page:
        page = context.new_page()
        page.goto(f"{self.proxy.url}{self.peer.path}")
        page.locator(self.peer.input).wait_for(state="attached")
        page.wait_for_timeout(1000)
        if slow:
            line = {"offline": False, "latency": 0, "downloadThroughput": -1}
            session = context.new_cdp_session(page)
            session.send("Network.emulateNetworkConditions", {**line, "uploadThroughput": LINE})
        return page

    def file(self, name: str, size: int = SIZE) -> Path:
        path = self.directory / name
        path.write_bytes(os.urandom(size))
        return path

    @property
    def sent(self) -> int:
        return sum(request.received for request in self.proxy.chunks)

    def wait_until_sent(self, count: int, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while self.sent < count and time.monotonic() < deadline:
            time.sleep(0.05)

    def wait_until_quiet(self, seconds: float = 30) -> None:
        """Wait until nothing is sent for three seconds."""
        deadline, before, since = time.monotonic() + seconds, -1, time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - since < 3:
            if self.sent != before:
                before, since = self.sent, time.monotonic()
            time.sleep(0.1)

    def close(self) -> None:
        self._stack.close()
