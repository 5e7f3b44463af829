"""Finds and removes orphans: parts without a record, and records without their part.

A killed server leaves neither, since it makes a record before its file and removes it after.
Orphans come from outside, such as a database restored from a backup, or a lost disk. So the sweep
is careful. It considers only names that this package makes, never completed files (files beside
them may be anybody's), and nothing younger than a grace time. When most parts and records look
orphaned, a wrong database or an unmounted disk is more likely, and the sweep refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.repository import Record
from chunked_upload.storage import Storage
from chunked_upload.storage.powers import ListsParts

_BATCH = 500

#: If there are more orphans than this, and more than half of everything, something else is wrong.
_SUSPICIOUS = 10


class SuspiciousSweep(Exception):
    """Most parts and records look orphaned; nothing was removed."""


@dataclass
class Orphans:
    """The orphans found in one storage and in the tables of the upload sets that use it."""

    storage: Storage
    #: Ids of parts that no record knows.
    parts: list[str] = field(default_factory=list)
    #: Unfinished records whose part is gone, with their upload_sets.
    records: list[tuple[BoundUploadSet, Record]] = field(default_factory=list)
    parts_seen: int = 0
    records_seen: int = 0


def find_orphans(
    upload_sets: Sequence[BoundUploadSet], *, grace: timedelta, now: datetime
) -> list[Orphans]:
    """Return the orphans in the storages of an app's upload sets; remove nothing.

    :param upload_sets: all of the app's upload sets, since several may share a storage.
    :param grace: how long a part or record must have been untouched.
    """
    by_storage: dict[Any, list[BoundUploadSet]] = {}
    for upload_set in upload_sets:
        by_storage.setdefault(upload_set.engine.storage.identity, []).append(upload_set)
    return [_look(sharing, now - grace) for sharing in by_storage.values()]


def remove_orphans(found: Orphans, *, force: bool = False) -> int:
    """Remove the orphans that :func:`find_orphans` found, and return how many.

    :param force: remove them even if most parts and records look orphaned.
    :raises SuspiciousSweep: when most do, and ``force`` is False.
    """
    for orphans, seen in ((found.parts, found.parts_seen), (found.records, found.records_seen)):
        if len(orphans) > max(_SUSPICIOUS, seen / 2) and not force:
            raise SuspiciousSweep(
                f"{len(orphans)} of {seen} look orphaned; is this the right database, and is the"
                " disk mounted? Nothing was removed"
            )
    for upload_id in found.parts:
        if isinstance(found.storage, ListsParts):
            found.storage.discard_orphan(upload_id)
    for upload_set, record in found.records:
        upload_set.engine.abort(record)
    return len(found.parts) + len(found.records)


def _look(upload_sets: list[BoundUploadSet], before: datetime) -> Orphans:
    found = Orphans(upload_sets[0].engine.storage)
    for group in _batched(_parts(found.storage)):
        found.parts_seen += len(group)
        old = [upload_id for upload_id, touched in group if touched < before]
        known = set[str]().union(
            *(upload_set.engine.records.known_ids(old) for upload_set in upload_sets)
        )
        found.parts += [upload_id for upload_id in old if upload_id not in known]
    for upload_set in upload_sets:
        _look_at_records(upload_set, before, found)
    return found


def _look_at_records(upload_set: BoundUploadSet, before: datetime, found: Orphans) -> None:
    records, name = upload_set.engine.records, upload_set.name
    found.records_seen += records.count(records.queries.with_bytes(name))
    expiry = before + upload_set.settings.expiration_delta
    for record in records.walk(records.queries.with_bytes(name, expires_before=expiry)):
        if not upload_set.engine.storage.has_part(record):
            found.records.append((upload_set, record))


def _parts(storage: Storage) -> Iterator[tuple[str, datetime]]:
    """Yield the storage's parts; none when it cannot list them."""
    if isinstance(storage, ListsParts):
        yield from storage.parts()


def _batched(parts: Iterable[tuple[str, datetime]]) -> Iterator[list[tuple[str, datetime]]]:
    remaining = iter(parts)
    while group := list(islice(remaining, _BATCH)):
        yield group
