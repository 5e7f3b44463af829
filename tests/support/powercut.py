"""A file system that can lose power: ext4 on a loop device.

:meth:`Disk.cut` shuts the file system down as a power cut would: what has not reached the device by
then never does, not even the journal (ext4's shutdown ioctl with NOLOGFLUSH). Mounting it again
replays what the journal has, as after a reboot.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path
from typing import Self

_EXT4_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2


class Disk:
    """A small ext4 file system in an image file, mounted at ``mount``.

    :param directory: where image and mount point are made; best on a tmpfs.
    :param size: of the image, in bytes.
    """

    def __init__(self, directory: Path, size: int = 256 * 2**20) -> None:
        self.mount = directory / "mount"
        self._image = directory / "image"
        self._size = size

    def __enter__(self) -> Self:
        self.mount.mkdir(parents=True)
        with self._image.open("wb") as image:
            image.truncate(self._size)
        _run("mkfs.ext4", "-q", "-m", "0", "-F", str(self._image))
        self._mount()
        return self

    def __exit__(self, *exception: object) -> None:
        subprocess.run(["umount", "-l", str(self.mount)], check=False, capture_output=True)

    def sync(self) -> None:
        """Make all that was written so far durable, as if it had been there for long."""
        _run("sync", "-f", str(self.mount))

    def cut(self) -> None:
        """Cut the power; from now on every write fails."""
        descriptor = os.open(self.mount, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def restart(self) -> None:
        """Mount what survived. No process may still have a file open there."""
        self._unmount()
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.mount))

    def _unmount(self, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while True:
            done = subprocess.run(["umount", str(self.mount)], check=False, capture_output=True)
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"cannot unmount: {done.stderr.decode()}")
            time.sleep(0.02)  # the last of the killed processes is still being torn down


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr}")
