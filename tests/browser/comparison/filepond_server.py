"""A server for FilePond's chunk mode, as its documentation describes it; it keeps only lengths."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class _Handler(BaseHTTPRequestHandler):
    server: FilePondServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self._take()
        identity = str(len(self.server.offsets))
        self.server.offsets[identity] = 0
        self._answer(201, identity)

    def do_PATCH(self) -> None:
        identity = self._identity()
        self.server.offsets[identity] = int(self.headers["Upload-Offset"]) + self._take()
        self._answer(204)

    def do_HEAD(self) -> None:
        self._answer(200, offset=self.server.offsets[self._identity()])

    def do_DELETE(self) -> None:
        self._take()
        self._answer(200)

    def _identity(self) -> str:
        return parse_qs(urlsplit(self.path).query)["patch"][0]

    def _take(self) -> int:
        left = length = int(self.headers.get("Content-Length", 0))
        while left and (data := self.rfile.read(min(left, 65536))):
            left -= len(data)
        return length

    def _answer(self, status: int, text: str = "", offset: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        if offset is not None:
            self.send_header("Upload-Offset", str(offset))
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # of a page that is left
            super().handle()

    def log_message(self, *arguments: Any) -> None:
        pass


class FilePondServer(ThreadingHTTPServer):
    """The server, on a free port; use it in ``with``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.offsets: dict[str, int] = {}

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.shutdown()
        self.server_close()
