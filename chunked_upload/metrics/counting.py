"""Connects the counts to an app, at its first request."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

from flask import Flask

from chunked_upload.hooks import SIGNALS
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.pool import Pools
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
        #: Whether this process counts; :mod:`.batch` is only imported then.
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
        from . import batch

        upload_sets: dict[str, BoundUploadSet] = self._app.extensions["chunked_upload"]
        with self._app.app_context():
            engines = [one.engine.records.database for one in upload_sets.values()]
        self._pools = Pools(engines)
        batch.begin(self._pools)
        collect_figures(batch.note_figure)
        for upload_set in upload_sets.values():
            upload_set.note_answer = batch.note_answer
        # The app keeps this object, and signals only refer to their receivers.
        self._receivers = [self._event(name) for name in _EVENTS]

    def _event(self, name: str) -> Any:
        from .counts import EVENTS

        def count(app: Flask, *, upload: Record, upload_set: str) -> None:
            EVENTS.labels(upload_set, name).inc()

        SIGNALS[name].connect(count, self._app)
        return count
