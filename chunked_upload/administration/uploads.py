"""The uploads of an app as its administrators see them: pages of all, one's life, active ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from chunked_upload.engine.errors import UploadNotFound
from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.schemas import RecordSchema
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.maintenance import actions
from chunked_upload.records.event_queue import EventQueue
from chunked_upload.records.events import EventStatus
from chunked_upload.records.journal import Entry, Journal
from chunked_upload.records.listing import ListedRow, Place, Sort
from chunked_upload.records.model import Status, is_upload_id
from chunked_upload.records.repository import Record
from chunked_upload.storage.powers import LeasesRanges

from .query import Query, cursor

#: How long ago a chunk was recorded, at most, of an upload that is active.
_LATELY = timedelta(minutes=1)

#: Unfinished uploads whose lease is looked at, and active ones that are told.
_LOOKED_AT, _TOLD = 1000, 100

#: What else of a record is told about one upload.
_MORE = ("stored_in", "notified_on", "received", "fencing_token", "reserved", "lease_until")


class Uploads:
    """The uploads of all of an app's upload sets.

    :param upload_sets: by name; several may share a table.
    """

    def __init__(self, upload_sets: Mapping[str, BoundUploadSet], journal: Journal) -> None:
        self._upload_sets = upload_sets
        self._journal = journal

    @property
    def names(self) -> list[str]:
        """The names of the upload sets."""
        return list(self._upload_sets)

    def find(self, upload_id: str) -> tuple[BoundUploadSet, Record]:
        """Return an upload and its upload set.

        :raises UploadNotFound: also for a text that no upload has as its id.
        """
        if not is_upload_id(upload_id):
            raise UploadNotFound
        for upload_set in self._upload_sets.values():
            try:
                return upload_set, actions.find(upload_set, upload_id)
            except UploadNotFound:
                continue
        raise UploadNotFound

    def page(self, query: Query) -> dict[str, Any]:
        """Return a page of uploads, and the ``after`` of the next page."""
        found: list[tuple[str, ListedRow]] = []
        for table, upload_sets in self._tables(query.upload_set).items():
            engine, now = upload_sets[0].engine, upload_sets[0].engine.now()
            with translate_failures():
                rows = engine.records.listing.page(
                    [one.name for one in upload_sets],
                    query.wanted,
                    now=now,
                    sort=query.sort,
                    after=query.after.get(table),
                    limit=query.limit + 1,
                    hook_waits=query.hook_waits,
                )
            found += [(table, row) for row in rows]
        merged = _merged(found, query.sort)
        shown, more = merged[: query.limit], len(merged) > query.limit
        places: dict[str, Place] = {**query.after, **{t: (row.key, row.id) for t, row in shown}}
        return {
            "uploads": [self._listed(row) for _, row in shown],
            "next": cursor(places, query.sort) if more else None,
        }

    def life(self, upload_id: str) -> dict[str, Any]:
        """Return all that is known about one upload.

        :raises UploadNotFound:
        """
        upload_set, record = self.find(upload_id)
        told: dict[str, Any] = RecordSchema().dump(record)
        told |= {name: getattr(record, name) for name in _MORE}
        with translate_failures():
            entries = self._journal.of(upload_id)
            links, events = _links(upload_set, record), _events(upload_set, upload_id)
        return told | {
            "write_lease": self._is_leased(upload_set, record, record.write_leases),
            "on_completion": _hook_state(record),
            "links": links,
            "events": events,
            "journal": [told_entry(entry) for entry in entries],
        }

    def active(self) -> list[dict[str, Any]]:
        """Return the uploads that got a chunk within a minute, or whose write lease is held.

        Where time counts from an upload's creation, records do not tell when a chunk came; then it
        is the lease alone.
        """
        found: list[tuple[datetime, dict[str, Any]]] = []
        for upload_set in self._upload_sets.values():
            engine, delta = upload_set.engine, upload_set.settings.expiration_delta
            by_chunk = upload_set.settings.expiration_from == "last_chunk"
            now = engine.now()
            with translate_failures():
                rows = engine.records.listing.being_sent(
                    upload_set.name, expires_after=now, limit=_LOOKED_AT
                )
            for row in rows:
                touched = row.expires_on - delta if by_chunk else row.created_on
                leased = self._is_leased(upload_set, row, row.write_leases)
                if leased or (by_chunk and now - _LATELY <= touched <= now):
                    last = touched if by_chunk else None
                    told = self._listed(row) | {"write_lease": leased, "last_chunk": last}
                    found.append((touched, told))
        found.sort(key=lambda one: one[0], reverse=True)
        return [told for _, told in found[:_TOLD]]

    def _tables(self, name: str | None) -> dict[str, list[BoundUploadSet]]:
        """Return the upload sets by the table of their records; one alone if it is named."""
        tables: dict[str, list[BoundUploadSet]] = {}
        for upload_set in self._upload_sets.values():
            if name in (None, upload_set.name):
                tables.setdefault(upload_set.model.__tablename__, []).append(upload_set)
        return tables

    def _listed(self, row: ListedRow) -> dict[str, Any]:
        upload_set = self._upload_sets[row.upload_set]
        uploading = row.status == Status.UPLOADING
        return {
            "upload_id": row.upload_id,
            "filename": row.filename,
            "status": Status(row.status).name.lower(),
            "expired": uploading and row.expires_on <= upload_set.engine.now(),
            "offset": row.offset,
            "length": row.length,
            "owner": row.owner,
            "upload_set": row.upload_set,
            "storage": row.stored_in,
            "created_on": row.created_on,
            "completed_on": row.completed_on,
            "expires": row.expires_on if uploading else None,
            "on_completion": _hook_state(row),
        }

    def _is_leased(self, upload_set: BoundUploadSet, upload: Any, in_record: Any) -> bool:
        """Return whether a request has the right to write to an upload, or died with it."""
        if upload.status != Status.UPLOADING:
            return False
        stores = upload_set.engine.stores
        for storage in stores:
            if isinstance(storage, LeasesRanges) and stores.has(upload, storage):
                with suppress(OSError):
                    return storage.is_leased(upload)
        return bool(in_record)


def told_entry(entry: Entry) -> dict[str, Any]:
    """Return an entry of the journal as answers write it."""
    return asdict(entry) | {"kind": entry.kind.value}


def _hook_state(upload: Any) -> str | None:
    """Return what became of ``on_completion``; None for an unfinished upload."""
    if upload.status != Status.COMPLETE:
        return None
    return "waiting" if upload.notified_on is None else "returned"


def _links(upload_set: BoundUploadSet, record: Record) -> int | None:
    """Return how many links to its file work; None where there are no links."""
    shares = upload_set.engine.records.shares
    return None if shares is None else len(shares.of(record.upload_id, now=upload_set.engine.now()))


def _events(upload_set: BoundUploadSet, upload_id: str) -> list[dict[str, Any]]:
    """Return the upload's events, in order: for each target, what became of them."""
    outbox = upload_set.engine.records.outbox
    rows = [] if outbox is None else EventQueue(outbox).of_upload(upload_id)
    return [
        {
            "at": row.created_on,
            "event_id": row.event_id,
            "type": row.kind,
            "target": row.target,
            "status": EventStatus(row.status).name.lower(),
            "attempts": row.attempts,
            "problem": row.problem,
        }
        for row in rows
    ]


def _merged(found: Iterable[tuple[str, ListedRow]], sort: Sort) -> list[tuple[str, ListedRow]]:
    """Return the rows of several tables in one order; those of one table keep theirs."""
    rows = list(found)
    if len({table for table, _ in rows}) < 2:
        return rows
    by_time = sort in (Sort.NEWEST, Sort.OLDEST)
    descending = sort in (Sort.NEWEST, Sort.LARGEST)
    return sorted(
        rows,
        key=lambda one: one[1].created_on if by_time else one[1].key,
        reverse=descending,
    )
