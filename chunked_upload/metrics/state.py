"""What database and storage say at the moment of a scrape; the same from whichever process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from flask import Flask
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.event_queue import EventQueue, EventTotal
from chunked_upload.records.events import EventStatus
from chunked_upload.records.failures import DatabaseProblem
from chunked_upload.records.model import Status
from chunked_upload.records.totals import Total
from chunked_upload.storage.powers import TellsRoom


class State:
    """A collector of what the uploads of an app are now. Each scrape reads it anew.

    Where the database or a storage does not answer, its figures are left out, and ``up`` says 0.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        upload_sets: dict[str, BoundUploadSet] = self._app.extensions["chunked_upload"]
        up = GaugeMetricFamily(
            "chunked_upload_up", "Whether database and storage answer, if asked.", labels=["part"]
        )
        try:
            [first, *_] = upload_sets.values()
            now = first.engine.now()
            yield from _of_records(_totals(upload_sets.values()), now)
            yield from _of_events(_event_totals(upload_sets.values()), now)
            up.add_metric(["database"], 1)
        except DatabaseProblem:
            up.add_metric(["database"], 0)
        storages = {name: one.engine.storage for name, one in upload_sets.items()}
        asked = {name: one for name, one in storages.items() if isinstance(one, TellsRoom)}
        try:
            yield _free(asked)
            # An object store is not asked: one that hangs would hold the scrape for a minute.
            if asked:
                up.add_metric(["storage"], 1)
        except OSError:
            up.add_metric(["storage"], 0)
        yield up


def _totals(upload_sets: Iterable[BoundUploadSet]) -> list[Total]:
    """Return the totals of every table; upload sets may share one."""
    engines = {one.model: one.engine for one in upload_sets}
    return [total for engine in engines.values() for total in engine.records.totals.by_status()]


def _of_records(found: list[Total], now: datetime) -> Iterator[Metric]:
    uploads = GaugeMetricFamily(
        "chunked_upload_uploads", "Uploads, by status.", labels=["upload_set", "status"]
    )
    held = GaugeMetricFamily(
        "chunked_upload_stored_bytes",
        "Bytes recorded; those of status uploading are open.",
        labels=["upload_set", "status"],
    )
    waiting = GaugeMetricFamily(
        "chunked_upload_hooks_waiting",
        "Completed uploads whose on_completion has not returned.",
        labels=["upload_set"],
    )
    age = GaugeMetricFamily(
        "chunked_upload_hooks_waiting_seconds",
        "How long the oldest of them has been complete.",
        labels=["upload_set"],
    )
    for total in found:
        labels = [total.upload_set, total.status.name.lower()]
        uploads.add_metric(labels, total.uploads)
        held.add_metric(labels, total.held)
        if total.status is Status.COMPLETE:
            since = total.waiting_since or now
            waiting.add_metric([total.upload_set], total.waiting)
            age.add_metric([total.upload_set], max((now - since).total_seconds(), 0))
    yield from (uploads, held, waiting, age)


def _event_totals(upload_sets: Iterable[BoundUploadSet]) -> list[EventTotal]:
    """Return what waits and what is dead, of every table; upload sets may share one."""
    outboxes = [one.engine.records.outbox for one in upload_sets]
    tables = {one.model: EventQueue(one) for one in outboxes if one is not None}
    return [total for queue in tables.values() for total in queue.totals()]


def _of_events(found: list[EventTotal], now: datetime) -> Iterator[Metric]:
    labels = ["upload_set", "target"]
    waiting = GaugeMetricFamily(
        "chunked_upload_events_waiting", "Events that have not been delivered.", labels=labels
    )
    age = GaugeMetricFamily(
        "chunked_upload_events_waiting_seconds",
        "How long ago the oldest of them happened.",
        labels=labels,
    )
    dead = GaugeMetricFamily(
        "chunked_upload_events_dead", "Dead letters: events that were given up.", labels=labels
    )
    for total in found:
        values = [total.upload_set, total.target]
        if total.status is EventStatus.DEAD:
            dead.add_metric(values, total.events)
        else:
            waiting.add_metric(values, total.events)
            age.add_metric(values, max((now - total.since).total_seconds(), 0))
    yield from (waiting, age, dead)


def _free(storages: Mapping[str, TellsRoom]) -> Metric:
    free = GaugeMetricFamily(
        "chunked_upload_storage_free_bytes",
        "Bytes that can still be stored, where the storage knows.",
        labels=["upload_set"],
    )
    for name, storage in storages.items():
        free.add_metric([name], storage.free_bytes())
    return free
