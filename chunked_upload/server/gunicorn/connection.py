"""One client's connection, as the bundled server reads and writes it.

Between two requests nobody waits for it: bytes are taken as they come (:meth:`Connection.take_in`).
Within a request its thread waits, outside of the request gate, and no longer than the idle limit
without a byte. gunicorn's response takes a connection for its socket.
"""

from __future__ import annotations

import os
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from chunked_upload.support.addresses import network

from . import request_gate

#: The head of a request as a whole.
MAX_HEAD = 64 * 1024

#: Bytes taken at a time between requests: a head, and the beginning of a body.
_AHEAD = 16 * 1024

#: Up to so many bytes, a look whether they have arrived costs less than stepping out of the gate.
_SMALL = 128 * 1024

#: How long one system call waits for a client. What came until then is passed on.
_CALL_SECONDS = 2

#: How long bytes are collected that the app wants to see as they come
#: (:meth:`Connection.receive_arrived`), and how many slow clients make it twice as long: a thousand
#: must not have the app write fifty thousand small buffers in a second.
_MOMENT_SECONDS, _MOMENT_DOUBLES = 0.02, 50

#: Requests of one process whose client has left them in mid-body, and that end at a time. Thousands
#: may be left at the same moment, by the idle limit or by a network that fails, and to undo a chunk
#: takes as long as to store one; who sends a request now is served between them.
_left = threading.BoundedSemaphore(2)

#: How long one of them waits for its turn at most, since an app's hooks may hang in others.
_LEFT_SECONDS = 60.0

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,19})", re.IGNORECASE)
_TRANSFER_ENCODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


class Connection:
    """A connection that was accepted.

    :param client: its address, as ``accept()`` tells it.
    :param server: the address that it came to.
    :param slow: where it is added when the body of its request has to be waited for.
    """

    #: How long a client may be silent within a request.
    idle_seconds = 60.0

    def __init__(
        self, connection: socket.socket, client: Any, server: Any, slow: set[Connection]
    ) -> None:
        self._socket = connection
        self._slow = slow
        self.client, self.server = client, server
        #: Whose it is; empty for a Unix socket.
        self.address = network(client[0]) if client and isinstance(client, tuple) else ""
        #: What has arrived of the next request.
        self.ahead = bytearray()
        #: How much of it has been searched for the end of the head.
        self._searched = 0
        #: Requests so far.
        self.number = 0
        #: Bytes to throw away before the next request; None: all, until the client closes.
        self.unwanted: int | None = 0
        #: Until when it may wait for its client, by the monotonic clock.
        self.deadline = 0.0
        #: When its client last sent or took something.
        self.heard = time.monotonic()
        #: Whether its thread waits for the client now; and whether to send something.
        self.is_waiting = self.is_sending = False
        self._has_given_way = False
        #: What is collected to be sent as one packet.
        self._collected: bytearray | None = None
        #: Whether it has one of the turns of :data:`_left`.
        self._has_turn = False
        connection.setblocking(True)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        seconds = _timeval(_CALL_SECONDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
        #: How long a call that receives waits now.
        self._receives_for: float = _CALL_SECONDS

    def fileno(self) -> int:
        """Return the descriptor, for selectors."""
        return self._socket.fileno()

    # Between requests

    def take_in(self, size: int = _AHEAD) -> bool:
        """Take what has arrived, without waiting; return False when the client has closed."""
        try:
            data = self._socket.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.heard = time.monotonic()
        self.ahead += data
        return bool(data)

    def throw_away(self) -> bool:
        """Throw away what has arrived of what is unwanted; return False at its client's end."""
        most = 1024 * 1024 if self.unwanted is None else min(self.unwanted, 1024 * 1024)
        try:
            size = len(self._socket.recv(most, socket.MSG_DONTWAIT | socket.MSG_TRUNC))
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self.unwanted is not None:
            self.unwanted -= size
        return bool(size)

    def has_head(self) -> bool:
        """Whether the head of the next request is there, or can never be one."""
        ahead, searched = self.ahead, self._searched
        if ahead.find(b"\r\n\r\n", max(0, searched - 3)) >= 0 or len(ahead) > MAX_HEAD:
            return True
        self._searched = len(ahead)
        # RFC 9112 2.2: gunicorn refuses such a head, and this one might never end.
        return ahead.count(b"\n", searched) != ahead.count(b"\r\n", max(0, searched - 1))

    def missing(self) -> int | None:
        """Return how many bytes of the next request, whose head is there, have not arrived.

        None when that is unknown.
        """
        end = self.ahead.find(b"\r\n\r\n")
        head = bytes(self.ahead[: max(0, end)])
        if _TRANSFER_ENCODING.search(head):
            return None
        length = _CONTENT_LENGTH.search(head)
        return 0 if length is None else max(0, end + 4 + int(length[1]) - len(self.ahead))

    @property
    def has_too_long_head(self) -> bool:
        """Whether the head of the next request, which is there, exceeds :data:`MAX_HEAD`."""
        return len(self.ahead) > MAX_HEAD and self.ahead.find(b"\r\n\r\n", 0, MAX_HEAD) < 0

    def take_ahead(self) -> bytes:
        """Return what has arrived of the request that begins now."""
        ahead, self.ahead, self._searched = bytes(self.ahead), bytearray(), 0
        self.number += 1
        return ahead

    def give_back(self, ahead: bytes) -> None:
        """Put back what belongs to the next request."""
        self.ahead[:0] = ahead

    def refuse(self, answer: bytes) -> None:
        """Send an answer as far as that is possible without waiting."""
        with suppress(OSError):
            self._socket.send(answer, socket.MSG_DONTWAIT)

    # Within a request, by its thread

    def receive(self, size: int, *, whole: bool = False) -> bytes:
        """Return up to ``size`` bytes, after waiting for some; none when there will be no more.

        :param whole: wait for all of them, as long as they keep coming.
        :raises TimeoutError: when the client has been silent for too long.
        """
        there = b""
        if size <= _SMALL:
            with suppress(BlockingIOError):
                there = self._socket.recv(size, socket.MSG_DONTWAIT)
                if not (there and whole) or len(there) == size:
                    return there
        self._receive_for(_CALL_SECONDS)
        flags = socket.MSG_WAITALL if whole else 0
        with self._waiting():
            data = self._wait_for(size - len(there), self._socket.recv, flags)
        return there + data if there else data

    def receive_arrived(self, size: int, *, waits: bool = True) -> bytes:
        """Return up to ``size`` bytes: those that come within a moment; none at the end.

        :param waits: wait for the first of them; else there may be none, also of a broken
            connection, which the next call tells.
        :raises TimeoutError: when the client has been silent for too long.
        """
        there = b""
        with suppress(BlockingIOError) if waits else suppress(OSError):
            if size <= _SMALL:
                there = self._socket.recv(size, socket.MSG_DONTWAIT)
                if not there or len(there) == size:
                    return there
        self._receive_for(_MOMENT_SECONDS * (1 + len(self._slow) / _MOMENT_DOUBLES))
        with self._waiting():
            if waits and not there:
                return self._wait_for(size, self._receive_after_first, socket.MSG_WAITALL)
            with suppress(OSError):  # what broke the connection must not cost these bytes
                there += self._socket.recv(size - len(there), socket.MSG_WAITALL)
        return there

    def sendall(self, data: bytes | bytearray) -> None:
        """Send everything.

        :raises TimeoutError: when the client has taken nothing for too long.
        """
        if self._collected is not None:
            self._collected += data
            return
        left = memoryview(data)
        with suppress(BlockingIOError):
            left = left[self._socket.send(left, socket.MSG_DONTWAIT) :]
        if left:
            with self._waiting(sends=True):
                while left:
                    left = left[self._patiently(self._socket.send, left) :]

    @contextmanager
    def one_packet(self) -> Iterator[None]:
        """Send what is sent in the block at its end, all at once."""
        self._collected = bytearray()
        try:
            yield
        finally:
            data, self._collected = self._collected, None
            self.sendall(data)

    def sendfile(self, file: Any, offset: int, count: int) -> None:
        """Send a part of a file, as :meth:`sendall` does."""
        source, end = file.fileno(), offset + count
        with self._waiting(sends=True):
            while offset < end:
                step = min(end - offset, 4 * 1024 * 1024)
                sent = self._patiently(os.sendfile, self.fileno(), source, offset, step)
                if not sent:
                    raise OSError("the file is shorter than it was")
                offset += sent

    def end_request(self) -> None:
        """Note that its thread has nothing more to do for the request."""
        if self._has_turn:
            self._has_turn = False
            _left.release()

    # Its end

    def give_way(self) -> None:
        """End what its thread waits for: the client has been silent, and others need the place."""
        self._has_given_way = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR if self.is_sending else socket.SHUT_RD)

    @property
    def can_give_way(self) -> bool:
        """Whether its thread waits for the client, and has not been told to end."""
        return self.is_waiting and not self._has_given_way

    def finish(self) -> None:
        """Tell the client that there are no more answers."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def cut_off(self) -> None:
        """End it at once, whatever its thread does."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it; its thread must have ended."""
        self.end_request()
        self._socket.close()

    def _receive_for(self, seconds: float) -> None:
        """Set how long a call that receives waits."""
        if seconds != self._receives_for:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))
            self._receives_for = seconds

    def _receive_after_first(self, size: int, flags: int) -> bytes:
        wait = select.poll()
        wait.register(self, select.POLLIN)
        if not wait.poll(_CALL_SECONDS * 1000):
            raise BlockingIOError
        return self._socket.recv(size, flags)

    def _wait_for(self, size: int, receive: Any, flags: int) -> bytes:
        self._slow.add(self)
        try:
            data: bytes = self._patiently(receive, size, flags)
            if not data and self._has_given_way:
                raise TimeoutError("others needed the place of a client that sent nothing")
        except OSError:
            self._wait_for_turn()
            raise
        if len(data) < size and self._is_at_end():
            self._wait_for_turn()
        return data

    def _is_at_end(self) -> bool:
        """Whether nothing more will come."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _wait_for_turn(self) -> None:
        self.is_waiting = False
        if not self._has_turn:
            self._has_turn = _left.acquire(timeout=_LEFT_SECONDS)

    def _patiently(self, call: Any, *arguments: Any) -> Any:
        """Call until something was sent or received."""
        while True:
            try:
                done = call(*arguments)
            except BlockingIOError:  # _CALL_SECONDS have passed
                if time.monotonic() - self.heard > self.idle_seconds:
                    raise TimeoutError(f"no byte for {self.idle_seconds:g} seconds") from None
                continue
            self.heard = time.monotonic()
            return done

    @contextmanager
    def _waiting(self, *, sends: bool = False) -> Iterator[None]:
        self.heard = time.monotonic()
        self.is_waiting, self.is_sending = True, sends
        try:
            with request_gate.stepping_out():
                yield
        finally:
            self.is_waiting = self.is_sending = False


def _timeval(seconds: float) -> bytes:
    """Return a time as socket options have it."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
