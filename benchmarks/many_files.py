"""A folder of very many files on the page: ``python -m benchmarks.many_files --files 50000``.

The folder is dropped on the page, all is paused, the page is loaded again, and everything is
resumed from the folder until the server has it. Prints, for each step, the seconds until it was
seen, the longest task of the page in it (for so long the page stood still), and its heap. At the
end the server's files are compared with the folder's.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from tests.support import browser as chromium
from tests.support.server import Server

#: Files in a folder of the folder.
TOGETHER = 1000

#: Milliseconds for a step, and for the upload of all files.
PATIENCE, LONG_PATIENCE = 240_000, 3_600_000

#: Notes the longest task.
WATCH = """
window.longest = 0;
new PerformanceObserver((list) => {
    for (const {duration} of list.getEntries()) longest = Math.max(longest, duration);
}).observe({type: "longtask"});
"""

#: Whether the page lets the user leave without a question.
LEAVES = "() => dispatchEvent(new Event('beforeunload', {cancelable: true}))"


def main() -> None:
    """Add, pause, reload, resume and finish the files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=5000, help="how many (5000)")
    parser.add_argument("--listed-only", action="store_true", help="stop before they are uploaded")
    options = parser.parse_args()
    expect.set_options(timeout=PATIENCE)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = make_folder(directory / "folder", options.files)
        server = stack.enter_context(Server(directory))
        playwright = stack.enter_context(sync_playwright())
        page = stack.enter_context(chromium.launch(playwright)).new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH)
        page.goto(f"http://127.0.0.1:{server.port}/")
        expect(page.locator(".cu-files")).to_contain_text("Nothing here yet")
        play(page, folder, options.files, finish=not options.listed_only)
        if not options.listed_only:
            compare(server, folder)


def make_folder(folder: Path, count: int) -> Path:
    """Make a folder of so many small files."""
    for number in range(count):
        file = folder / f"{number // TOGETHER:03}" / f"{number:05}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}")
    return folder


def play(page: Page, folder: Path, count: int, *, finish: bool) -> None:
    """Take the steps."""
    devtools = page.context.new_cdp_session(page)
    words = f"{count:,}"
    with measured(page, devtools, "dropped, all listed"):
        drop(devtools, folder)
        expect(page.locator(".cu-summary")).to_contain_text(f"of {words} done")
    with measured(page, devtools, "scrolled to the last one"):
        page.locator(".cu-scroll").evaluate("box => box.scrollTo(0, box.scrollHeight)")
        page.evaluate("() => new Promise((drawn) => setTimeout(drawn, 300))")
    with measured(page, devtools, "all paused"):
        page.get_by_role("button", name="Pause all", exact=True).click()
        expect(page.locator(".cu-summary")).to_contain_text("files paused")
    with measured(page, devtools, "stored, the page may be left"):
        page.wait_for_function(LEAVES)
    with measured(page, devtools, "loaded again, all listed"):
        page.reload()
        expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
        expect(page.get_by_text("Loading your uploads…")).to_be_hidden()
    print(page.get_by_role("heading", name="Needs you").inner_text().replace("\n", " "))
    with measured(page, devtools, "resumed from the folder, all listed"):
        page.get_by_role("button", name="Resume all unfinished uploads").click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("dialog").get_by_role("button", name="Choose a folder").click()
        chooser.value.set_files(folder)
        expect(page.get_by_role("heading", name="Needs you")).to_be_hidden()
    if finish:
        with measured(page, devtools, "all uploaded"):
            expect(page.locator(".cu-summary")).to_contain_text("uploaded", timeout=LONG_PATIENCE)
            expect(page.get_by_role("heading", name=f"Done {words}")).to_be_visible()


@contextmanager
def measured(page: Page, devtools: CDPSession, step: str) -> Iterator[None]:
    """Print a step's figures."""
    page.evaluate("window.longest = 0")
    begun = time.monotonic()
    yield
    taken = time.monotonic() - begun
    page.evaluate("() => new Promise((told) => setTimeout(told, 100))")  # the observer's turn
    longest = page.evaluate("window.longest")
    devtools.send("HeapProfiler.collectGarbage")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"] / 2**20
    print(
        f"{step:36} {taken:8.1f} s, longest task {longest:6.0f} ms, heap {heap:6.1f} MiB",
        flush=True,
    )


def drop(devtools: CDPSession, folder: Path) -> None:
    """Drop a folder from outside the browser on the page."""
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 300, "y": 200, "data": data}
        devtools.send("Input.dispatchDragEvent", event)


def compare(server: Server, folder: Path) -> None:
    """Say whether the server has all of the folder's files, complete and once."""
    statement = "SELECT status, filename FROM chunked_upload"
    with closing(sqlite3.connect(server.instance / "chunked_upload.db")) as database:
        stored = sorted(database.execute(statement))
    wanted = sorted((2, file.name) for file in folder.glob("*/*"))
    print(
        f"{len(stored):,} stored, {'none lost' if stored == wanted else 'NOT those of the folder'}"
    )


if __name__ == "__main__":
    main()
