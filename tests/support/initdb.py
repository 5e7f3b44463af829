"""The files of an empty PostgreSQL cluster, made by initdb once for all test runs of a checkout.

initdb takes a second of processor time, and a copy a tenth of it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

#: What was made stays here until ``make clean``.
_MADE = Path(__file__).parents[2] / "build" / "tests-postgresql"

#: Variables by which initdb chooses what to write.
_LOCALE = ("LANG", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "TZ")


def make_files(data: Path, program: Path, options: Sequence[str], run: Callable[[], None]) -> None:
    """Make the files of an empty cluster in ``data``, which must not exist.

    :param program: initdb itself, no link to it.
    :param options: it is called with; those of another call have files of their own.
    :param run: calls it.
    """
    found = program.stat()
    chosen = [os.environ.get(name) for name in _LOCALE]
    what = (str(program), found.st_size, found.st_mtime_ns, os.geteuid(), chosen, *options)
    made = _MADE / hashlib.sha256(repr(what).encode()).hexdigest()[:16]
    if made.exists():
        _copy(made / "data", data)
        return
    run()
    _MADE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_MADE, ignore_cleanup_errors=True) as unfinished:
        whole = Path(unfinished, "whole")
        whole.mkdir()
        _copy(data, whole / "data")
        with suppress(OSError):  # another process was faster
            whole.rename(made)


def _copy(source: Path, target: Path) -> None:
    """Copy with owners and rights, which PostgreSQL looks at."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
