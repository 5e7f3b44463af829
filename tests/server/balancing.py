"""Two servers behind nginx or HAProxy with the project's own files, as several nodes are.

They share an instance folder, so that no database and no store need be started: what a balancer
does with requests is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support import haproxy, nginx
from tests.support.server import Server

FRONTS = ("nginx", "haproxy")


class Front(Protocol):
    """What is common to both balancers."""

    port: int
    url: str

    def drain(self, *out: str) -> None: ...


@contextmanager
def two_nodes(place: Path) -> Iterator[tuple[Server, Server]]:
    """Start two servers of one instance folder, each with a log of its own."""
    environment = {"CHUNKED_UPLOAD_PROXY_HOPS": "1"}
    one, two = Server(place, environment), Server(place, environment)
    two.log = place / "two.log"
    with one, two:
        yield one, two


@contextmanager
def before(name: str, place: Path, addresses: Sequence[str], site: str = "") -> Iterator[Front]:
    """Start a balancer before nodes, and wait until it sends requests to each of them."""
    own = place / name
    own.mkdir(exist_ok=True)
    module = nginx if name == "nginx" else haproxy
    with module.before_nodes(own, addresses, site) as front:
        yield front


def address(server: Server) -> str:
    """Return a node's address as the balancer knows it."""
    return f"127.0.0.1:{server.port}"


def requests(server: Server, path: str = "/") -> int:
    """Return how many requests of paths that begin so a node has answered."""
    return server.log.read_text().count(f'"path": "{path}')
