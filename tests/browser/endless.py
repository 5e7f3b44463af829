"""A file of any size that exists nowhere, a server that keeps nothing of it, a browser's memory.

The file's slices are made when they are sent, of one block again and again. The server speaks the
protocol of resumable uploads and drops the bytes.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

from playwright.sync_api import Page

from tests.support.ports import free_port

STATIC = Path(__file__).parents[2] / "static"
ID = "0" * 32

_BEGIN = """
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
    """A server that takes one upload and keeps nothing of it; use it in ``with``."""

    def __init__(self, size: int) -> None:
        self.port = free_port()
        self.size = size
        self.offset = 0
        self._connections: set[asyncio.StreamWriter] = set()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._connect, "127.0.0.1", self.port, limit=2**20):
            self._listening.set()
            await self._over.wait()
            for writer in self._connections:
                writer.transport.abort()
            while self._connections:
                await asyncio.sleep(0.01)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            await self._answer(reader, writer)
        except ConnectionError:
            pass  # the browser's end, or this one's
        finally:
            writer.close()
            self._connections.discard(writer)

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


class Look(NamedTuple):
    """The memory at one moment, in bytes.

    :param reached: what the server has of the file.
    :param heap: objects of the page that are in use, after a garbage collection.
    :param browser: what all of the browser's processes have to themselves.
    """

    reached: int
    heap: int
    browser: int


def upload(page: Page, sink: Sink, looks: int) -> Iterator[Look]:
    """Upload the sink's file, and look at the memory at even distances."""
    page.set_default_timeout(0)
    page.goto(f"http://127.0.0.1:{sink.port}/")
    # `performance.memory` tells an old and rough figure.
    devtools = page.context.new_cdp_session(page)
    page.evaluate(_BEGIN, sink.size)
    for number in range(1, looks + 1):
        reached = sink.size * number // looks
        page.wait_for_function("at => upload.offset >= at || upload.error", arg=reached)
        page.evaluate("() => { if (upload.error) throw upload.error }")
        devtools.send("HeapProfiler.collectGarbage")
        heap = int(devtools.send("Runtime.getHeapUsage")["usedSize"])
        yield Look(reached, heap, sum(_resident(pid) for pid in _browsers()))
    page.wait_for_function("upload.state === 'done' || upload.error")
    page.evaluate("() => { if (upload.error) throw upload.error }")


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
