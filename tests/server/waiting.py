"""Waiting for what a server does by itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path


def eventually(condition: Callable[[], bool], seconds: float = 20, *, every: float = 0.02) -> None:
    """Wait until a condition holds; fail when it does not come to hold.

    :param every: seconds between two looks; more for one that is work.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this should have come true by now"
        time.sleep(every)


def until_read(connection: socket.socket) -> None:
    """Wait until the server has read all that was sent; a reset would discard the rest.

    Linux tells how much lies in the queues of both ends (proc(5), /proc/net/tcp).
    """
    ours, theirs = connection.getsockname()[1], connection.getpeername()[1]

    def nothing_lies_there() -> bool:
        queues: dict[tuple[int, int], str] = {}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, _, waiting = line.split()[:5]
            queues[int(local[-4:], 16), int(remote[-4:], 16)] = waiting
        sent = queues[ours, theirs].partition(":")[0]
        unread = queues[theirs, ours].partition(":")[2]
        return int(sent, 16) == int(unread, 16) == 0

    eventually(nothing_lies_there, every=0.005)
