"""Memory of Chromium over one very large upload: ``python -m benchmarks.endless_file --gib 100``.

The file is simulated: its slices are made when they are sent, of one block again and again. So is
the server, which speaks the protocol and drops the bytes. Prints the size of the page's heap, and
of all of the browser's processes, at even distances.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.support import browser as chromium
from tests.support.ports import free_port

STATIC = Path(__file__).parents[1] / "static"
ID = "0" * 32

BEGIN = """
async (size) => {
    const { ChunkedUploader } = await import("/static/chunked-upload.js");
    const block = new Blob([new Uint8Array(2 ** 20)]);
    class Endless extends File {
        get size() { return size }
        slice(start = 0, stop = size) {
            const whole = Math.floor((stop - start) / 2 ** 20);
            const rest = block.slice(0, (stop - start) % 2 ** 20);
            return new Blob([...Array(whole).fill(block), rest]);
        }
    }
    // The worker would get a copy, which is empty.
    window.uploader = new ChunkedUploader({ md5: false, resume: false });
    window.upload = uploader.add(new Endless([], "endless.bin"));
}
"""


class Sink:
    """A server that takes one upload and keeps nothing of it."""

    def __init__(self, size: int) -> None:
        self.port = free_port()
        self.size = size
        self.offset = 0
        threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True).start()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", self.port, limit=2**20)
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            except asyncio.IncompleteReadError:
                return
            method, path, _ = head.split(" ", 2)
            found = re.search(r"(?i)\r\ncontent-length: (\d+)", head)
            left = int(found[1]) if found else 0
            while left:
                data = await reader.read(min(2**20, left))
                if not data:
                    return
                left -= len(data)
                if method == "PATCH":
                    self.offset += len(data)
            status, headers, body = self._reply(method, path)
            headers["Content-Length"] = str(len(body))
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"HTTP/1.1 {status} -\r\n{lines}\r\n".encode() + body)
            await writer.drain()

    def _reply(self, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        state = {"Upload-Offset": str(self.offset), "Upload-Limit": "min-size=0"}
        if path.startswith("/static/"):
            content = (STATIC / path.removeprefix("/static/")).read_bytes()
            return 200, {"Content-Type": "text/javascript"}, content
        if path == "/":
            return 200, {"Content-Type": "text/html"}, b"<!doctype html>"
        if method in ("OPTIONS", "PATCH"):
            return 204, state, b""
        if path == "/uploads/":
            return 201, {**state, "Location": f"/uploads/{ID}"}, b""
        record = {"upload_id": ID, "offset": self.offset, "length": self.size, "expires": None}
        return 200, {"Content-Type": "application/json"}, json.dumps(record).encode()


def main() -> None:
    """Upload, and print the memory on the way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gib", type=int, default=4, help="size of the file (4)")
    parser.add_argument("--looks", type=int, default=8, help="how often the memory is looked at")
    options = parser.parse_args()
    size = options.gib * 2**30
    sink = Sink(size)
    with sync_playwright() as playwright, chromium.launch(playwright) as browser:
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(f"http://127.0.0.1:{sink.port}/")
        page.evaluate(BEGIN, size)
        for number in range(1, options.looks + 1):
            reached = size * number // options.looks
            page.wait_for_function("at => upload.offset >= at || upload.error", arg=reached)
            page.evaluate("() => { if (upload.error) throw upload.error }")
            heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
            resident = sum(_resident(pid) for pid in _browsers()) / 2**20
            print(
                f"{reached / 2**30:7.2f} GiB: heap {heap:.1f} MiB, browser {resident:.0f} MiB",
                flush=True,
            )


def _browsers() -> list[Path]:
    """Return the processes below this one."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, left = [], [int(Path("/proc/self").resolve().name)]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return [Path(f"/proc/{pid}") for pid in found]


def _resident(process: Path) -> int:
    """Return the bytes that a process has to itself."""
    try:
        found = re.search(r"Pss:\s+(\d+) kB", (process / "smaps_rollup").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
