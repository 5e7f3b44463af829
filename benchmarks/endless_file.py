"""Memory of Chromium over one very large upload: ``python -m benchmarks.endless_file --gb 100``.

The file and the server are simulated (tests/browser/endless.py). Prints the size of the page's
heap, and of all of the browser's processes, at even distances. tests/browser/test_endless.py
checks that they do not grow.
"""

from __future__ import annotations

import argparse

from playwright.sync_api import sync_playwright

from tests.browser.endless import Sink, upload
from tests.support import browser as chromium


def main() -> None:
    """Upload, and print the memory on the way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gb", type=int, default=4, help="size of the file, in 10^9 bytes (4)")
    parser.add_argument("--looks", type=int, default=10, help="how often the memory is looked at")
    options = parser.parse_args()
    with (
        Sink(options.gb * 10**9) as sink,
        sync_playwright() as playwright,
        chromium.launch(playwright) as browser,
    ):
        for look in upload(browser.new_page(), sink, options.looks):
            print(
                f"{look.reached / 1e9:7.2f} GB: heap {look.heap / 2**20:.2f} MiB,"
                f" browser {look.browser / 2**20:.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
