"""Opens, makes and syncs files and directories below a root, safely.

Files are never opened through a link that another user put in their place, and get their mode
regardless of the umask. Everything that must survive a power cut is synced: a file's bytes, and the
directory entries of a new file or directory up to the root.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from chunked_upload.errors import ConfigurationError
from chunked_upload.support.blocking import blocking

from ..base import PartMissing

_READ_SIZE = 1024 * 1024

#: Non-blocking, since opening a FIFO that another user put there would wait for its other end.
FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

#: From this many bytes on, writing them early is worth a system call.
_EARLY = 256 * 1024

_SYNC_FILE_RANGE_WRITE = 2

#: Errors of copy_file_range(2) where it is not available.
_NO_COPY = (errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)

#: Bytes copied through the process at a time.
_BUFFER = 1024 * 1024


class Tree:
    """A directory tree of one owner.

    :param durable: False skips the syncs.
    :param file_mode: permissions of the files it makes.
    :param directory_mode: permissions of the directories it makes, including the root.
    """

    def __init__(self, root: Path, *, durable: bool, file_mode: int, directory_mode: int) -> None:
        self.root = root
        self.durable = durable
        self._file_mode = file_mode
        self._directory_mode = directory_mode

    def cut(self, descriptor: int, length: int, *, of: str) -> None:
        """Cut off garbage past ``length``: bytes of a chunk that was never recorded.

        :param of: the upload's id.
        :raises PartMissing: when the file is shorter.
        """
        size = os.fstat(descriptor).st_size
        if size < length:
            raise PartMissing(of)
        if size > length:
            os.ftruncate(descriptor, length)
            self.sync_data(descriptor)

    def open_or_create(self, path: str | Path, *, sole: bool = False) -> int:
        """Open a file as :func:`open_regular` does; create it if it is missing."""
        while True:  # again if others create and remove it in between
            with suppress(FileNotFoundError):
                return open_regular(path, sole=sole)
            self.make_directory(Path(path).parent)
            with suppress(FileExistsError):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | FLAGS, 0o600)
                os.fchmod(descriptor, self._file_mode)
                return descriptor

    def make_directory(self, path: Path) -> Path:
        """Make a directory and its missing parents; those below the root get the set mode."""
        if path.is_dir():
            return path
        if path == self.root:
            path.mkdir(mode=self._directory_mode, parents=True, exist_ok=True)
            self._set_mode(path)
            with suppress(PermissionError):  # the root's parent is not ours
                self._sync(path.parent)
        else:
            self.make_directory(path.parent)
            with suppress(FileExistsError):
                path.mkdir(mode=self._directory_mode)
                self._set_mode(path)
        return path

    def _set_mode(self, directory: Path) -> None:
        """Set a new directory's mode; keep the setgid bit that it has from its parent."""
        has = stat.S_IMODE(directory.stat().st_mode)
        mode = self._directory_mode | (has & stat.S_ISGID)
        if has != mode:
            directory.chmod(mode)

    def longest_name(self) -> int:
        """Return how many bytes a file's name may have here: 255, but 143 on eCryptfs, say."""
        try:
            return os.statvfs(self.root).f_namemax or 255  # some say nothing
        except FileNotFoundError:
            return 255

    def check(self, directory: Path, *, target: Path | None = None) -> None:
        """Check that files can be made in a directory, and moved to another one.

        :param target: a directory below this root or below one that exists, made or not.
        :raises OSError: when they cannot; the text says what to do.
        """
        probe = self.make_directory(directory) / f".check-{os.getpid()}-{threading.get_ident()}"
        descriptor = os.open(probe, os.O_CREAT | os.O_WRONLY | FLAGS, 0o600)
        try:
            os.write(descriptor, b"x")
            if target is not None:
                self._check_move(probe, target)
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)

    def _check_move(self, probe: Path, directory: Path) -> None:
        while not directory.is_dir() and directory != self.root:
            directory = directory.parent  # where it will be made
        moved = directory / probe.name
        try:
            os.rename(probe, moved)
        except OSError as error:
            problem = f"{error.strerror} in {directory}, where completed files go"
            if error.errno == errno.EXDEV:
                advice = f"mount the file system at {self.root} instead"
                if not directory.is_relative_to(self.root):
                    advice = "give CHUNKED_UPLOAD_INCOMING a directory on the other one"
                problem = (
                    f"{directory} and {probe.parent} are not on one file system, so uploads cannot"
                    f" be completed; {advice}"
                )
            raise OSError(error.errno, problem) from error
        moved.unlink(missing_ok=True)

    def sync_directories(self, path: Path) -> None:
        """Make the entries of a directory durable, and its own entry up to the root.

        The parents too, since the process that made them may have died before syncing them. Syncing
        an unchanged directory costs almost nothing.
        """
        for directory in (path, *path.parents):
            self._sync(directory)
            if directory == self.root:
                return

    def begin_sync(self, descriptor: int, start: int, size: int) -> None:
        """Start writing many bytes to the disk, so that less is left for :meth:`sync_data`.

        It neither waits nor promises anything; :meth:`sync_data` reports failures.
        """
        if self.durable and size >= _EARLY and (begin := _sync_file_range()) is not None:
            begin(descriptor, start, size, _SYNC_FILE_RANGE_WRITE)

    def sync_data(self, descriptor: int) -> None:
        """Make a file's bytes and size durable."""
        if self.durable:
            with blocking():
                os.fdatasync(descriptor)

    def _sync(self, directory: Path) -> None:
        if not self.durable:
            return
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with blocking():
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Close an open file at the end of the block."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_regular(path: str | Path, *, sole: bool = False) -> int:
    """Open an existing file for reading and writing.

    :param sole: the file must have no second name, through which it would also be another's.
    :raises PartMissing: when it has a second name, is not a regular file, or is a link to one.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | FLAGS)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise PartMissing(os.path.basename(path)) from error
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or (sole and found.st_nlink > 1):
        os.close(descriptor)
        raise PartMissing(os.path.basename(path))
    return descriptor


def copy_range(source: int, target: int, size: int, at: int, to: int) -> int:
    """Copy bytes from one open file to another; return how many, 0 at the source's end.

    The kernel copies if it can; file systems that share blocks copy nothing. Otherwise the process
    copies.
    """
    try:
        return os.copy_file_range(source, target, size, at, to)
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", errno.ENOSYS) not in _NO_COPY:
            raise
    return write_at(target, os.pread(source, min(size, _BUFFER), at), to)


def write_at(descriptor: int, data: bytes | memoryview, position: int) -> int:
    """Write bytes at a position; return how many were written.

    :raises OSError: EFBIG where no file of this file system can have bytes; some say EINVAL there.
    """
    try:
        return os.pwrite(descriptor, data, position)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG)) from error
        raise


def read_range(descriptor: int, start: int, stop: int, *, of: str) -> Iterator[bytes]:
    """Yield the bytes of a range.

    :param of: the id of the upload, for the error.
    :raises PartMissing: when the file ends before.
    """
    while start < stop:
        data = os.pread(descriptor, min(_READ_SIZE, stop - start), start)
        if not data:
            raise PartMissing(of)
        yield data
        start += len(data)


def free_bytes(folder: Path) -> int:
    """Return the free bytes on a folder's disk, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def is_same(path: Path, other: os.stat_result) -> bool:
    """Return whether ``path`` names the file that ``other`` describes."""
    with suppress(FileNotFoundError):
        found = os.lstat(path)
        return (found.st_dev, found.st_ino) == (other.st_dev, other.st_ino)
    return False


def path_of(url: str | None) -> str | None:
    """Return the directory that a ``file:`` URL names; None without a URL."""
    if url is None:
        return None
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or not path.startswith("/"):
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_STORAGE={url!r} must be file:///absolute/directory"
        )
    return path


@functools.cache
def _sync_file_range() -> Any:
    """Return Linux's sync_file_range(2), which Python does not offer; None on other systems."""
    function = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return function
