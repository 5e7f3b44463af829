"""Finding a delimiter in a large buffer.

Every byte of a form is searched for its boundary. The C library's ``memmem`` is about three times
as fast at that as ``bytes.find``, which makes 8 % of a large upload's time.
"""

from __future__ import annotations

import ctypes
from typing import Any

#: Below this many bytes the call costs more than it saves.
_LARGE = 16 * 1024


def find(buffer: bytes, wanted: bytes, start: int) -> int:
    """Return where ``wanted`` first stands at or after ``start``, or -1, as ``bytes.find`` does.

    :param start: between 0 and the buffer's length.
    """
    if _memmem is None or len(buffer) - start < _LARGE:
        return buffer.find(wanted, start)
    begin: int = _address(buffer)
    found = _memmem(begin + start, len(buffer) - start, wanted, len(wanted))
    return -1 if found is None else found - begin


def _load() -> Any:
    """Return the C library's memmem, or None where it has none."""
    # PyDLL: it keeps the GIL, since thirty microseconds are not worth giving it away.
    memmem = getattr(ctypes.PyDLL(None), "memmem", None)
    if memmem is not None:
        memmem.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
        memmem.restype = ctypes.c_void_p
    return memmem


_memmem = _load()

#: A function of our own, whose types nobody else sets: where a bytes object's bytes lie.
_address = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(
    ("PyBytes_AsString", ctypes.pythonapi)
)
