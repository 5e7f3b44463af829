"""Notes what goes wrong in the journal: requests that fail or meet a limit, hooks that raise.

A request never waits for it. Entries are collected in memory, equal ones as one, and written a
moment later by a thread; while the database does not take them, they wait. Ordinary requests do
nothing for it at all.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Flask, request

from chunked_upload.engine.errors import FileTooLarge, LimitReached
from chunked_upload.errors import reason_of
from chunked_upload.hooks import hook_failed, request_refused
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.failures import DatabaseProblem, is_failure, missing
from chunked_upload.records.journal import Entry, Journal, Kind
from chunked_upload.records.model import is_upload_id
from chunked_upload.records.repository import Record
from chunked_upload.support.clock import utcnow

logger = logging.getLogger(__name__)

#: Seconds until entries are written, and until it is tried again.
_DELAY, _AGAIN = 1.0, 10.0

#: Different entries that wait at a time; more are dropped.
_MOST = 200

#: Times to try again before waiting entries are dropped: a day.
_TRIES = 8640

_LIMITS = (LimitReached, FileTooLarge)


class Failures:
    """Collects the failures of one app.

    :param journal: into which they are written.
    """

    def __init__(self, app: Flask, journal: Journal) -> None:
        self._app = app
        self._journal = journal
        self._lock = threading.Lock()
        #: Held while entries are written.
        self._writing = threading.Lock()
        #: How often each entry happened, and when last; the key has no time.
        self._waiting: Counter[Entry] = Counter()
        self._last: dict[Entry, datetime] = {}
        self._timer: threading.Timer | None = None
        self._tries = 0
        # The app keeps this object, and signals only refer to their receivers.
        request_refused.connect(self._refused, app)
        hook_failed.connect(self._hook_failed, app)

    def flush(self) -> None:
        """Write what is waiting; on return, what another thread had begun to write is written too.

        :raises DatabaseProblem: when the database does not take it. It keeps waiting then, unless
            the database works, and would never take it.
        """
        with self._writing:
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            counts, last = self._waiting, self._last
            self._waiting, self._last = Counter(), {}
        try:
            with self._app.app_context():
                self._journal.add(
                    replace(entry, times=times, at=last[entry]) for entry, times in counts.items()
                )
        except DatabaseProblem as error:
            if is_failure(error) or missing(error):
                with self._lock:
                    self._waiting.update(counts)
                    self._last = last | self._last
            raise

    def _refused(
        self, app: Flask, *, upload_set: str, status: int, error: Exception, **others: Any
    ) -> None:
        if not (status >= 500 or status in (413, 429) or isinstance(error, _LIMITS)):
            return
        bound: BoundUploadSet = app.extensions["chunked_upload"][upload_set]
        known = request.environ.get("chunked_upload.callers", {}).get(bound.name)
        upload_id = (request.view_args or {}).get("upload_id", "")
        self._note(
            Entry(
                kind=Kind.FAILURE,
                what=reason_of(error),
                at=datetime.min,
                upload_set=upload_set,
                upload_id=upload_id if is_upload_id(upload_id) else None,
                who=known and known.owner,
                status=status,
                detail=_said(error),
            )
        )

    def _hook_failed(self, app: Flask, *, upload: Record, upload_set: str) -> None:
        error = sys.exception()
        self._note(
            Entry(
                kind=Kind.FAILURE,
                what="hook_failed",
                at=datetime.min,
                upload_set=upload_set,
                upload_id=upload.upload_id,
                who=upload.owner,
                detail=None if error is None else f"{type(error).__name__}: {_line(error)}",
            )
        )

    def _note(self, entry: Entry) -> None:
        with self._lock:
            if entry in self._waiting or len(self._waiting) < _MOST:
                self._waiting[entry] += 1
                self._last[entry] = utcnow()
            if self._timer is None:
                atexit.register(self._flush_at_exit)
                self._begin(_DELAY)

    def _begin(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._write)
        self._timer.daemon = True
        self._timer.start()

    def _write(self) -> None:
        """Write what is waiting, and come back while there is more."""
        again = _DELAY
        try:
            self.flush()
            self._tries = 0
        except Exception as error:  # or nothing would be noted from now on
            self._tries += 1
            again = _AGAIN
            if self._tries == 1:
                logger.error("failures could not be noted, will try again: %s", _line(error))
        with self._lock:
            if self._waiting and self._tries < _TRIES:
                self._begin(again)
                return
            self._waiting.clear()
            self._last.clear()
            self._timer, self._tries = None, 0
            atexit.unregister(self._flush_at_exit)

    def _flush_at_exit(self) -> None:
        """Write what a command's process, or a worker that ends, has not written yet."""
        try:
            self.flush()
        except Exception as error:
            logger.error("failures could not be noted: %s", _line(error))


def _said(error: Exception) -> str:
    """Return what was wrong, and what the database or the storage said."""
    own = getattr(error, "problem", None) or getattr(error, "limit", None)
    data = getattr(error, "data", {})
    words = [str(own or data.get("reason") or data.get("detail") or error or type(error).__name__)]
    if error.__cause__ is not None:
        words.append(_line(error.__cause__))
    return ": ".join(dict.fromkeys(words))


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
