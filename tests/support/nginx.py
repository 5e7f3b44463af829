"""The real nginx, with the project's own configurations."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.balancer import Balancer
from tests.support.missing import skip_without

ROOT = Path(__file__).parents[2]

_FRAME = """\
{user}
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {site}
}}
"""

#: A server of an ``upstream``, and what is said of it.
_SERVER = re.compile(r"server [\d.]+:8000([^;]*);")


def recipe(name: str = "nginx.conf") -> str:
    """Return the site of a file of ``deploy/``."""
    return (ROOT / "deploy" / name).read_text()


class Nginx(Balancer):
    """One nginx with a site, adapted to this host.

    :param directory: where it keeps its own files.
    :param upstream: the apps' addresses, ``host:port``, in place of those that the site names.
    :param places: the site's directories, and where they are here.
    :param more: locations to add to the site.
    """

    def __init__(
        self,
        directory: Path,
        site: str,
        *,
        upstream: Sequence[str],
        places: Mapping[str, Path] | None = None,
        more: str = "",
    ) -> None:
        super().__init__(directory, log="nginx.log")
        self._site = _adapted(site, self.port, places or {}, more)
        self._upstream = list(upstream)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._write(out=())
        command = [program(), "-p", str(self.directory), "-c", str(self._file), "-e", "nginx.log"]
        # It overwrites its environment, by which the guard would know it for a killed run's.
        command = ["setpriv", "--pdeathsig", "TERM", *command]
        self._run(command, lambda: _listens(self.port))

    def drain(self, *out: str) -> None:
        """Have nodes get no more requests; what they have begun, they may finish.

        :param out: the nodes that are out from now on; the others are in.
        """
        assert self._process is not None
        self._write(out)
        before = set(self._listening())
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while not (now := set(self._listening())) or now & before:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def _listening(self) -> list[int]:
        """Return the workers that take connections: of a reload's old ones, none any more."""
        assert self._process is not None
        listener = _listening_socket(self.port)
        return [pid for pid in _children(self._process.pid) if _has_open(pid, listener)]

    @property
    def _file(self) -> Path:
        return self.directory / "nginx.conf"

    def _write(self, out: Sequence[str]) -> None:
        user = "user root;" if os.geteuid() == 0 else ""
        site = _with_servers(self._site, self._upstream, out)
        self._file.write_text(_FRAME.format(directory=self.directory, site=site, user=user))


@contextmanager
def running(
    directory: Path,
    site: str,
    *,
    upstream: int,
    places: Mapping[str, Path] | None = None,
    more: str = "",
) -> Iterator[int]:
    """Run nginx before one app of this host; yield its port."""
    addresses = [f"127.0.0.1:{upstream}"]
    nginx = Nginx(directory, site, upstream=addresses, places=places, more=more)
    nginx.start()
    try:
        yield nginx.port
    finally:
        nginx.stop()


@contextmanager
def before_nodes(directory: Path, nodes: Sequence[str], site: str = "") -> Iterator[Nginx]:
    """Run nginx with ``deploy/nginx-nodes.conf``, or a variant of it, before several nodes."""
    nginx = Nginx(directory, site or recipe("nginx-nodes.conf"), upstream=nodes)
    nginx.start()
    try:
        yield nginx
    finally:
        nginx.stop()


def find_program() -> str | None:
    """Return nginx's path, or None when it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def program() -> str:
    """Return nginx's path; skip the test where it is not installed."""
    found = find_program()
    if found is None:
        skip_without("nginx", install="the package nginx")
    return found


def _adapted(site: str, port: int, places: Mapping[str, Path], more: str) -> str:
    site = re.sub(r"^\s*(listen \[|ssl_|access_log ).*\n", "", site, flags=re.MULTILINE)
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    site = f"{site.rstrip().removesuffix('}')}{more}\n}}"
    for documented, here in places.items():
        assert documented in site, documented
        site = site.replace(documented, f"{here}/")
    return site


def _with_servers(site: str, upstream: Sequence[str], out: Sequence[str]) -> str:
    """Return the site with other servers in its ``upstream``."""
    said = _SERVER.search(site)
    assert said is not None, site
    servers = [
        f"server {address}{said[1]}{' down' if address in out else ''};" for address in upstream
    ]
    without = site[: said.start()] + "SERVERS" + _SERVER.sub("", site[said.end() :])
    return without.replace("SERVERS", " ".join(servers))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def _listening_socket(port: int) -> str:
    """Return what a descriptor of the socket that listens on a port of this host links to."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
            return f"socket:[{fields[9]}]"
    raise RuntimeError(f"nobody listens on port {port}")


def _has_open(pid: int, link: str) -> bool:
    """Return whether a process has a descriptor with a link; it may be closing some, or ending."""
    with suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{descriptor}") == link:
                    return True
    return False


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
