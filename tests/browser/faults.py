"""What goes through :class:`~tests.browser.proxy.Proxy`, and what shall happen to it there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Generous, since the machine may be busy; nothing waits this long unless it is broken.
PATIENCE = 60.0


@dataclass
class Request:
    """One request that came by.

    :param file: name of the file that it is about, where the proxy knows it: of a creation by the
        IETF's resumable uploads, and of what follows to the upload that it created.
    :param received: bytes of the body that came from the client.
    :param status: of the server's answer; None until it came, or when there was none.
    :param over: nothing more of it will come by.
    """

    method: str
    target: str
    headers: dict[str, str]
    file: str = ""
    received: int = 0
    status: int | None = None
    over: bool = False

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def length(self) -> int:
        """Bytes of the body, as declared."""
        return int(self.headers.get("content-length", 0))

    @property
    def is_chunk(self) -> bool:
        """Whether it carries bytes of a file: a form with a file part, or a raw body."""
        kind = self.headers.get("content-type", "").partition(";")[0]
        return (
            self.method in ("POST", "PUT", "PATCH")
            and kind not in ("application/x-www-form-urlencoded", "application/json")
            and not self._only_creates
        )

    @property
    def _only_creates(self) -> bool:
        """Whether it creates an upload whose bytes follow; an empty file has none that could."""
        empty = self.method == "POST" and self.length == 0
        deferred = "upload-defer-length" in self.headers or "upload-concat" in self.headers
        return empty and (deferred or int(self.headers.get("upload-length", 0)) > 0)


Chosen = Callable[[Request], bool]


def chunk_of(name: str) -> Chosen:
    """Choose requests that carry bytes of one file, whatever is sent at the same time."""
    return lambda request: request.is_chunk and request.file == name


class Fault:
    """What shall happen to one request; made by the proxy's methods.

    :param kind: ``cut``, ``lose reply`` or ``hold``.
    :param chunk: number of the request among the chosen ones from now on, the first being 0.
    :param after: bytes of its body that reach the server before; half of it by default.
    """

    def __init__(self, kind: str, chunk: int, after: int | None, chosen: Chosen) -> None:
        self.kind = kind
        self._left = chunk
        self._after = after
        self._chosen = chosen
        self._reached = threading.Event()
        self._released = threading.Event()
        self._ended = threading.Event()

    def takes(self, request: Request) -> bool:
        """Whether this is the request; the proxy asks for each, in order."""
        if self._left < 0 or not self._chosen(request):
            return False
        self._left -= 1
        return self._left < 0

    def position(self, request: Request) -> int:
        """Bytes of the body to let through; less than all, where it has any."""
        half = request.length // 2
        return min(half if self._after is None else self._after, max(request.length - 1, 0))

    def reach(self) -> None:
        """Note that it has come about."""
        self._reached.set()

    def wait(self) -> None:
        """Wait until it has come about."""
        assert self._reached.wait(PATIENCE), f"no request came to {self.kind}"

    def release(self) -> None:
        """Let a held request go on."""
        self._released.set()

    def end(self) -> None:
        """Note that both connections are closed."""
        self._ended.set()

    def finish(self) -> None:
        """Let a held request go on, and wait until the server has answered it."""
        self.release()
        if self._reached.is_set():
            assert self._ended.wait(PATIENCE), f"a request still goes on after {self.kind}"

    @property
    def released(self) -> bool:
        return self._released.is_set()
