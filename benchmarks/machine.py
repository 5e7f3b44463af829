"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from .workshop import REPOSITORY


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
