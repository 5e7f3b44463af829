"""What is stored in all: by status, owner and storage, and the disks' room."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from chunked_upload.engine.failures import translate_failures
from chunked_upload.http.upload_set import BoundUploadSet
from chunked_upload.storage.base import Storage
from chunked_upload.storage.powers import LocalPaths

#: Owners that are told, those with most bytes.
_OWNERS = 20


def totals(upload_sets: Mapping[str, BoundUploadSet]) -> dict[str, Any]:
    """Return the totals of all upload sets. It reads each table once, and once more for owners."""
    engines = {one.model: one.engine for one in upload_sets.values()}
    statuses: Any = defaultdict(lambda: {"uploads": 0, "bytes": 0})
    storages: Any = defaultdict(lambda: {"uploads": 0, "bytes": 0})
    waiting, owners = 0, []
    with translate_failures():
        for engine in engines.values():
            for place in engine.records.totals.by_place():
                for group, name in (
                    (statuses, place.status.name.lower()),
                    (storages, place.stored_in or ""),
                ):
                    group[name]["uploads"] += place.uploads
                    group[name]["bytes"] += place.held
                waiting += place.waiting
        for name, upload_set in upload_sets.items():
            largest = upload_set.engine.records.totals.largest_owners(name, _OWNERS)
            owners += [{"upload_set": name, **_plain(owner)} for owner in largest]
    owners.sort(key=lambda one: -one["bytes"])
    return {
        "statuses": statuses,
        "storages": storages,
        "hooks_waiting": waiting,
        "owners": owners[:_OWNERS],
        "disks": _disks(upload_sets),
    }


def _plain(owner: Any) -> dict[str, Any]:
    return {"owner": owner.owner, "uploads": owner.uploads, "bytes": owner.held}


def _disks(upload_sets: Mapping[str, BoundUploadSet]) -> list[dict[str, Any]]:
    """Return the storages, each once, with the room of their disks where they lie on one."""
    storages: dict[str, tuple[Storage, list[str]]] = {}
    for name, upload_set in upload_sets.items():
        for storage in upload_set.engine.stores:
            storages.setdefault(storage.identity, (storage, []))[1].append(name)
    return [
        {"storage": storage.known_as, "upload_sets": names, **_room(storage)}
        for storage, names in storages.values()
    ]


def _room(storage: Storage) -> dict[str, Any]:
    if not isinstance(storage, LocalPaths):
        return {"place": storage.identity, "free": None, "used": None, "size": None}
    place = storage.path("").rstrip("/")
    try:
        size, used, free = shutil.disk_usage(place)
    except OSError as error:
        return {"place": place, "free": None, "used": None, "size": None, "error": error.strerror}
    return {"place": place, "free": free, "used": used, "size": size}
