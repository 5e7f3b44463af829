"""Finds and removes orphans: parts and files without a record, and records without their part.

On a disk a killed server leaves neither, since it makes a record before its file and removes it
after. Orphans come from outside, such as a database restored from a backup, or a lost disk. In an
object store, a request leaves some that goes on after another one has completed its upload. The
sweep is careful. It considers only names that this package makes, and nothing younger than a grace
time. When most parts and records look orphaned, a wrong database or an unmounted disk is more
likely, and the sweep refuses.

Completed files are considered only in a storage that knows them for its own (ListsFiles), not on a
disk, where a file has the name that its client gave it, and may be anybody's. They are removed only
when asked for: those of another database that uses the same place have no record here either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.records.repository import Record
from chunked_upload.storage import Storage
from chunked_upload.storage.powers import ListsFiles, ListsParts

_T = TypeVar("_T")

_BATCH = 500

#: If there are more orphans than this, and more than half of everything, something else is wrong.
_SUSPICIOUS = 10


class SuspiciousSweep(Exception):
    """Most parts and records look orphaned; nothing was removed."""


@dataclass
class Orphans:
    """The orphans found in one storage and in the tables of the upload sets that use it."""

    storage: Storage
    #: Ids of parts that no record knows, or whose upload is complete.
    parts: list[str] = field(default_factory=list)
    #: Unfinished records whose part is gone, with their upload_sets.
    records: list[tuple[BoundUploadSet, Record]] = field(default_factory=list)
    #: Keys of completed files of uploads without a record.
    files: list[str] = field(default_factory=list)
    parts_seen: int = 0
    records_seen: int = 0
    files_seen: int = 0


def find_orphans(
    upload_sets: Sequence[BoundUploadSet], *, grace: timedelta, now: datetime
) -> list[Orphans]:
    """Return the orphans in the storages of an app's upload sets; remove nothing.

    While files move to another storage, an upload set has two.

    :param upload_sets: all of the app's upload sets, since several may share a storage.
    :param grace: how long a part or record must have been untouched.
    """
    by_place: dict[Any, tuple[Storage, list[BoundUploadSet]]] = {}
    for upload_set in upload_sets:
        for storage in upload_set.engine.stores:
            by_place.setdefault(storage.identity, (storage, []))[1].append(upload_set)
    found = [_look(storage, sharing, now - grace) for storage, sharing in by_place.values()]
    for each in found:
        # One upload set's place may lie below another's, so that all of them are asked.
        _look_at_files(each, upload_sets, now - grace)
    return found


def remove_orphans(found: Orphans, *, files: bool = False, force: bool = False) -> int:
    """Remove the orphans that :func:`find_orphans` found, and return how many.

    :param files: remove completed files, too.
    :param force: remove them even if most parts, records or files look orphaned.
    :raises SuspiciousSweep: when most do, and ``force`` is False.
    """
    keys = found.files if files else []
    for orphans, seen in (
        (found.parts, found.parts_seen),
        (found.records, found.records_seen),
        (keys, found.files_seen),
    ):
        if len(orphans) > max(_SUSPICIOUS, seen / 2) and not force:
            raise SuspiciousSweep(
                f"{len(orphans)} of {seen} look orphaned; is this the right database, and is the"
                " disk mounted? Nothing was removed"
            )
    for upload_id in found.parts:
        if isinstance(found.storage, ListsParts):
            found.storage.discard_orphan(upload_id)
    for key in keys:  # its upload is gone, and nothing else ever gets its key
        found.storage.delete(key)
    # One that has been completed since the look has no part either, but a file.
    removed = [upload_set.engine.remove_lost(record) for upload_set, record in found.records]
    return len(found.parts) + len(keys) + removed.count(True)


def _look(storage: Storage, upload_sets: list[BoundUploadSet], before: datetime) -> Orphans:
    found = Orphans(storage)
    for group in _batched(_parts(found.storage)):
        found.parts_seen += len(group)
        old = [upload_id for upload_id, touched in group if touched < before]
        known = set[str]().union(
            *(upload_set.engine.records.with_parts(old) for upload_set in upload_sets)
        )
        found.parts += [upload_id for upload_id in old if upload_id not in known]
    for upload_set in upload_sets:
        _look_at_records(upload_set, before, found)
    return found


def _look_at_files(found: Orphans, upload_sets: Sequence[BoundUploadSet], before: datetime) -> None:
    storage = found.storage
    if not isinstance(storage, ListsFiles):
        return
    for group in _batched(storage.files()):
        found.files_seen += len(group)
        old = {key: upload_id for key, upload_id, stored in group if stored < before}
        known = set[str]().union(
            *(each.engine.records.existing(old.values()) for each in upload_sets)
        )
        found.files += [
            key
            for key, upload_id in old.items()
            if upload_id not in known and storage.is_file_of(key, upload_id)
        ]


def _look_at_records(upload_set: BoundUploadSet, before: datetime, found: Orphans) -> None:
    records, stores = upload_set.engine.records, upload_set.engine.stores
    own = next(each for each in stores if each.identity == found.storage.identity)
    if own is stores.current:  # once, not for both storages
        found.records_seen += records.count(records.queries.with_bytes(upload_set.name))
    expiry = before + upload_set.settings.expiration_delta
    for record in records.walk(records.queries.with_bytes(upload_set.name, expires_before=expiry)):
        if stores.has(record, own) and not own.has_part(record):
            found.records.append((upload_set, record))


def _parts(storage: Storage) -> Iterator[tuple[str, datetime]]:
    """Yield the storage's parts; none when it cannot list them."""
    if isinstance(storage, ListsParts):
        yield from storage.parts()


def _batched(all_of_them: Iterable[_T]) -> Iterator[list[_T]]:
    remaining = iter(all_of_them)
    while group := list(islice(remaining, _BATCH)):
        yield group
