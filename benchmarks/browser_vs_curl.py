"""One file by the library in Chromium, and by curl: ``python -m benchmarks.browser_vs_curl``.

Both send the same file in chunks of the same size to the same server, in turns, and have it checked
by its MD5, which both compute while they send (curl by examples/upload.sh). Timed from the first
byte to "done". On a busy machine read the ratio, and the processor's seconds beside the clock's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.trial import make_file
from tests.support import browser as chromium
from tests.support.server import Server

ROOT = Path(__file__).parents[1]

#: A page of the server's origin without a policy, to put an input into.
PAGE = "/uploads/"

UPLOAD = """
async ({chunkSize, md5}) => {
    const { ChunkedUploader } = await import("/static/chunked-upload.js");
    const uploader = new ChunkedUploader({ chunkSize, md5 });
    const begun = performance.now();
    const upload = uploader.add(document.querySelector("input").files[0]);
    let sent = 0;
    upload.addEventListener("statechange", ({ detail }) => {
        if (detail.to === "completing") sent ||= performance.now();
    });
    const error = await new Promise((resolve) => {
        upload.addEventListener("done", () => resolve(null));
        upload.addEventListener("error", ({ detail }) => resolve(detail.error.message));
    });
    if (error && md5) throw new Error(error);
    if (upload.uploadId) await uploader.remove(upload.uploadId);
    uploader.close();
    return { sent: (sent - begun) / 1000, done: (performance.now() - begun) / 1000 };
}
"""


def main() -> None:
    """Measure in turns and print each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mib", type=int, default=1024, help="size of the file (1024)")
    parser.add_argument("--chunk", type=int, default=8, help="MiB of a chunk (8)")
    parser.add_argument("--runs", type=int, default=3, help="how often each (3)")
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = make_file(directory / "file.bin", options.mib * 2**20)
        server = stack.enter_context(Server(directory))
        playwright = stack.enter_context(sync_playwright())
        page = stack.enter_context(chromium.launch(playwright)).new_page()
        page.set_default_timeout(0)
        chunk = options.chunk * 2**20
        ways: dict[str, Callable[[], str]] = {
            "library": lambda: by_library(page, server, file, chunk, md5=True),
            "library, no MD5": lambda: by_library(page, server, file, chunk, md5=False),
            "curl": lambda: by_curl(server, file, chunk),
        }
        compare(ways, options.runs)


def compare(ways: dict[str, Callable[[], str]], runs: int) -> None:
    """Run each way in turn; print what each took, and the ratio of the medians."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            begun = time.monotonic()
            said = way()
            seconds[name].append(time.monotonic() - begun)
            print(f"{name:16} {seconds[name][-1]:6.2f} s  {said}", flush=True)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name, median in medians.items():
        print(f"{name:16} median {median:.2f} s, {median / medians['curl']:.2f} of curl's")


def by_library(page: Page, server: Server, file: Path, chunk: int, *, md5: bool) -> str:
    """Upload in Chromium; returns what the page says."""
    page.goto(server.url + PAGE)
    page.evaluate("document.body.innerHTML = '<input type=file>'")
    page.set_input_files("input", file)
    taken = page.evaluate(UPLOAD, {"chunkSize": chunk, "md5": md5})
    return f"sent {taken['sent']:.2f} s, done {taken['done']:.2f} s"


def by_curl(server: Server, file: Path, chunk: int) -> str:
    """Upload with examples/upload.sh; returns the processor time it took."""
    before = os.times()
    script = [str(ROOT / "examples" / "upload.sh"), str(file), f"{server.url}/uploads/"]
    environment = {**server.environment, "CHUNK": str(chunk)}
    subprocess.run(script, check=True, env=environment, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system
    return f"processor {used - before.children_user - before.children_system:.2f} s"


if __name__ == "__main__":
    main()
