"""Delivers an app's events in a thread of this process, for as long as the process lives."""

from __future__ import annotations

import logging
import random
import threading
import time

from flask import Flask

from chunked_upload.http.upload_set import BoundUploadSet

from .deliverer import Deliverer

logger = logging.getLogger(__name__)

#: Seconds between two looks for events that other processes have written, or that are due again.
_POLL_SECONDS = 5.0

#: Seconds between two removals of old events.
_CLEAN_SECONDS = 3600.0


def deliverers(app: Flask) -> dict[str, Deliverer]:
    """Return what delivers the events of each upload set of an app that has any."""
    upload_sets: dict[str, BoundUploadSet] = app.extensions["chunked_upload"]
    return {
        name: Deliverer(one.engine)
        for name, one in upload_sets.items()
        if one.settings.event_targets
    }


class BackgroundDelivery:
    """A thread that delivers the events of an app.

    It wakes when this process has written an event, and looks every few seconds for those of
    others. A request never waits for it.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._deliverers = deliverers(app)
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deliver-events", daemon=True)

    def start(self) -> None:
        """Start, unless nobody is to be told of anything."""
        if not self._deliverers:
            return
        upload_sets: dict[str, BoundUploadSet] = self._app.extensions["chunked_upload"]
        for name in self._deliverers:
            outbox = upload_sets[name].engine.records.outbox
            if outbox is not None:
                outbox.wrote = self._woken.set
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Begin no other delivery, and wait for the one that is under way.

        If it takes longer, it is left to another process, which may tell the target again.

        :param seconds: how long to wait.
        """
        self._stopped.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        cleaned = time.monotonic() - random.uniform(0, _CLEAN_SECONDS)  # noqa: S311 - no secret
        while not self._stopped.is_set():
            self._woken.clear()
            try:
                with self._app.app_context():
                    cleaned = self._pass(cleaned)
            except Exception:  # such as a database that does not answer
                logger.exception("events cannot be delivered now; they are tried again")
            # Not at the same moment in each process.
            self._woken.wait(_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    def _pass(self, cleaned: float) -> float:
        """Deliver what is due; return when old events were last removed."""
        for one in self._deliverers.values():
            one.deliver(self._stopped.is_set)
        if time.monotonic() - cleaned < _CLEAN_SECONDS:
            return cleaned
        for one in self._deliverers.values():
            one.clean()
        return time.monotonic()
