"""Disks of the tests' own, in memory: one can be full or read-only, one can lose power."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.support.powercut import Disk

_PAGE = 4096


class SmallDisk:
    """A tmpfs of a fixed size, mounted at ``path``. Needs root."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._size = size
        self._filler = path / "filler"

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={self._size},mode=755", "tmpfs")
        return self

    def __exit__(self, *exception: object) -> None:
        subprocess.run(["umount", "-l", str(self.path)], check=False, capture_output=True)

    @contextmanager
    def full(self, *, leave: int = 0) -> Iterator[None]:
        """Fill it but for about ``leave`` bytes, as long as the block lasts."""
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"\0" * _PAGE)
        os.truncate(self._filler, max(self._filler.stat().st_size - leave, 0))
        try:
            yield
        finally:
            self._filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Make it read-only, as a kernel does with a failing disk."""
        self._mount("-o", "remount,ro")
        try:
            yield
        finally:
            self._mount("-o", "remount,rw")

    def _mount(self, *options: str) -> None:
        command = ["mount", *options, str(self.path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


@contextmanager
def disk_in_memory() -> Iterator[Disk]:
    """A disk that can lose power, in memory where there is a tmpfs, for speed."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="powercut-", dir=parent))
    directory.chmod(0o755)  # PostgreSQL runs as a user of its own
    try:
        with Disk(directory) as disk:
            yield disk
    finally:
        shutil.rmtree(directory, ignore_errors=True)
