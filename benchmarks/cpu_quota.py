"""A part of a processor for some processes: a control group with a quota, version 1 or 2.

Several nodes on one machine show how throughput grows with their number only if no node can take
what the others leave.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .workshop import Unavailable

_ROOT = Path("/sys/fs/cgroup")

#: Microseconds. Shorter than the kernel's usual 100 ms, so that a request does not wait so long.
_PERIOD = 20_000


@contextlib.contextmanager
def cpu_quota(name: str, cores: float) -> Iterator[Group]:
    """Make a control group whose processes together get so much of a processor.

    :raises Unavailable: where this machine does not allow that.
    """
    group = Group(_parent() / f"benchmark-{os.getpid()}-{name}")
    try:
        group.limit(cores)
    except OSError as error:
        raise Unavailable(f"processors cannot be limited here: {error}") from error
    try:
        yield group
    finally:
        group.remove()


def _parent() -> Path:
    """Return where a group with a processor quota can be made."""
    version_1 = _ROOT / "cpu"
    if (version_1 / "cpu.cfs_quota_us").exists() or (version_1 / "tasks").exists():
        return version_1
    if "cpu" in (_ROOT / "cgroup.subtree_control").read_text().split():
        return _ROOT
    raise Unavailable("processors cannot be limited here: no control group has a quota")


class Group:
    """A control group; its directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def limit(self, cores: float) -> None:
        """Make the group, with so much of a processor.

        :raises OSError: where that is not allowed.
        """
        self._directory.mkdir()
        quota = int(_PERIOD * cores)
        newer = self._directory / "cpu.max"
        if newer.exists():
            newer.write_text(f"{quota} {_PERIOD}")
            return
        (self._directory / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (self._directory / "cpu.cfs_quota_us").write_text(str(quota))

    def add(self, pids: Iterable[int]) -> None:
        """Put processes under the limit; what they start later is under it too."""
        for pid in pids:
            (self._directory / "cgroup.procs").write_text(str(pid))

    def remove(self) -> None:
        """Remove the group once its processes have ended."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                self._directory.rmdir()
                return
            except OSError:
                time.sleep(0.05)
