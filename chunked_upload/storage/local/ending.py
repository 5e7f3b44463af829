"""Removes files while other requests may be giving them names.

A part that is being removed gets another name of its own first. A request that is completing the
upload at this moment links the part by its old name, so either that fails, or the new name is there
to be found. A completed file's name is free again as soon as it is removed. So whoever removes one
has its lock, and looks whose file it is under the lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..base import PartMissing, StorageBusy
from . import files, lease_table


def end(part: Path) -> Path:
    """Rename a part so that no other request finds it, and return its path now."""
    ended = part.with_suffix(".gone")
    if os.path.lexists(ended):  # by a request that died, or works beside this one
        return ended
    try:
        os.rename(part, ended)
    except FileNotFoundError:
        pass
    except OSError as error:
        # On a full disk; then a request that completes the upload just now may leave its file.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return part
    return ended


def end_leases(table: Path) -> None:
    """End all leases of a table, if it is there (lease_table.py)."""
    with suppress(FileNotFoundError, PartMissing):
        descriptor = files.open_regular(table, sole=True)
        with files.closing(descriptor):
            lease_table.end_all(descriptor)


def names_of(part: Path, candidates: Iterable[Path]) -> Iterator[Path]:
    """Yield the names among ``candidates`` that are the part's.

    :raises FileNotFoundError: when there is no part.
    """
    found = os.lstat(part)
    if found.st_nlink > 1:
        yield from (path for path in candidates if files.is_same(path, found))


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the right to remove a completed file; yield False when it is not there any more.

    :raises StorageBusy: when another request removes it.
    """
    if path.is_symlink():  # somebody has put it in the file's place: it goes, not what it leads to
        yield True
        return
    try:
        descriptor = files.open_regular(path, sole=True)
    except (FileNotFoundError, PartMissing):
        yield False  # what has the name now is being completed
        return
    with files.closing(descriptor), suppress(FileNotFoundError):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageBusy("another request is removing this file") from error
        yield files.is_same(path, os.fstat(descriptor))
