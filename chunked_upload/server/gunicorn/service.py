"""``chunked-upload serve``: gunicorn with the bundled server's settings and worker."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from chunked_upload.delivery.background import BackgroundDelivery
from chunked_upload.server.open_files import CONNECTIONS
from chunked_upload.server.shared_counts import worker_ended

from . import stop_signals
from .logger import ServerLogger
from .worker import UploadWorker

#: How long a connection may rest between two requests, as with nginx.
_KEEPALIVE_SECONDS = 75

#: Bytes of a request's first line, for long file names in a query; the most that gunicorn takes.
_LONGEST_LINE = 8190

#: Bytes of one header.
_LONGEST_HEADER = 16 * 1024

#: How often a worker looks whether its main process is still there.
_WATCH_SECONDS = 0.5


#: How long a worker that ends waits for the delivery of an event.
_DELIVERY_SECONDS = 5.0

_DELIVERY = "chunked_upload_delivery"


class Service(BaseApplication):  # type: ignore[misc]
    """gunicorn with :class:`~.worker.UploadWorker`.

    :param app: made in the main process, and served by each worker that it forks.
    :param settings: gunicorn's, in addition to those below.
    """

    def __init__(self, app: Flask, **settings: Any) -> None:
        self._app = app
        self._settings = settings
        self._pid = os.getpid()
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "worker_class": UploadWorker,
            "logger_class": ServerLogger,
            "worker_connections": CONNECTIONS,
            "backlog": CONNECTIONS,
            "keepalive": _KEEPALIVE_SECONDS,
            # A worker that is stopped and continued (a debugger, a frozen container) is no failure.
            "timeout": 0,
            # Whom to believe about a proxy is said by CHUNKED_UPLOAD_PROXY_HOPS.
            "forwarded_allow_ips": "",
            "limit_request_line": _LONGEST_LINE,
            "limit_request_field_size": _LONGEST_HEADER,
            "control_socket_disable": True,
            "pre_fork": lambda _arbiter, _worker: stop_signals.hold(),
            "child_exit": worker_ended,
            "worker_exit": _end_delivery,
            **self._settings,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        start_in_worker(self._app, self._pid)
        return self._app


def start_in_worker(app: Flask, main: int) -> None:
    """Start what a worker process has of its own; the worker ends when its main process does.

    A main process that is killed cannot stop its workers; they would keep the port, beside those
    of the server that is started next. What they were receiving stays resumable.

    :param main: pid of the main process.
    """

    def watch() -> None:
        while os.getppid() == main:
            time.sleep(_WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="watch-main", daemon=True).start()
    app.extensions[_DELIVERY] = delivery = BackgroundDelivery(app)
    delivery.start()


def _end_delivery(_arbiter: Any, worker: Any) -> None:
    """Let a worker that ends finish the delivery of an event that is under way."""
    app = getattr(worker, "wsgi", None)
    if isinstance(app, Flask) and _DELIVERY in app.extensions:
        app.extensions[_DELIVERY].stop(_DELIVERY_SECONDS)
