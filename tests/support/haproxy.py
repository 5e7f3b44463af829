"""The real HAProxy, with ``deploy/haproxy.cfg``."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.balancer import Balancer
from tests.support.missing import skip_without

_RECIPE = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"


def recipe() -> str:
    """Return ``deploy/haproxy.cfg``."""
    return _RECIPE.read_text()


class HAProxy(Balancer):
    """One HAProxy before several nodes.

    :param directory: where it keeps its own files; a short path, since its socket's name is short.
    :param nodes: the nodes' addresses, ``host:port``, in place of those that the file names.
    """

    def __init__(self, directory: Path, nodes: Sequence[str], site: str = "") -> None:
        super().__init__(directory, log="haproxy.log")
        self._nodes = list(nodes)
        self._text = self._adapted(site or recipe())

    def start(self) -> None:
        """Start it, and wait until it takes commands; it takes nodes for well until checks fail."""
        file = self.directory / "haproxy.cfg"
        file.write_text(self._text)
        with self.log.open("ab") as log:
            self._run([program(), "-db", "-f", str(file)], self._socket.exists, output=log)

    def drain(self, *out: str) -> None:
        """Have nodes get no more requests; what they have begun, they may finish.

        :param out: the nodes that are out from now on; the others are in.
        """
        for number, node in enumerate(self._nodes, 1):
            state = "drain" if node in out else "ready"
            self.ask(f"set server nodes/node{number} state {state}")

    def well(self) -> list[str]:
        """Return the nodes that the checks have found well."""
        lines = self.ask("show servers state nodes").splitlines()
        states = [line.split() for line in lines[2:] if line]
        up = {state[3] for state in states if state[5] == "2"}
        return [node for number, node in enumerate(self._nodes, 1) if f"node{number}" in up]

    def ask(self, command: str) -> str:
        """Send a command to its socket; return the answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(f"{command}\n".encode())
            return connection.makefile().read()

    @property
    def _socket(self) -> Path:
        return self.directory / "admin.sock"

    def _adapted(self, text: str) -> str:
        text = re.sub(r"^ *(user|group|log) .*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"bind :::443 v4v6 ssl crt \S+", f"bind 127.0.0.1:{self.port}", text)
        text = text.replace("/run/haproxy/admin.sock", str(self._socket))
        text = re.sub(r"^ *server node\d+ .*\n", "", text, flags=re.MULTILINE)
        lines = [f"    server node{n} {node}\n" for n, node in enumerate(self._nodes, 1)]
        return text.rstrip() + "\n" + "".join(lines)


@contextmanager
def before_nodes(directory: Path, nodes: Sequence[str], site: str = "") -> Iterator[HAProxy]:
    """Run HAProxy with ``deploy/haproxy.cfg``, or a variant of it, before several nodes."""
    haproxy = HAProxy(directory, nodes, site)
    haproxy.start()
    try:
        yield haproxy
    finally:
        haproxy.stop()


def program() -> str:
    """Return where the program is; skip the test where it is not installed."""
    found = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        skip_without("HAProxy", install="the package haproxy")
    return found
