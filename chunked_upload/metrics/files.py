"""The files in which the processes of a server count, with all the room that they need.

prometheus-client makes them full of holes, and writes to them through memory. On a full disk the
system ends a process that writes to a hole (SIGBUS). So the room is taken before anything counts.
"""

from __future__ import annotations

import os
from pathlib import Path

#: What prometheus-client calls the files of the kinds of figures that counts.py has.
_KINDS = ("counter", "gauge_livesum", "histogram")

#: Bytes of a file: what prometheus-client begins with, some thousand figures.
_BYTES = 1024 * 1024


def reserve(directory: Path) -> None:
    """Make this process's files.

    :raises OSError: when they cannot be made, or the disk is full.
    """
    for kind in _KINDS:
        file = directory / f"{kind}_{os.getpid()}.db"
        if not file.exists():  # one may be left of a process that had this number
            _make(file)


def _make(file: Path) -> None:
    new = file.with_suffix(".new")  # other processes read what ends with .db
    try:
        new.write_bytes(bytes(_BYTES))
        new.rename(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
