"""Ports for the servers of tests: each pytest worker has some that nobody else takes.

A port that the kernel chooses is one of those that it also gives to outgoing connections. Between
the choice and the server's start, and while a server is restarted, a connection of another test
would take it. So the ports are below those, and each worker has its own. Test runs beside this one
begin somewhere else among theirs.
"""

from __future__ import annotations

import itertools
import os
import random
import socket
from pathlib import Path

#: Ports of all workers: above those of well-known services, below the kernel's own.
_FIRST, _END = 11_000, 32_000

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def own_ports(worker: int, workers: int, end: int = _END) -> range:
    """Return the ports of a worker.

    :param worker: its number, from 0.
    :param end: the first port that is nobody's.
    """
    each = (end - _FIRST) // workers
    return range(_FIRST + worker * each, _FIRST + (worker + 1) * each)


def _end() -> int:
    try:
        return min(_END, int(_RANGE.read_text().split()[0]))
    except OSError:  # another system
        return _END


def _of_this_process() -> range:
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return own_ports(
        int(name.removeprefix("gw")), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), _end()
    )


_ports = _of_this_process()
_turns = itertools.count(random.randrange(len(_ports)))


def free_port() -> int:
    """Return a port of this worker's own that nobody listens on."""
    for turn in itertools.islice(_turns, len(_ports)):
        port = _ports[turn % len(_ports)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port from {_ports.start} to {_ports.stop - 1} is free")
