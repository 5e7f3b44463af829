"""Somebody at the page: what they do, what they see, and what the browser complained about."""

from __future__ import annotations

import html
import json
import os
import re
import sqlite3
import time
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Locator,
    Page,
    Route,
    expect,
)

from tests.browser.client import CHUNK
from tests.browser.faults import chunk_of
from tests.browser.site import Site
from tests.support.protocol import md5_of

#: Milliseconds to wait for something on a busy machine.
PATIENCE = 60_000

expect.set_options(timeout=PATIENCE)

#: Names of the unfinished files in the browser's storage, without making that storage.
_REMEMBERED = """async () => {
    const known = (await indexedDB.databases()).some(({name}) => name === "chunked-upload");
    if (!known) return [];
    const request = (asked) => new Promise((resolve, reject) => {
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error);
    });
    const database = await request(indexedDB.open("chunked-upload"));
    try {
        const store = database.transaction("files").objectStore("files");
        const files = await request(store.getAll());
        return files.filter(({result}) => !result).map(({path, name}) => path || name).sort();
    } finally {
        database.close();
    }
}"""

_STATIC = Path(__file__).parents[2] / "static"

#: What the page may not do on its own: a number for each shift of what is seen.
SHIFTS = """
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        if (!entry.hadRecentInput) window.shifts = (window.shifts ?? 0) + entry.value;
    }
}).observe({type: "layout-shift", buffered: true});
"""

#: All that screen readers are told: a sentence stands until the next one takes its place.
SAID = """
window.said = [];
new MutationObserver(() => {
    const words = document.querySelector(".cu [role=status]")?.textContent;
    if (words && words !== said.at(-1)) said.push(words);
}).observe(document, {childList: true, characterData: true, subtree: true});
"""

#: Their dialogs are out of reach; without them the page takes an ``<input>``, and saves a Blob.
NO_PICKERS = "delete window.showOpenFilePicker; delete window.showSaveFilePicker"

#: What a context runs in each page that a visitor sees.
SCRIPTS = (SHIFTS, SAID, NO_PICKERS)


class Visitor:
    """A browser context with the page in one tab.

    :param site: where the page is.
    :param context: it runs :data:`SCRIPTS`.
    :param directory: for the files to upload.
    """

    def __init__(self, site: Site, context: BrowserContext, directory: Path) -> None:
        self.site = site
        self.context = context
        self.directory = directory
        self.complaints: list[str] = []
        site.proxy.keep_alive = True  # the page has many files
        context.set_default_timeout(PATIENCE)
        self.page = self.new_page()

    def new_page(self) -> Page:
        """Open a tab, its console watched."""
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        return page

    def open(self) -> Page:
        """Go to the page and wait until it has asked for the lists."""
        self.page.goto(self.site.url + "/")
        self.wait_for_lists()
        return self.page

    def reload(self) -> None:
        """Load the page again, leaving what is under way."""
        self.page.reload()
        self.wait_for_lists()

    def wait_for_lists(self) -> None:
        self.page.locator(".cu-files").wait_for()  # before, nothing says that they are loading
        expect(self.page.get_by_text("Loading your uploads…")).to_be_hidden(timeout=PATIENCE)

    def prefer(self, language: str) -> None:
        """From the next load on, the browser asks for a language."""
        agent = {"userAgent": self.page.evaluate("navigator.userAgent"), "acceptLanguage": language}
        self._devtools.send("Emulation.setUserAgentOverride", agent)

    def configure(self, **changes: Any) -> None:
        """From the next load on, the page is told something else by its server."""

        def change(route: Route) -> None:
            response = route.fetch()
            before, config, after = re.split(r'data-config="([^"]*)"', response.text())
            told = json.dumps({**json.loads(html.unescape(config)), **changes})
            body = f'{before}data-config="{html.escape(told)}"{after}'
            route.fulfill(response=response, body=body)

        self.page.route(self.site.url + "/", change)

    def serve_sources(self) -> None:
        """From the next load on, get the page's modules as a checkout serves them, unbundled."""

        def serve(route: Route) -> None:
            name = route.request.url.partition("/static/")[2]
            source = _STATIC / re.sub("^v-[0-9a-f]+/", "", name)
            if source.is_file():
                route.fulfill(path=source)
            else:
                route.fallback()

        self.page.route("**/static/**", serve)

    # Files

    def file(self, name: str, size: int) -> Path:
        """Make a file of random bytes."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
        return path

    def pick(self, *files: Path) -> None:
        """Choose files, as through the browser's dialog."""
        self.page.set_input_files("[data-input=files]", files)

    def pick_again(self, button: str, file: Path) -> None:
        """Use a button that opens the browser's dialog, and choose there."""
        with self.page.expect_file_chooser() as chooser:
            self.button(button).click()
        chooser.value.set_files(file)

    def upload(self, *files: Path) -> None:
        """Choose files and wait until they are done."""
        self.pick(*files)
        for file in files:
            self.expect_state(file.name, "done")

    def drop(self, *paths: Path) -> None:
        """Drop files or folders from outside the browser on the middle of the page."""
        for kind in ("dragEnter", "dragOver", "drop"):
            self.drag(kind, *paths)

    def drag(self, kind: str, *paths: Path) -> None:
        """Send the page one of the events of dragging files."""
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        event = {"type": kind, "x": 300, "y": 200, "data": data}
        self._devtools.send("Input.dispatchDragEvent", event)

    @cached_property
    def _devtools(self) -> CDPSession:
        return self.context.new_cdp_session(self.page)

    def hold_chunk(self, number: int = 1, *, of: str | None = None) -> Any:
        """Stop a chunk half-way; see :meth:`tests.browser.proxy.Proxy.hold`.

        :param of: name of the file; needed where several are sent at the same time.
        """
        return self.site.proxy.hold(number, of=None if of is None else chunk_of(of))

    # The page

    def row(self, name: str) -> Locator:
        """The row of a file that was added on this page."""
        return self._row(".cu-row[data-kind=upload]", name)

    def listed(self, name: str) -> Locator:
        """The row of a file from before, finished or not."""
        return self._row(".cu-row:not([data-kind=upload])", name)

    def group(self, name: str) -> Locator:
        """The rows of a group of the list."""
        return self.page.get_by_role("list", name=name, exact=True).locator(".cu-row")

    def first_listed(self) -> str:
        """The name in the first row of a file from before."""
        names = self.page.locator(".cu-row:not([data-kind=upload]) .cu-name")
        name = names.first.get_attribute("title")
        assert name is not None
        return name

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by what a screen reader calls it."""
        return self.page.get_by_role("button", name=name, exact=True)

    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def answer(self, button: str) -> None:
        """Answer the question that is being asked."""
        self.dialog().get_by_role("button", name=button, exact=True).click()
        expect(self.dialog()).to_be_hidden()

    def expect_state(self, name: str, state: str) -> None:
        expect(self.row(name)).to_have_attribute("data-state", state)

    def expect_words(self, name: str, words: str | re.Pattern[str]) -> None:
        expect(self.row(name)).to_contain_text(words)

    def expect_remembered(self, *names: str) -> None:
        """Wait until the browser has stored just these unfinished files.

        A file has a row a moment before it is stored; leaving the page then asks a question.
        """
        deadline = time.monotonic() + PATIENCE / 1000
        while (stored := self.page.evaluate(_REMEMBERED)) != sorted(names):
            assert time.monotonic() < deadline, f"the browser has stored {stored}"
            self.page.wait_for_timeout(20)

    def expect_said(self, words: str | re.Pattern[str]) -> None:
        """Wait until screen readers are told something, or were on this page."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not re.search(
            words if isinstance(words, re.Pattern) else re.escape(words), self._said
        ):
            assert time.monotonic() < deadline, f"what was said: {self._said}"
            self.page.wait_for_timeout(20)

    @property
    def _said(self) -> str:
        return str(self.page.evaluate("window.said.join('\\n')"))

    @property
    def shifts(self) -> float:
        """How much of what is seen has moved by itself (the sum of all layout shifts)."""
        return float(self.page.evaluate("window.shifts ?? 0"))

    # The server

    def listing(self, query: str = "per_page=1000") -> list[dict[str, Any]]:
        """What the server has of this visitor, newest first."""
        answer = self.context.request.get(f"{self.site.url}/uploads/?{query}")
        uploads: list[dict[str, Any]] = answer.json()["uploads"]
        return uploads

    def let_expire(self, name: str) -> None:
        """Make this visitor's uploads of a name too old, in the server's database."""
        expired = [u["upload_id"] for u in self.listing() if u["filename"] == name]
        path = self.site.server.instance / "chunked_upload.db"
        with closing(sqlite3.connect(path, timeout=PATIENCE / 1000)) as database, database:
            for upload_id in expired:
                statement = (
                    "UPDATE chunked_upload SET expires_on = '2000-01-01' WHERE upload_id = ?"
                )
                assert database.execute(statement, [upload_id]).rowcount == 1

    def have(self, *files: Path) -> None:
        """Come back to the page, these files on the server: as uploaded before, in this order."""
        for file in files:
            url = f"{self.site.url}/uploads/{file.name}"
            assert self.context.request.put(url, data=file.read_bytes()).ok
        self.reload()

    def assert_stored(self, *files: Path) -> None:
        """Check that the server has just these files, complete and byte by byte."""
        stored = {u["filename"]: (u["status"], u["md5"]) for u in self.listing()}
        assert stored == {f.name: (2, md5_of(f.read_bytes())) for f in files}

    def _row(self, rows: str, name: str) -> Locator:
        return self.page.locator(rows, has=self.page.get_by_title(name, exact=True))

    def _note(self, message: ConsoleMessage) -> None:
        # A refused request is in the console whatever a page does about it.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


def chunks(number: int) -> int:
    """Return the size of a file of some chunks and a bit."""
    return number * CHUNK + 1
