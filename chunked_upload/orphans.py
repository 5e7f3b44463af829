"""Finds what crashes and accidents leave: parts without a record, records without their part.

The server leaves neither, whenever it is killed: a record is made before its file and removed after
it. Orphans come from outside: a database restored from a backup, a disk that was lost. So nothing
is taken in haste. Only names of our own making are looked at, completed files never (what lies
beside them may be anybody's), nothing younger than a grace time, and when most of what is there
looks orphaned the likelier cause is a wrong database or a disk that is not mounted, and the sweep
refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select

from .models import Status
from .mount import Mount
from .records import Record
from .storage import Storage

_BATCH = 500

#: With more orphans than this, and more than half of all there is, something else is wrong.
_SUSPICIOUS = 10


class SuspiciousSweep(Exception):
    """Most of what is there looks orphaned; nothing was removed."""


@dataclass
class Orphans:
    """What one look found, in one storage and the tables of the mounts that use it."""

    storage: Storage
    #: Ids of parts that no record knows.
    parts: list[str] = field(default_factory=list)
    #: Unfinished records whose part is gone, with their mounts.
    records: list[tuple[Mount, Record]] = field(default_factory=list)
    parts_seen: int = 0
    records_seen: int = 0


def find_orphans(mounts: Sequence[Mount], *, grace: timedelta, now: datetime) -> list[Orphans]:
    """Look through the storages of an app's mounts; removes nothing.

    :param mounts: all of the app's mounts, since several may share a storage.
    :param grace: how long something must have lain untouched.
    """
    by_storage: dict[Any, list[Mount]] = {}
    for mount in mounts:
        by_storage.setdefault(mount.engine.storage.identity, []).append(mount)
    return [_look(sharing, now - grace) for sharing in by_storage.values()]


def remove_orphans(found: Orphans, *, force: bool = False) -> int:
    """Remove what :func:`find_orphans` found; returns how many.

    :param force: also when most of what is there would go.
    :raises SuspiciousSweep: then, without ``force``.
    """
    for orphans, seen in ((found.parts, found.parts_seen), (found.records, found.records_seen)):
        if len(orphans) > max(_SUSPICIOUS, seen / 2) and not force:
            raise SuspiciousSweep(
                f"{len(orphans)} of {seen} look orphaned; is this the right database, and is the"
                " disk mounted? Nothing was removed"
            )
    for upload_id in found.parts:
        found.storage.discard_part(upload_id)
    for mount, record in found.records:
        mount.engine.abort(record)
    return len(found.parts) + len(found.records)


def _look(mounts: list[Mount], before: datetime) -> Orphans:
    found = Orphans(mounts[0].engine.storage)
    for group in _batched(found.storage.parts()):
        found.parts_seen += len(group)
        old = [upload_id for upload_id, touched in group if touched < before]
        known = set[str]().union(*(_known(mount, old) for mount in mounts))
        found.parts += [upload_id for upload_id in old if upload_id not in known]
    for mount in mounts:
        _look_at_records(mount, before, found)
    return found


def _known(mount: Mount, upload_ids: list[str]) -> set[str]:
    """Return which of the ids have a record in the mount's table, whichever mount's it is."""
    model = mount.model
    statement = select(model).where(model.upload_id.in_(upload_ids))
    return {record.upload_id for record in mount.engine.records.all(statement)}


def _look_at_records(mount: Mount, before: datetime, found: Orphans) -> None:
    model, records = mount.model, mount.engine.records
    unfinished = select(model).where(
        model.upload_set == mount.name, model.status == Status.UPLOADING, model.offset > 0
    )
    found.records_seen += records.count(unfinished)
    touched_before = unfinished.where(model.expires_on < before + mount.settings.expiration_delta)
    for record in records.walk(touched_before):
        if not mount.engine.storage.has_part(record.upload_id):
            found.records.append((mount, record))


def _batched(parts: Iterable[tuple[str, datetime]]) -> Iterator[list[tuple[str, datetime]]]:
    remaining = iter(parts)
    while group := list(islice(remaining, _BATCH)):
        yield group
