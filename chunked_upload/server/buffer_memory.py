"""Memory of the buffers that bodies are read into.

glibc returns freed buffers of some hundred KiB to the system, which maps and clears the same pages
again for the next buffer. A worker keeps them instead: a fifth of the processor time of an 8 MiB
chunk (docs/benchmarks-notes.md).
"""

from __future__ import annotations

import ctypes

#: Parameters of mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

#: Smaller buffers come from the heap, in bytes. The largest value that glibc takes is 32 MiB.
_MMAP_THRESHOLD = 4 * 2**20

#: Free bytes at the end of a heap that the process keeps.
_TRIM_THRESHOLD = 16 * 2**20


def keep_buffers() -> bool:
    """Let this process keep freed buffers; return False for a C library without ``mallopt``."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl, macOS
        return False
    taken = mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD), mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
    return taken == (1, 1)
