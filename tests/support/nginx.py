"""The real nginx, with the project's own configuration."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.missing import skip_without
from tests.support.server import free_port

ROOT = Path(__file__).parents[2]

_FRAME = """\
{user}
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{}}
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


def recipe() -> str:
    """Return the site of ``deploy/nginx.conf``."""
    return (ROOT / "deploy" / "nginx.conf").read_text()


@contextmanager
def running(
    directory: Path, site: str, *, upstream: int, places: Mapping[str, Path], more: str = ""
) -> Iterator[int]:
    """Run nginx with a site, adapted to this host; yield its port.

    :param directory: where it keeps its own files.
    :param upstream: the app's port.
    :param places: the site's directories, and where they are here.
    :param more: locations to add to the site.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        skip_without("nginx", install="the package nginx")
    port = free_port()
    site = re.sub(r"^\s*(listen \[|ssl_).*\n", "", site, flags=re.MULTILINE)
    site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    site = site.replace("server 127.0.0.1:8000;", f"server 127.0.0.1:{upstream};")
    site = f"{site.rstrip().removesuffix('}')}{more}\n}}"
    for documented, here in places.items():
        assert documented in site, documented
        site = site.replace(documented, f"{here}/")
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = directory / "nginx.conf"
    configuration.write_text(_FRAME.format(directory=directory, site=site, user=user))
    command = [program, "-p", str(directory), "-c", str(configuration), "-e", "nginx.log"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _wait(process, port, directory / "nginx.log")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            ended = process.poll() is not None or time.monotonic() > deadline
            assert not ended, log.read_text()
            time.sleep(0.02)
