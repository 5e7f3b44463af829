"""The page while a line breaks, in pictures: ``python -m benchmarks.picture_strip``.

A person uploads one file at the page, and the line breaks again and again. What the page says each
time goes into one picture, docs/images/page-breaks.png. The bytes that were sent are printed::

    python -m benchmarks.picture_strip --mib 5120 --rate 50 --breaks 5
"""

from __future__ import annotations

import argparse
import base64
import os
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.line import Line
from tests.browser.screenshots import IMAGES, make_small
from tests.support import browser as chromium
from tests.support.server import Server

#: Seconds for which the line is broken, and after which the page is looked at.
BROKEN, LOOK = 8, 4

#: Milliseconds for a whole upload.
PATIENCE = 3_600_000

WIDTH = 640


def main() -> None:
    """Upload, break the line, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mib", type=int, default=128, help="size of the file (128)")
    parser.add_argument("--rate", type=float, default=10, help="MB/s of the line (10)")
    parser.add_argument("--breaks", type=int, default=5, help="how often it breaks (5)")
    parser.add_argument("--directory", help="where the file and the server's are (a new one)")
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.directory)))
        file = directory / "the whole archive.tar"
        with file.open("wb") as stream:
            for _ in range(options.mib):
                stream.write(os.urandom(2**20))
        server = stack.enter_context(Server(directory))
        line = stack.enter_context(Line(server.port, delay=0.01, rate=options.rate * 1e6))
        playwright = stack.enter_context(sync_playwright())
        browser = stack.enter_context(chromium.launch(playwright))
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.set_default_timeout(PATIENCE)
        pictures = upload(page, line, file, options.breaks)
        strip(browser, pictures, IMAGES / "page-breaks.png")


def upload(page: Page, line: Line, file: Path, breaks: int) -> list[tuple[str, bytes]]:
    """Upload at the page; return what to say of each picture, and the picture."""
    size = file.stat().st_size
    page.goto(line.url + "/")
    before = line.counts.sent
    page.locator("input[type=file]").first.set_input_files(file)
    pictures: list[tuple[str, bytes]] = []

    def look(words: str) -> None:
        sent = line.counts.sent - before
        words = f"{words}: {sent / 1e6:,.1f} MB have been sent"
        pictures.append((words, page.locator("#cu-files").screenshot()))
        print(words, flush=True)

    for number in range(1, breaks + 1):
        while line.counts.sent - before < size * number / (breaks + 1):
            page.wait_for_timeout(50)
        if number == 1:
            look("Before the first break")
        broken = threading.Thread(target=line.cut, args=(BROKEN,))
        broken.start()
        page.wait_for_timeout(LOOK * 1000)
        look(f"Break {number}")
        broken.join()
    expect(page.get_by_text("1 of 1 done")).to_be_visible(timeout=PATIENCE)
    look(f"Done, {size / 1e6:,.1f} MB")
    print(f"{(line.counts.sent - before) / size:.4f} of the file's size")
    return pictures


def strip(browser: Browser, pictures: list[tuple[str, bytes]], path: Path) -> None:
    """Write pictures below each other, in two columns."""
    figures = "".join(
        f"<figure><figcaption>{words}</figcaption>"
        f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}"></figure>'
        for words, picture in pictures
    )
    page = browser.new_page(viewport={"width": 2 * WIDTH, "height": 100})
    style = (
        "body { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; margin: 16px;"
        " font: 15px sans-serif } figure { margin: 0 } img { width: 100% }"
    )
    page.set_content(f"<style>{style}</style>{figures}")
    page.screenshot(path=path, full_page=True)
    make_small(path)


if __name__ == "__main__":
    main()
