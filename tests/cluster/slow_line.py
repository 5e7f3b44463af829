"""A slow line to the database and to the store: a relay that passes on what it gets late."""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import Self

from tests.cluster.cluster import Cluster

#: Bytes that are passed on at a time; so a delay of 0.1 seconds leaves 640 KiB a second.
_AT_A_TIME = 64 * 1024


class SlowLine:
    """A relay to one address. Closing it breaks all its connections.

    :ivar delay: seconds, on average, by which bytes are late, each way; 0 is as quick as it can.
    """

    def __init__(self, host: str, port: int) -> None:
        self.delay = 0.0
        self._to = host, port
        self._listening = socket.create_server((host, 0), backlog=256)
        self._open: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Where it is reached, at the host's address."""
        port: int = self._listening.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                near, _ = self._listening.accept()
                try:
                    far = socket.create_connection(self._to)
                except OSError:
                    near.close()
                    continue
                self._open += (near, far)
                for source, target in ((near, far), (far, near)):
                    target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_AT_A_TIME):
                time.sleep(self.delay * random.uniform(0.5, 1.5))
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class DistantCluster(Cluster):
    """Nodes that reach database and store over lines that can be made slow.

    :ivar lines: the one to the database, and the one to the store.
    """

    lines: tuple[SlowLine, SlowLine]

    def _start_nodes(self, stack: ExitStack) -> None:
        self._ends = [(self.network.database, self.database.port)]
        self._ends.append((self.network.store, self.store.port))
        first, second = (stack.enter_context(SlowLine(*end)) for end in self._ends)
        self.lines = first, second
        super()._start_nodes(stack)

    def _settings(self) -> dict[str, str]:
        settings = super()._settings()
        for (host, port), line in zip(self._ends, self.lines, strict=True):
            direct, over = f"{host}:{port}", f"{host}:{line.port}"
            settings = {key: value.replace(direct, over) for key, value in settings.items()}
        return settings
