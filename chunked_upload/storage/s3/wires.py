"""HTTP connections to the store, which streams (stream.py) use one after another."""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import SplitResult
from urllib.request import getproxies, proxy_bypass

#: Most connections in use at a time: a stream holds one for as long as its client sends.
_MOST = 32


class Wires:
    """The connections of one process.

    :param timeout: seconds that sending and an answer may take.
    """

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout
        self._idle: dict[str, list[HTTPConnection]] = {}
        self._free = threading.BoundedSemaphore(_MOST)
        self._lock = threading.Lock()

    def take(self, place: SplitResult) -> HTTPConnection | None:
        """Return a connection; None when too many are in use, or boto3 would use a proxy.

        :param place: a URL of the server.
        """
        through = getproxies().get(place.scheme)
        if through is not None and not proxy_bypass(place.hostname or ""):
            return None
        if not self._free.acquire(blocking=False):
            return None
        try:
            return self._kept(place) or self._new(place)
        except BaseException:
            self._free.release()
            raise

    def _kept(self, place: SplitResult) -> HTTPConnection | None:
        """Return an idle connection that the store has not closed."""
        with self._lock:
            idle = self._idle.setdefault(place.netloc, [])
            while idle:
                wire = idle.pop()
                if wire.sock is not None and not _has_more(wire.sock):
                    return wire
                wire.close()
        return None

    def keep(self, place: SplitResult, wire: HTTPConnection) -> None:
        """Take a connection back whose request is over."""
        self._free.release()
        with self._lock:
            self._idle.setdefault(place.netloc, []).append(wire)

    def drop(self, wire: HTTPConnection) -> None:
        """Close a connection whose request is not over."""
        self._free.release()
        wire.close()

    def _new(self, place: SplitResult) -> HTTPConnection:
        host, port = place.hostname or "", place.port
        if place.scheme != "https":
            return HTTPConnection(host, port, timeout=self._timeout)
        from botocore.httpsession import get_cert_path

        trusted = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True)  # as boto3 does
        context = ssl.create_default_context(cafile=trusted)
        return HTTPSConnection(host, port, timeout=self._timeout, context=context)


def _has_more(idle: socket.socket) -> bool:
    """Return whether there is something to read, be it the end: the store has closed it."""
    poll = select.poll()  # not select(), which takes no descriptors from 1024 on
    poll.register(idle, select.POLLIN)
    return bool(poll.poll(0))
