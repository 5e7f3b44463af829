"""The C library's heap, set up for a process that takes in bodies.

glibc gives a freed buffer of some hundred KiB back to the system at once, which has to map and
clear the same pages again for the next one: a tenth of a large upload's time. A server's worker
keeps them. Where there is no ``mallopt`` (musl, macOS) nothing is set.
"""

from __future__ import annotations

import ctypes

#: Parameters of mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

#: Buffers below this size come from the heap. The largest that glibc takes is 32 MiB.
_MMAP_THRESHOLD = 4 * 1024 * 1024

#: Free bytes at the end of a heap that are kept.
_TRIM_THRESHOLD = 16 * 1024 * 1024


def keep_buffers() -> bool:
    """Let this process keep the memory of its buffers; return whether that could be set."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    taken = mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD), mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
    return taken == (1, 1)
