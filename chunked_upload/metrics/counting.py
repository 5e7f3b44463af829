"""Connects the counts to an app, at its first request."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

from flask import Flask

from chunked_upload.errors import reason_of
from chunked_upload.hooks import SIGNALS, request_answered
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.repository import Record
from chunked_upload.support.measuring import collect_figures

from .files import reserve

logger = logging.getLogger(__name__)

#: prometheus-client's own, for servers with several processes.
DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

#: Events that are counted; the chunks are, with their bytes, as figures of the engine's work.
_EVENTS = ("created", "completed", "expired", "aborted")

_connecting = threading.Lock()


class Counting:
    """Counts what happens in one app."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._begun = False
        #: What counts the requests of one kind; to look that up costs as much as to count.
        self._children: dict[tuple[str, str, str, int], tuple[Any, Any]] = {}
        #: Whether this process counts; :mod:`.counts` is only imported then.
        self.running = False

    def begin(self) -> None:
        """Begin, unless it has; if the counts have no place, the app works without them."""
        if self._begun:
            return
        with _connecting:
            if self._begun:
                return
            try:
                self._connect()
                self.running = True
            except OSError as error:
                logger.error("this process counts nothing for /metrics, until a restart: %s", error)
            self._begun = True

    def _connect(self) -> None:
        if directory := os.environ.get(DIRECTORY_VARIABLE):
            reserve(Path(directory))
        from . import counts

        collect_figures(counts.collect)
        # The app keeps this object, and signals only refer to their receivers.
        request_answered.connect(self._answered, self._app)
        self._receivers = [self._event(name) for name in _EVENTS]
        upload_sets: dict[str, BoundUploadSet] = self._app.extensions["chunked_upload"]
        with self._app.app_context():
            for upload_set in upload_sets.values():
                upload_set.engine.records.watch_pool(
                    opened=counts.CONNECTIONS_OPEN.inc, used=counts.CONNECTIONS_USED.inc
                )

    def _event(self, name: str) -> Any:
        from .counts import EVENTS

        def count(app: Flask, *, upload: Record, upload_set: str) -> None:
            EVENTS.labels(upload_set, name).inc()

        SIGNALS[name].connect(count, self._app)
        return count

    def _answered(
        self,
        app: Flask,
        *,
        upload_set: str,
        dialect: str,
        method: str,
        status: int,
        error: Exception | None,
        seconds: float,
    ) -> None:
        key = upload_set, dialect, method, status
        requests, request_seconds = self._children.get(key) or self._made(*key)
        requests.inc()
        request_seconds.observe(seconds)
        if error is not None:
            from . import counts

            counts.ERRORS.labels(upload_set, dialect, reason_of(error)).inc()

    def _made(self, upload_set: str, dialect: str, method: str, status: int) -> tuple[Any, Any]:
        from . import counts

        made = (
            counts.REQUESTS.labels(upload_set, dialect, method, status),
            counts.REQUEST_SECONDS.labels(upload_set, dialect, method),
        )
        self._children[upload_set, dialect, method, status] = made
        return made
