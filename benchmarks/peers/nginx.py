"""nginx as the practical ceiling: PUT by its WebDAV module, GET from disk."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path

from ..load import Dialect, Frame
from ..process import Service
from ..wire import Reply, expect, head
from ..workshop import Workshop
from .base import Peer

#: A body goes to a temporary file on the same disk and is renamed, as dav does it. The buffer is
#: the size that served it best (16 KiB, its default, to 1 MiB were tried).
_CONFIGURATION = """
daemon off;
worker_processes {workers};
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    client_max_body_size 0;
    client_body_buffer_size 256k;
    client_body_temp_path {files}/incoming;
    proxy_temp_path {place}/t1; fastcgi_temp_path {place}/t2;
    uwsgi_temp_path {place}/t3; scgi_temp_path {place}/t4;
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port};
        root {files};
        location / {{ dav_methods PUT; }}
    }}
}}
"""


class Puts(Dialect):
    """Every chunk a file of its own."""

    def __init__(self) -> None:
        self._names = itertools.count()

    def chunk(self, state: str, start: int, size: int, total: int) -> Frame:
        name = f"/{os.getpid()}-{next(self._names)}"
        return Frame(head("PUT", name, {"Content-Length": size}))

    def taken(self, reply: Reply, state: str) -> str:
        expect(reply, 201, 204)
        return state


class Nginx(Peer):
    """nginx with as many workers as asked for."""

    def __init__(self, key: str, title: str, *, workers: int = 1) -> None:
        super().__init__(workers=workers)
        self.key, self.title = key, title

    def prepare(self, workshop: Workshop) -> None:
        self._program, self._version = workshop.nginx()

    def versions(self) -> Mapping[str, str]:
        return {"nginx": self._version}

    def dialect(self) -> Dialect:
        return Puts()

    def service(self, place: Path, files: Path) -> Service:
        configuration = place / "nginx.conf"
        service = Service(
            [self._program, "-p", str(place), "-c", str(configuration)], directory=place
        )
        text = _CONFIGURATION.format(
            workers=self.workers, place=place, files=files, port=service.port
        )
        # Its workers would give up root's rights, and with them the folder.
        configuration.write_text(("user root;\n" if os.geteuid() == 0 else "") + text)
        return service
