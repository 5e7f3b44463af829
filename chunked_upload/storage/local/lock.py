"""A lock that ends with its holder: a file that is locked, and removed by whoever held the lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..base import PartMissing
from . import files
from .files import Tree


@contextmanager
def only_one(tree: Tree, path: Path) -> Iterator[bool]:
    """Hold the lock at a path of a tree; yield False when another one holds it."""
    try:
        descriptor = tree.open_or_create(path)
    except PartMissing:  # a link in its place; a lock file has no content to lose
        path.unlink(missing_ok=True)
        descriptor = tree.open_or_create(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        # The previous holder may have removed the file meanwhile; then this lock is void.
        mine = files.is_same(path, os.fstat(descriptor))
        try:
            yield mine
        finally:
            if mine:
                path.unlink(missing_ok=True)
                tree.sync_directories(path.parent)  # a power cut would bring it back
    finally:
        os.close(descriptor)
