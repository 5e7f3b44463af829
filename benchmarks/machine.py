"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from .workshop import REPOSITORY

#: Most bytes of page cache to warm up.
_WARM_BYTES = 3 * 2**30


def warm_memory(place: Path, size: int) -> None:
    """Make ``size`` bytes of free memory fit for the page cache at full speed.

    A virtual machine hands memory that it has not used for a second or two back to its host, and
    then pays for every page again: dd was seen to fall from 4 GB/s to 0.5 GB/s after a rest of five
    seconds. Without this, whoever comes after a pause looks slow.
    """
    path, block = place / "warm", bytes(8 * 2**20)
    with path.open("wb", buffering=0) as file:
        for _ in range(min(size, _WARM_BYTES) // len(block)):
            file.write(block)
    path.unlink()


def describe(place: Path) -> dict[str, str]:
    """Return processor, memory, disk, system and Python, in words."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "disk": f"{_file_system(place)}, {shutil.disk_usage(place).total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def commit() -> str:
    """Return the checkout's commit, with ``+`` when files of the server differ from it."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "chunked_upload") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _file_system(place: Path) -> str:
    """Return the type of the file system that holds a path."""
    found, kind = Path("/"), "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        mounted, this_kind = line.split()[1:3]
        if place.resolve().is_relative_to(mounted) and len(mounted) >= len(str(found)):
            found, kind = Path(mounted), this_kind
    return kind
