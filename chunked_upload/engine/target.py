"""Where a completed file goes: its directory and its wanted name.

Usually the settings' ``path`` and the client's name say so. A function of the record may
(``upload_to``), or whoever created the record. The result is then kept in the record's ``target``
before the file gets its name, so that after a crash every process knows where to look.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chunked_upload.records.repository import Record
from chunked_upload.settings.keys import Settings
from chunked_upload.storage.base import StorageState, StoredUpload
from chunked_upload.support.filenames import portable_filename

#: Longest target; its column is longer, since a taken name gets more.
LONGEST = 900

#: Most bytes of a name that nobody has chosen.
_LONGEST_NAME = 200


class Renamed:
    """An upload for storages, with another file name than the client's."""

    def __init__(self, upload: StoredUpload, filename: str) -> None:
        self.upload_id: str = upload.upload_id
        self.filename = filename
        self.offset: int = upload.offset
        self.length: int | None = upload.length
        self.created_on: datetime = upload.created_on
        self.storage_state: StorageState | None = upload.storage_state
        self.wanted_key: str | None = upload.wanted_key


def target_of(record: Record, settings: Settings) -> tuple[StoredUpload, str]:
    """Return the upload as the storage shall name it, and the directory of its file."""
    if record.target is None:
        return record, directory_at(record.created_on, settings)
    directory, _, name = record.target.rpartition("/")
    return Renamed(record, name), directory


def directory_at(created_on: datetime, settings: Settings) -> str:
    """Return where the finished file of an upload goes that was created at that time."""
    return created_on.strftime(settings.path).strip("/")


def chosen_target(record: Record, settings: Settings) -> str | None:
    """Return the target that the setting ``upload_to`` chooses; None without that setting.

    :raises ValueError: when the function returns what is no relative path.
    """
    if settings.upload_to is None:
        return None
    chosen: Any = settings.upload_to(record)
    if isinstance(chosen, str) and chosen.endswith("/"):
        chosen += record.filename
    return clean_target(chosen, fallback=record.upload_id)


def unique_target(record: Record, settings: Settings, chosen: str | None) -> str:
    """Return a target whose name has the upload's id, so that no other file ever has it.

    :param chosen: what :func:`chosen_target` returned.
    """
    plain = record.target or chosen
    if plain is None:
        plain = f"{directory_at(record.created_on, settings)}/{record.filename}".lstrip("/")
    directory, slash, name = plain.rpartition("/")
    room = _LONGEST_NAME - len(f"-{record.upload_id}")
    name = portable_filename(name, fallback="file", max_bytes=room)
    stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
    return f"{directory}{slash}{stem}-{record.upload_id}{dot}{suffix}"


def clean_target(path: Any, *, fallback: str) -> str:
    """Return a relative path whose every name any file system accepts.

    :param fallback: the file's name when nothing usable is left of it.
    :raises ValueError: for a path that is not relative, or leads upwards.
    """
    problem = f"upload_to returned {path!r}; expected a relative path, as '2026/a.jpg'"
    if not isinstance(path, str):
        raise ValueError(problem)
    *folders, name = path.split("/")
    cleaned = [portable_filename(folder, fallback="") for folder in folders]
    if not all(cleaned) or len(path) > LONGEST:
        raise ValueError(problem)
    return "/".join([*cleaned, portable_filename(name, fallback=fallback)])
