"""A line of a given speed and delay between browser and server, and what proxies do on the way.

:class:`Line` carries TCP bytes, or collects whole requests first as nginx does with
``proxy_request_buffering on``. It counts bytes from clients, and breaks when told to.
It is for measurements; :class:`~tests.browser.proxy.Proxy` is for faults at chosen requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self

from tests.support.ports import free_port

_BUFFER = 64 * 1024
#: Bytes that each socket may hold, so that the delay is that of the line.
_SOCKET = 256 * 1024


@dataclass
class Counts:
    """What has come by.

    :param sent: bytes from clients, heads of requests included.
    :param connections: how many clients have opened.
    """

    sent: int = 0
    connections: int = 0
    requests: list[str] = field(default_factory=list)


class Line:
    """Forwards to a port of 127.0.0.1; use it in ``with``.

    :param upstream: the server's port.
    :param delay: seconds each way.
    :param rate: bytes per second to the server, all connections together; None: no limit.
    :param buffered: collect each request whole before passing it on.
    """

    def __init__(
        self,
        upstream: int,
        *,
        delay: float = 0.0,
        rate: float | None = None,
        buffered: bool = False,
    ) -> None:
        self.port = free_port()
        self.counts = Counts()
        self._upstream, self._delay, self._rate = upstream, delay, rate
        self._buffered = buffered
        self._free_at = 0.0
        self._down = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self, seconds: float) -> None:
        """Break all connections, and let none come for a while."""
        self._loop.call_soon_threadsafe(self._cut)
        time.sleep(seconds)
        self._down = False

    def _cut(self) -> None:
        self._down = True
        for writer in self._writers:
            writer.transport.abort()

    def __enter__(self) -> Self:
        self._thread.start()
        start = asyncio.start_server(
            self._accept, "127.0.0.1", self.port, limit=_BUFFER, family=socket.AF_INET
        )
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        return self

    def __exit__(self, *exception: Any) -> None:
        self._loop.call_soon_threadsafe(self._cut)
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._down:
            writer.transport.abort()
            return
        self.counts.connections += 1
        try:
            server = await asyncio.open_connection("127.0.0.1", self._upstream, limit=_BUFFER)
        except OSError:  # the server is down
            writer.transport.abort()
            return
        pairs = ((reader, server[1]), (server[0], writer))
        self._writers |= {writer, server[1]}
        for one in (writer, server[1]):
            _shrink(one.get_extra_info("socket"))
        try:
            up = self._collect if self._buffered else self._carry
            await asyncio.gather(up(*pairs[0], upwards=True), self._carry(*pairs[1], upwards=False))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the line ends, or breaks: asyncio would log a task that was canceled
        finally:
            for one in (writer, server[1]):
                self._writers.discard(one)
                one.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upwards: bool
    ) -> None:
        """Carry bytes, each ``delay`` later; at most what the line holds is under way."""
        under_way: deque[tuple[float, bytes]] = deque()
        come, room = asyncio.Event(), asyncio.Event()

        async def deliver() -> None:
            while True:
                while not under_way:
                    come.clear()
                    await come.wait()
                due, data = under_way[0]
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                under_way.popleft()
                room.set()
                if not data:
                    with contextlib.suppress(OSError):
                        writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while True:
                data = await reader.read(_BUFFER)
                if upwards:
                    await self._pass(len(data))
                under_way.append((time.monotonic() + self._delay, data))
                come.set()
                if not data:
                    break
                while sum(len(one) for _, one in under_way) > self._window:
                    room.clear()
                    await room.wait()
            await delivering
        finally:
            delivering.cancel()

    @property
    def _window(self) -> float:
        """Bytes that may be under way in one direction of a connection."""
        return max(4 * _BUFFER, 2 * self._delay * (self._rate or 100e6))

    async def _pass(self, size: int) -> None:
        """Wait until the line has taken so many bytes."""
        self.counts.sent += size
        if self._rate is None or not size:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now - 0.01) + size / self._rate
        await asyncio.sleep(max(0.0, self._free_at - now))

    async def _collect(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upwards: bool
    ) -> None:
        """Pass each request on when it is whole."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.counts.requests.append(head.split(b"\r\n", 1)[0].decode("latin-1"))
            lines = head.decode("latin-1").lower().split("\r\n")
            length = next((int(one[15:]) for one in lines if one.startswith("content-length:")), 0)
            body = bytearray()
            await self._pass(len(head))
            while len(body) < length:
                data = await reader.read(min(_BUFFER, length - len(body)))
                if not data:
                    return
                await self._pass(len(data))
                body += data
            await asyncio.sleep(self._delay)
            writer.write(head + body)
            await writer.drain()


def _shrink(sock: socket.socket) -> None:
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, _SOCKET)
