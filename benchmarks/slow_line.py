"""The client library over a slow, long or broken line: ``python -m benchmarks.slow_line``.

Behind a line of a given speed and delay, the library in Chromium and one PUT by curl send the same
file in turns; both are timed until the server has it. With ``--breaks`` the line breaks so often
while the library sends, and the bytes that came from it are compared with the file's size::

    python -m benchmarks.slow_line --mib 64 --rate 4 --delay 0.1
    python -m benchmarks.slow_line --mib 64 --rate 4 --delay 0.1 --buffered
    python -m benchmarks.slow_line --mib 64 --rate 4 --delay 0.1 --protocol chunks
    python -m benchmarks.slow_line --mib 5120 --rate 50 --delay 0.01 --breaks 5 --runs 1
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.line import Line
from tests.support import browser as chromium
from tests.support.server import Server

#: A page of the server's origin without a policy, to put an input into.
PAGE = "/uploads/"

BEGIN = """
async (protocol) => {
    const { ChunkedUploader } = await import("/static/chunked-upload.js");
    window.uploader = new ChunkedUploader({ protocol });
    window.begun = performance.now();
    window.upload = uploader.add(document.querySelector("input").files[0]);
    window.requests = 0;
    new PerformanceObserver((list) => (requests += list.getEntries().length))
        .observe({ type: "resource" });
}
"""

END = """
async () => {
    const seconds = (performance.now() - begun) / 1000;
    const { uploadId, error } = upload;
    if (error) throw error;
    await uploader.remove(uploadId);
    uploader.close();
    return { seconds, requests };
}
"""


def main() -> None:
    """Measure in turns and print each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mib", type=int, default=64, help="size of the file (64)")
    parser.add_argument("--rate", type=float, default=4, help="MB/s of the line (4)")
    parser.add_argument("--delay", type=float, default=0.1, help="seconds each way (0.1)")
    parser.add_argument("--buffered", action="store_true", help="a proxy collects whole requests")
    parser.add_argument("--protocol", default="auto", help="of the library: chunks, offsets (auto)")
    parser.add_argument("--breaks", type=int, default=0, help="how often the line breaks (0)")
    parser.add_argument("--runs", type=int, default=3, help="how often each (3)")
    parser.add_argument("--directory", help="where the file and the server's are (a new one)")
    options = parser.parse_args()
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(dir=options.directory)
        directory = Path(stack.enter_context(made))
        file = directory / "file.bin"
        size = options.mib * 2**20
        with file.open("wb") as stream:
            for _ in range(options.mib):
                stream.write(os.urandom(2**20))
        server = stack.enter_context(Server(directory))
        rate = options.rate * 1e6
        line = stack.enter_context(
            Line(server.port, delay=options.delay, rate=rate, buffered=options.buffered)
        )
        plain = stack.enter_context(Line(server.port, delay=options.delay, rate=rate))
        playwright = stack.enter_context(sync_playwright())
        page = stack.enter_context(chromium.launch(playwright)).new_page()
        page.set_default_timeout(0)
        taken: dict[str, list[float]] = {"library": [], "curl": []}
        for _ in range(options.runs):
            taken["library"].append(by_library(page, line, file, size, options))
            if not options.breaks:
                taken["curl"].append(by_curl(plain, file))
        if not options.breaks:
            ours, theirs = (statistics.median(taken[name]) for name in ("library", "curl"))
            print(f"the library is {theirs / ours:.2f} times as fast as one PUT by curl")


def by_library(page: Page, line: Line, file: Path, size: int, options: argparse.Namespace) -> float:
    """Upload in Chromium; return the seconds it took."""
    page.goto(line.url + PAGE)
    page.evaluate("document.body.innerHTML = '<input type=file>'")
    page.set_input_files("input", file)
    before = line.counts.sent
    page.evaluate(BEGIN, options.protocol)
    breaking = threading.Thread(target=_break, args=(line, before, size, options.breaks))
    breaking.start()
    page.wait_for_function("upload.state === 'done' || upload.state === 'failed'", polling=200)
    sent = line.counts.sent - before
    told = page.evaluate(END)
    breaking.join()
    seconds: float = told["seconds"]
    print(
        f"library {seconds:8.2f} s, {told['requests']} requests,"
        f" {sent:,} bytes sent, {sent / size:.4f} of the file",
        flush=True,
    )
    return seconds


def _break(line: Line, before: int, size: int, breaks: int) -> None:
    """Break the line at even distances of the file, for three seconds each time."""
    for number in range(1, breaks + 1):
        while line.counts.sent - before < size * number / (breaks + 1):
            time.sleep(0.05)
        line.cut(3)


def by_curl(line: Line, file: Path) -> float:
    """Upload with one PUT; return the seconds it took."""
    begun = time.monotonic()
    command = ["curl", "-sS", "--fail", "-T", str(file), f"{line.url}/uploads/"]
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.monotonic() - begun
    print(f"curl    {seconds:8.2f} s", flush=True)
    return seconds


if __name__ == "__main__":
    main()
