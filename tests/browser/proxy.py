"""A network that does to chosen chunks what networks do: cut, swallow the reply, stall.

:class:`Proxy` stands between browser and server as nginx would. It also serves files of its own
(:attr:`Proxy.files`), so that pages and uploads have one origin, as behind nginx. It is told the
faults beforehand, each for one chunk, and tells when a fault has come about, so that tests wait for
events and never for time to pass::

    fault = proxy.hold(chunk=1)     # the second chunk from now on, stopped half-way
    ...                             # begin an upload
    fault.wait()                    # now it is there
    server.kill()
    fault.release()

Each request gets a connection of its own, since Chromium resends by itself a request whose *reused*
connection broke (RFC 9112 9.3.1 forbids it for POST; browsers do it): with fresh connections every
fault reaches the page's scripts. ``keep_alive`` turns that off for tests of just this.

The proxy runs an event loop in a thread; its methods may be called from the test's.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from tests.browser.faults import PATIENCE, Chosen, Fault, Request
from tests.support.ports import free_port

_BUFFER = 256 * 1024


@dataclass(eq=False)
class _Exchange:
    """One request and its answer, between two connections."""

    request: Request
    fault: Fault | None
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    server: tuple[asyncio.StreamReader, asyncio.StreamWriter]

    def abort(self) -> None:
        for _, writer in (self.client, self.server):
            writer.transport.abort()


class Proxy:
    """Forwards HTTP/1.1 to a port of 127.0.0.1, with faults; use it in ``with``.

    :param upstream: the server's port.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = free_port()
        #: What the proxy answers itself: from path to content.
        self.files: Callable[[str], bytes | None] = lambda path: None
        #: Every request that was forwarded, in order.
        self.requests: list[Request] = []
        #: How often the server could not be reached.
        self.refused = 0
        self.keep_alive = False
        self._faults: list[Fault] = []
        #: Names of files, by their uploads' paths.
        self._names: dict[str, str] = {}
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def chunks(self) -> list[Request]:
        """The requests that carried bytes of files."""
        return [request for request in self.requests if request.is_chunk]

    # Faults

    def cut(self, chunk: int = 0, *, after: int | None = None, of: Chosen | None = None) -> Fault:
        """Break both connections after some bytes of a chunk's body."""
        return self._arm("cut", chunk, after, of)

    def lose_reply(self, chunk: int = 0, *, of: Chosen | None = None) -> Fault:
        """Let a chunk through and swallow the server's whole answer; the client's line breaks."""
        return self._arm("lose reply", chunk, None, of)

    def hold(self, chunk: int = 0, *, after: int | None = None, of: Chosen | None = None) -> Fault:
        """Stop a chunk in its middle until released.

        The server's connection stays open even when the client hangs up, and what came of the rest
        follows when released: a server must not mind.
        """
        return self._arm("hold", chunk, after, of)

    def break_connections(self) -> None:
        """Break every connection that is open."""
        for task in list(self._tasks):
            self._loop.call_soon_threadsafe(task.cancel)

    def clear(self) -> None:
        """Forget faults and requests, and let what is held come to its end."""
        for fault in self._faults:
            fault.finish()
        self._faults.clear()
        self.requests = []
        self.refused = 0
        self.keep_alive = False

    def wait(self, happened: Callable[[Self], bool]) -> None:
        """Wait until something is true of what has come by."""
        with self._changed:
            assert self._changed.wait_for(lambda: happened(self), PATIENCE), "it never happened"

    def _arm(self, kind: str, chunk: int, after: int | None, of: Chosen | None) -> Fault:
        fault = Fault(kind, chunk, after, of or (lambda request: request.is_chunk))
        self._faults.append(fault)
        return fault

    # The thread

    def __enter__(self) -> Self:
        self._thread.start()
        ready = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(
                self._accept, "127.0.0.1", self.port, limit=_BUFFER, family=socket.AF_INET
            ),
            self._loop,
        )
        self._server = ready.result(PATIENCE)
        return self

    def __exit__(self, *exception: Any) -> None:
        self.clear()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _end(self) -> None:
        self._server.close()
        for _ in range(10):  # what has just connected must have begun before it can be ended
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(10):  # and what was closed have lost its connection before the loop ends
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._serve(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    # One request

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take one request; returns whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        request = _parse(head)
        request.file = _named(request) or self._names.get(request.path, "")
        content = self.files(request.path)
        if content is not None:
            writer.write(_page(request.path, content))
            await writer.drain()
            return False
        taking = [fault for fault in self._faults if fault.takes(request)]  # all of them count
        fault = taking[0] if taking else None
        self._note(lambda: self.requests.append(request))
        try:
            return await self._forward(request, head, fault, (reader, writer))
        finally:
            self._note(lambda: setattr(request, "over", True))

    async def _forward(
        self,
        request: Request,
        head: bytes,
        fault: Fault | None,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> bool:
        try:
            server = await asyncio.open_connection("127.0.0.1", self.upstream, limit=_BUFFER)
        except OSError:
            self._note(self._count_refused)
            raise
        for stream in (server[1], client[1]):
            stream.transport.set_write_buffer_limits(high=0)  # drained means sent
        server[1].write(_connection(head, b"close"))
        return await self._exchange(_Exchange(request, fault, client, server))

    async def _exchange(self, exchange: _Exchange) -> bool:
        sending = asyncio.ensure_future(self._send(exchange))
        try:
            whole = await self._answer(exchange)
            if not sending.done():  # answered early: let the client finish, or it misses the answer
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.shield(sending), 10)
            return whole and self.keep_alive and sending.done()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            exchange.server[1].transport.abort()
            if exchange.fault is not None:
                exchange.fault.end()

    async def _send(self, exchange: _Exchange) -> None:
        """Carry the body to the server."""
        request, fault = exchange.request, exchange.fault
        stop = fault.position(request) if fault and fault.kind != "lose reply" else request.length
        await self._carry(exchange, stop)
        if fault is None or fault.kind == "lose reply":
            return
        if fault.kind == "hold":
            await self._held(exchange, fault)
            return
        self._note(fault.reach)
        exchange.abort()

    async def _carry(self, exchange: _Exchange, stop: int) -> None:
        request = exchange.request
        while request.received < stop:
            data = await exchange.client[0].read(min(_BUFFER, stop - request.received))
            if not data:
                exchange.abort()
                return
            request.received += len(data)
            exchange.server[1].write(data)
            with contextlib.suppress(OSError):  # it has answered early; the client may finish
                await exchange.server[1].drain()

    async def _held(self, exchange: _Exchange, fault: Fault) -> None:
        """Take the rest of the body off the client at once, and give it on when released."""
        taking = asyncio.ensure_future(self._rest(exchange))
        self._note(fault.reach)
        while not fault.released:
            await asyncio.sleep(0.01)
        exchange.server[1].write(await taking)
        await exchange.server[1].drain()
        if exchange.request.received < exchange.request.length:  # a server would wait for the rest
            exchange.abort()

    async def _rest(self, exchange: _Exchange) -> bytes:
        """Return what comes until the body's end or the client hangs up."""
        request, rest = exchange.request, bytearray()
        with contextlib.suppress(OSError):
            while request.received < request.length:
                data = await exchange.client[0].read(_BUFFER)
                if not data:
                    break
                request.received += len(data)
                rest += data
        return bytes(rest)

    async def _answer(self, exchange: _Exchange) -> bool:
        """Carry the answer to the client; returns whether its end is known from its head."""
        reader, writer = exchange.server[0], exchange.client[1]
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = _status(head, exchange.request.method)
        fault = exchange.fault
        while status < 200:  # interim: the answer is still to come (RFC 9110 15.2)
            if fault is None or fault.kind != "lose reply":
                writer.write(head)
            head = await reader.readuntil(b"\r\n\r\n")
            status, length = _status(head, exchange.request.method)
        if fault is not None and fault.kind == "lose reply":
            await reader.read()
            self._answered(exchange, status)
            self._note(fault.reach)
            exchange.abort()
            return False
        if request_file := exchange.request.file:
            self._names[urlsplit(_header(head, "location")).path] = request_file
        left = length
        with contextlib.suppress(OSError):  # of a client that has hung up
            if not left:
                self._answered(exchange, status)
            writer.write(_connection(head, b"keep-alive" if self.keep_alive else b"close"))
            while data := await reader.read(_BUFFER):
                if left is not None and (left := left - len(data)) <= 0:
                    self._answered(exchange, status)
                writer.write(data)
                await writer.drain()
        self._answered(exchange, status)
        return length is not None

    def _answered(self, exchange: _Exchange, status: int) -> None:
        """Note the status; before the last bytes leave, since tests ask once the page has them."""
        self._note(lambda: setattr(exchange.request, "status", status))

    def _note(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    def _count_refused(self) -> None:
        self.refused += 1


def _parse(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return Request(method, target, {name.lower(): value.strip() for name, _, value in pairs})


def _named(request: Request) -> str:
    """Return the name of the file that a request declares (RFC 8187)."""
    disposition = request.headers.get("content-disposition", "")
    return unquote(disposition.partition("filename*=UTF-8''")[2])


def _header(head: bytes, name: str) -> str:
    """Return an answer's header; empty when there is none."""
    lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.lower() == name), "")


def _status(head: bytes, method: str) -> tuple[int, int | None]:
    """Return an answer's status and the length of its body, if known."""
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.split(" ")[1])
    if method == "HEAD" or status in (204, 304):
        return status, 0
    lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-len")]
    return status, int(lengths[0]) if lengths else None


def _connection(head: bytes, option: bytes) -> bytes:
    """Return a head that says whether the connection ends after this request."""
    lines = head.rstrip(b"\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([*kept, b"Connection: " + option, b"", b""])


def _page(path: str, content: bytes) -> bytes:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content
