"""A network of the nodes' own: each has a network namespace, and a line to this host.

Addresses are from 198.18.0.0/15, which is reserved for measurements (RFC 2544). A namespace ends
with the process that holds it, and takes its line and the routes over it along; so nothing is left
of a run, however it ends. Without the right to make namespaces, all nodes are on 127.0.0.1.

This host's ends of the lines have no addresses: routes make them its own all the same. Chromium
listens for addresses that come and go, and then breaks off whatever a page is loading, also from
127.0.0.1 (``net::ERR_NETWORK_CHANGED``): pages of browser tests that ran meanwhile lacked scripts
and pictures.
"""

from __future__ import annotations

import functools
import os
import random
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

LOCAL = "127.0.0.1"

#: A neighbor that does not exist.
_NOBODY = "02:00:00:00:00:01"


@functools.cache
def has_namespaces() -> bool:
    """Return whether this user may make network namespaces and lines between them."""
    if os.geteuid() != 0:
        return False
    line = f"try{os.getpid()}"
    made = (
        f"ip link add {line} type veth peer name {line}x && ip link del {line} && unshare -n true"
    )
    try:
        return subprocess.run(["sh", "-c", made], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class Place:
    """Where a node is.

    :param host: its address.
    :param namespace: the file of its network namespace; None on this host's own network.
    """

    host: str
    namespace: str | None = None

    def cut(self, host: str) -> None:
        """Have what the node sends to an address vanish, as on a broken line."""
        self._ip(f"ip route replace {host} via {_nobody_at(self.host)}")

    def mend(self, host: str) -> None:
        """Undo :meth:`cut`."""
        self._ip(f"ip route del {host}")

    def reset(self, host: str) -> None:
        """Break every connection to an address at once, for both ends; new ones can be made."""
        self._ip(f"ss --kill --no-header --tcp dst {host}")

    def _ip(self, command: str) -> None:
        assert self.namespace is not None, "a line can be cut only between namespaces"
        entered = ["nsenter", f"--net={self.namespace}", *command.split()]
        subprocess.run(entered, check=True, stdout=subprocess.DEVNULL)


class Network:
    """Places for nodes.

    :ivar database: the address for the database, which all nodes reach.
    :ivar store: the address for the store, likewise.
    """

    def __init__(self, nodes: int) -> None:
        self.places = [Place(LOCAL)] * nodes
        self.database = self.store = LOCAL
        self._count = nodes
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if has_namespaces():
            with ExitStack() as stack:
                self._make(stack)
                self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _make(self, stack: ExitStack) -> None:
        subnet = _free_subnet()
        self.database, self.store = f"{subnet}.253", f"{subnet}.254"
        self.places = [_place(stack, subnet, index) for index in range(self._count)]
        own = " && ".join(
            f"ip route add local {host} dev {_line(subnet, 0)}"
            for host in (self.database, self.store)
        )
        subprocess.run(["sh", "-c", own], check=True)


def _place(stack: ExitStack, subnet: str, index: int) -> Place:
    """Make a namespace and the line to it."""
    holder = stack.enter_context(
        subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE
        )
    )
    stack.callback(holder.kill)
    assert holder.stdout is not None
    holder.stdout.readline()
    line, first = _line(subnet, index), 8 * index
    here, there = f"{subnet}.{first + 1}", f"{subnet}.{first + 2}"
    namespace = f"/proc/{holder.pid}/ns/net"
    inside = (
        "ip link set lo up",
        f"ip addr add {there}/29 dev eth0",
        "ip link set eth0 up",
        f"ip route add default via {here}",
        f"ip neigh add {_nobody_at(there)} lladdr {_NOBODY} nud permanent dev eth0",
    )
    outside = (
        f"ip link add {line} type veth peer name eth0 netns {holder.pid}",
        # Else it would have an address of IPv6; refused where there is no IPv6.
        f"{{ ip link set {line} addrgenmode none || true; }}",
        f"ip link set {line} up",
        f"ip route add local {here} dev {line}",
        f"ip route add {subnet}.{first}/29 dev {line} src {here}",
        f"nsenter --net={namespace} sh -c '{' && '.join(inside)}'",
    )
    subprocess.run(["sh", "-c", " && ".join(outside)], check=True)
    return Place(there, namespace)


def _nobody_at(host: str) -> str:
    """Return an address beside a node's at which nobody is."""
    subnet, _, last = host.rpartition(".")
    return f"{subnet}.{int(last) + 1}"


def _line(subnet: str, index: int) -> str:
    """Return the name of this host's end of a line."""
    _, second, third = subnet.split(".")
    return f"cu{second}-{third}-{index}"


def _free_subnet() -> str:
    """Return the first three numbers of addresses that nobody here uses."""
    command = ["ip", "-4", "route", "show", "table", "local"]
    used = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    free = [
        subnet
        for second in (18, 19)
        for third in range(256)
        if f" {(subnet := f'198.{second}.{third}')}." not in used
    ]
    return random.SystemRandom().choice(free)
