"""The process's memory, set up for one that takes in bodies.

glibc gives a freed buffer of some hundred KiB back to the system at once, which has to map and
clear the same pages again for the next one: a tenth of a large upload's time. A server's worker
keeps them. Where there is no ``mallopt`` (musl, macOS) nothing is set.

Python's collector looks through every object of the loaded program again and again; requests make
no cycles, so that it hardly finds anything. A worker leaves the program out and looks less often.
"""

from __future__ import annotations

import ctypes
import gc

#: Parameters of mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

#: Buffers below this size come from the heap. The largest that glibc takes is 32 MiB.
_MMAP_THRESHOLD = 4 * 1024 * 1024

#: New containers before a collection, and collections before one of the older ones (gc module).
_COLLECTIONS = (10_000, 20, 20)

#: Free bytes at the end of a heap that are kept.
_TRIM_THRESHOLD = 16 * 1024 * 1024


def keep_buffers() -> bool:
    """Let this process keep the memory of its buffers; return whether that could be set."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    taken = mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD), mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
    return taken == (1, 1)


def collect_less() -> None:
    """Leave what is loaded by now out of collections, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
