"""The directory of unfinished bytes: what lies in it, and how it moves to another place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from chunked_upload.errors import ConfigurationError

from .files import Tree

#: Where it is below the root, unless a setting says otherwise.
WITHIN_ROOT = ".incoming"

_OWN_NAME = re.compile(r"([0-9a-f]{32})\.(?:part|gone|turn|lock)")


def uploads_in(directory: Path) -> Iterator[tuple[str, datetime]]:
    """Yield the id of every upload with files there, and when one was last touched, in UTC."""
    for folder in directory.glob("[0-9a-f][0-9a-f]"):
        touched: dict[str, float] = {}
        for entry in os.scandir(folder):
            match = _OWN_NAME.fullmatch(entry.name)
            if match and entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    at = entry.stat(follow_symlinks=False).st_mtime
                    touched[match[1]] = max(at, touched.get(match[1], 0.0))
        for upload_id, at in touched.items():
            yield upload_id, datetime.fromtimestamp(at, UTC)


def choose(root: Path, named: str | os.PathLike[str] | None) -> Path:
    """Return the directory: the one that is named, or the one below the root.

    :raises ConfigurationError: when the named one lies below the root.
    """
    within = root / WITHIN_ROOT
    if named is None:
        return within
    directory = Path(os.path.abspath(named))
    if directory != within and directory.is_relative_to(os.path.abspath(root)):
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_INCOMING={str(named)!r} must be outside of the root, {root}"
        )
    return directory


def move(old: Path, tree: Tree) -> None:
    """Move unfinished uploads to the root of a tree, when a setting has named it.

    Processes that start together may do this at once.

    :raises ConfigurationError: when they cannot be moved.
    """
    if old == tree.root or not old.is_dir():
        return
    try:
        for folder in sorted(old.glob("[0-9a-f][0-9a-f]")):
            target = tree.make_directory(tree.root / folder.name)
            for name in filter(_OWN_NAME.fullmatch, os.listdir(folder)):
                with suppress(FileNotFoundError):
                    os.rename(folder / name, target / name)
            tree.sync_directories(target)
            with suppress(OSError):  # somebody else's file is in it
                folder.rmdir()
        with suppress(OSError):
            old.rmdir()
    except OSError as error:
        raise ConfigurationError(
            f"unfinished uploads in {old} cannot be moved to CHUNKED_UPLOAD_INCOMING,"
            f" {tree.root}: {error.strerror}; it must be on the file system of the root"
        ) from error
