"""The connections of a worker whose next request has not arrived as a whole.

They cost no thread: whichever thread watches takes what has arrived of all of them, and goes on to
serve the first whose head is there. One thread watches at a time, and only that one closes
connections, so nobody's descriptor is closed under them.

Places are limited: connections in all and of one address, and requests whose body is slow in
coming. Where they run out, the client that has been silent for longest gives way.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress

from .connection import Connection
from .limits import Limits

#: How long the head of a request may take to arrive.
_HEAD_SECONDS = 30.0

#: How long what a refused request still sends is thrown away, so that its client, busy sending,
#: gets to read the answer (RFC 9112 9.6).
_LINGER_SECONDS = 30.0

#: The same for a client that has sent everything and just has to close.
_CLOSE_SECONDS = 2.0

#: How long idle connections are kept when the server stops: a request may be on its way.
_STOP_SECONDS = 2.0

#: How long a client of a request must have been silent to give way to others.
_SILENT_SECONDS = 5.0

#: Where others wait, a body up to this size that has arrived makes a request a short one.
_SMALL_BODY = 64 * 1024

#: How many requests with a body to come wait in line; one of the others that gets short goes first.
_LINE = 32

#: How soon who comes is seen while there are requests that have not been taken up.
_GLANCE_SECONDS = 0.01

#: How many connections are accepted before those that there are get a look.
_MOST_ACCEPTS = 256

#: How often to look for connections whose time is up.
_SWEEP_SECONDS = 0.5


class WaitingConnections:
    """All connections of a worker, and which of them have a request.

    :param refuse: told the connection and what is wrong with one that is closed: an HTTP status
        and a sentence. It answers without waiting.
    """

    def __init__(self, limits: Limits, refuse: Callable[[Connection, int, str], None]) -> None:
        self._limits = limits
        self._refuse = refuse
        self._selector = selectors.DefaultSelector()
        self._listeners: list[socket.socket] = []
        self._all: set[Connection] = set()
        #: Whose request's body has not come as fast as it was read.
        self._slow: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        #: In the order in which they began to wait.
        self._waiting: dict[Connection, None] = {}
        #: With a request that has not been taken up: as a whole, or with a body still to come.
        self._ready: deque[Connection] = deque()
        self._ready_to_receive: deque[Connection] = deque()
        self._taken = 0
        #: How many connections to accept when there are some next time.
        self._accepts = 1
        #: With a request that has to wait for a place; and whether its body is read meanwhile.
        self._held: dict[Connection, bool] = {}
        self._watch = threading.Lock()
        #: Closing one wakes who watches the other.
        self._waker, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._next_glance = self._next_sweep = 0.0
        self._stops_at: float | None = None

    def __len__(self) -> int:
        return len(self._all)

    @property
    def is_watched(self) -> bool:
        """Whether a thread is in :meth:`wait`."""
        return self._watch.locked()

    @property
    def has_several(self) -> bool:
        """Whether more than one connection waits, so that one is likely to have a request."""
        return len(self._ready) + len(self._ready_to_receive) + len(self._waiting) > 1

    # Called by any thread

    def listen(self, listeners: list[socket.socket]) -> None:
        """Accept connections from now on."""
        for listener in listeners:
            listener.setblocking(False)
            self._listeners.append(listener)
            self._selector.register(listener, selectors.EVENT_READ)

    def add(self, connection: Connection, *, closes: bool = False) -> None:
        """Let a connection wait for its next request, once what is unwanted has been thrown away.

        :param closes: whether it has had its last answer.
        """
        self._slow.discard(connection)
        connection.end_request()
        now = time.monotonic()
        if closes:
            seconds = _CLOSE_SECONDS if connection.unwanted == 0 else _LINGER_SECONDS
            connection.unwanted = None
            connection.finish()
            connection.deadline = now + seconds
        elif connection.unwanted:
            connection.deadline = now + _LINGER_SECONDS
        elif connection.ahead and connection.has_head():
            self._ready.append(connection)
            return
        else:
            self._await_head(connection)
        self._register(connection)

    def wait(self, seconds: float) -> Connection | None:
        """Return a connection with a request, after waiting for one; None when another waits."""
        there = bool(self._ready or self._ready_to_receive)
        # However many there are, who comes meanwhile is not left standing until they are served.
        if there and time.monotonic() < self._next_glance:
            return self._take()
        if self._watch.acquire(blocking=False):
            try:
                self._look(0 if there else seconds)
            finally:
                self._watch.release()
        return self._take()

    def _take(self) -> Connection | None:
        """Return a connection with a request; whole ones come first, three times of four."""
        self._taken += 1
        queues = [self._ready, self._ready_to_receive]
        for queue in queues if self._taken % 4 else reversed(queues):
            with suppress(IndexError):
                return queue.popleft()
        return None

    def stop(self) -> None:
        """Accept what has connected and no more, and soon close what has no request."""
        self._stops_at = time.monotonic() + _STOP_SECONDS
        for listener in self._listeners:
            self._selector.unregister(listener)
            # Closing resets those that nobody has accepted: a proxy cannot repeat their requests.
            while self._accept(listener, looks=False):
                pass
            # Or who connects now would wait for nobody until the last upload has ended.
            listener.close()
        self._listeners.clear()

    def cut_off(self) -> None:
        """End all connections, and watching them."""
        for connection in list(self._all):
            connection.cut_off()
        self._waker.close()

    # Called by the thread that watches

    def _look(self, seconds: float) -> None:
        self._release_held()
        listeners = []
        for key, _ in self._selector.select(seconds):
            if isinstance(key.fileobj, Connection):
                self._take_in(key.fileobj)
            elif key.fileobj is not self._woken:
                listeners.append(key.fileobj)
        for listener in listeners:
            self._accept_some(listener)  # type: ignore[arg-type]
        now = time.monotonic()
        self._next_glance = now + _GLANCE_SECONDS
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_SECONDS
            self._sweep(now)

    def _accept_some(self, listener: socket.socket) -> None:
        # One, and then other workers have a chance; twice as many each time while a crowd comes.
        for _ in range(self._accepts):
            if not self._accept(listener):
                self._accepts = 1
                return
        self._accepts = min(2 * self._accepts, _MOST_ACCEPTS)

    def _accept(self, listener: socket.socket, *, looks: bool = True) -> bool:
        """Accept a connection; return False if there is none.

        :param looks: whether this is the thread that watches, which looks for a request at once.
        """
        try:
            accepted, client = listener.accept()
        except BlockingIOError:
            return False  # another worker was quicker
        except OSError:
            self._make_room()  # the client has gone, or there are no more descriptors
            return False
        connection = Connection(accepted, client, listener.getsockname(), self._slow)
        connection.idle_seconds = self._limits.idle
        if not self._has_room(connection.address):
            self._refuse(connection, 503, "Too many connections at a time")
            connection.close()
            return True
        self._all.add(connection)
        self._of_address[connection.address] += 1
        self._await_head(connection)
        self._register(connection)
        if looks:
            self._take_in(connection)  # most have sent their request already
        return True

    def _has_room(self, address: str) -> bool:
        most = self._limits.per_address
        if address and most is not None and self._of_address[address] >= most:
            return self._make_room(address)
        return len(self._all) < self._limits.connections or self._make_room()

    def _make_room(self, address: str | None = None) -> bool:
        """End the connection, of one address or of all, whose client has been silent for longest.

        :return: False if none has been silent for long.
        """
        for connection in self._waiting:
            if address in (None, connection.address):
                self._give_up(connection)
                return True
        among = [c for c in self._all if address in (None, c.address)]
        for connection in sorted(_silent(among, time.monotonic()), key=lambda c: c.heard)[:1]:
            connection.give_way()
            return True
        return False

    def _register(self, connection: Connection) -> None:
        self._waiting[connection] = None
        self._selector.register(connection, selectors.EVENT_READ)

    def _unregister(self, connection: Connection) -> None:
        del self._waiting[connection]
        if self._held.pop(connection, True):
            self._selector.unregister(connection)

    def _give_up(self, connection: Connection) -> None:
        if connection in self._held:
            self._refuse(connection, 503, "Too many slow requests at a time")
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._unregister(connection)
        self._all.discard(connection)
        self._of_address[connection.address] -= 1
        if not self._of_address[connection.address]:
            del self._of_address[connection.address]
        connection.close()

    def _take_in(self, connection: Connection) -> None:
        if connection.unwanted != 0:
            self._throw_away(connection)
            return
        begins = not connection.ahead
        if not connection.take_in():
            self._close(connection)
        elif connection in self._held:
            if connection.missing() == 0:
                self._unregister(connection)
                self._ready.append(connection)
        elif connection.has_head():
            self._take_up(connection)
        elif begins:
            connection.deadline = time.monotonic() + _HEAD_SECONDS

    def _throw_away(self, connection: Connection) -> None:
        if not connection.throw_away():
            self._close(connection)
        elif connection.unwanted == 0:
            self._await_head(connection)

    def _await_head(self, connection: Connection) -> None:
        is_idle = connection.number and not connection.ahead
        seconds = self._limits.keepalive if is_idle else _HEAD_SECONDS
        connection.deadline = time.monotonic() + seconds

    def _take_up(self, connection: Connection) -> None:
        missing, room = connection.missing(), not self._held and self._room_in_line() > 0
        is_small = missing is not None and missing <= _SMALL_BODY
        if missing and is_small and not room and connection.take_in(missing):
            missing = connection.missing()
        if missing == 0 or room:
            self._unregister(connection)
            (self._ready if missing == 0 else self._ready_to_receive).append(connection)
            return
        self._held[connection] = is_small
        if not is_small:
            self._selector.unregister(connection)
        connection.deadline = time.monotonic() + self._limits.idle

    def _room_in_line(self) -> int:
        return max(0, min(_LINE - len(self._ready_to_receive), self._free_places()))

    def _free_places(self) -> int:
        return self._limits.slow_bodies - len(self._slow) - len(self._ready_to_receive)

    # Requests that wait for a place

    def _release_held(self) -> None:
        if not self._held:
            return
        for connection in list(self._held)[: self._room_in_line()]:
            self._unregister(connection)
            self._ready_to_receive.append(connection)
        if self._free_places() > 0:
            return
        now = time.monotonic()
        ending = sum(not connection.can_give_way for connection in list(self._slow))
        silent = sorted(_silent(self._slow, now), key=lambda connection: connection.heard)
        for connection in silent[: max(0, len(self._held) - ending)]:
            connection.give_way()

    def _sweep(self, now: float) -> None:
        """Close what has waited for too long."""
        stops = self._stops_at is not None and now >= self._stops_at
        for connection in list(self._waiting):
            if now >= connection.deadline:
                self._give_up(connection)
            elif stops and connection not in self._held:
                self._close(connection)


def _silent(among: Iterable[Connection], now: float) -> list[Connection]:
    """Return those whose thread has waited for their client for long."""
    return [c for c in list(among) if c.can_give_way and now - c.heard >= _SILENT_SECONDS]
