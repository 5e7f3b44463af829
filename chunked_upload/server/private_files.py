"""Files of the stand-alone server that are its owner's alone: database, secret key, locks.

An instance folder that existed before may be open to everybody (0755), and the ids in the database
are permissions. So these files are 0600 whatever the folder and the umask.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from chunked_upload.errors import ConfigurationError

_PRIVATE = 0o600

#: How often to try a lock that another process holds.
_RETRY_SECONDS = 0.1


def make_folder(folder: Path) -> None:
    """Make the instance folder, for its owner alone; an existing one keeps its mode.

    :raises ConfigurationError: when everybody could put other files in place of those in it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise ConfigurationError(
            f"every user can write to {folder}, which is to hold the database and the secret key:"
            f" run `chmod 700 {folder}`, or name another folder in CHUNKED_UPLOAD_INSTANCE"
        )


def make_private(path: Path) -> None:
    """Take a file from all users but its owner, if it exists.

    :raises ConfigurationError: when it belongs to another user.
    """
    with suppress(FileNotFoundError):
        if not path.stat().st_mode & 0o077:
            return
        try:
            path.chmod(_PRIVATE)
        except PermissionError as error:
            raise ConfigurationError(
                f"other users can read {path}, and only its owner can change that:"
                f" run `chmod 600 {path}` as its owner"
            ) from error


def create_private(path: Path) -> None:
    """Create an empty file for its owner alone, unless it exists or its folder does not."""
    with suppress(FileExistsError, FileNotFoundError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE))


@contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[IO[str]]:
    """Open a private file, made if needed, that one process has at a time.

    :param seconds: how long to wait for another process.
    :raises ConfigurationError: when the lock is still taken then.
    """
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE), "r+") as file:
        make_private(path)
        deadline = time.monotonic() + seconds
        while not _lock(file):
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    f"another process has locked {path} for more than {seconds:g} seconds;"
                    f" `fuser {path}` shows which: wait for it or stop it, and start again"
                )
            time.sleep(_RETRY_SECONDS)
        yield file


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
