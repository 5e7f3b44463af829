"""Memory of the buffers that bodies are read into.

glibc returns freed buffers of some hundred KiB to the system, which maps and clears the same pages
again for the next buffer. A worker keeps them instead: a fifth of the processor time of an 8 MiB
chunk (docs/benchmarks-notes.md).

Each thread would keep buffers in an arena of its own, of which glibc makes eight per processor. Two
are enough, since threads take turns with the interpreter's lock: 50 MB less with 16 clients that
send 64 MiB each.
"""

from __future__ import annotations

import ctypes

#: Parameters of mallopt(3).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

#: Smaller buffers come from the heap, in bytes. The largest value that glibc takes is 32 MiB.
_MMAP_THRESHOLD = 4 * 2**20

#: Free bytes at the end of a heap that the process keeps.
_TRIM_THRESHOLD = 16 * 2**20

_ARENAS = 2


def keep_buffers() -> bool:
    """Let this process keep freed buffers; return False for a C library without ``mallopt``."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl, macOS
        return False
    wanted = {
        _M_MMAP_THRESHOLD: _MMAP_THRESHOLD,
        _M_TRIM_THRESHOLD: _TRIM_THRESHOLD,
        _M_ARENA_MAX: _ARENAS,
    }
    return all(mallopt(name, value) == 1 for name, value in wanted.items())
