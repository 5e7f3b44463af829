"""How many files a process of the server opens, and the limit on them."""

from __future__ import annotations

import resource

#: Uploads that a worker receives at a time: one thread for each, however slow, made when it is
#: needed.
THREADS = 1024

#: Connections of one worker, with a request or without.
CONNECTIONS = 4096

#: An upload in progress holds its connection, its part and its lease table open.
_FILES_PER_REQUEST = 4

#: The database, and what Python holds.
_OTHER_FILES = 256


def wanted(threads: int) -> int:
    """Return how many files a worker may have open at a time.

    :param threads: uploads that it receives at a time.
    """
    return threads * _FILES_PER_REQUEST + CONNECTIONS + _OTHER_FILES


def allow(files: int) -> None:
    """Raise the soft limit on open files, often 1,024, as far as needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
