"""MD5 whose running state can be stored with the upload record and picked up by another process.

hashlib keeps its state out of reach, so completing a 100 GB file would mean reading it all again.
OpenSSL's own ``MD5_CTX`` is a plain C struct without pointers: copying its 92 bytes out is storing
it, copying them back is resuming. The functions are looked up in the libcrypto that Python itself
is linked with, called through ctypes (which lets go of the GIL meanwhile, as hashlib does), and
proved against hashlib before first use. Where that cannot be had, :func:`resumable_md5` says so and
the engine reads the file once at completion instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import hashlib
from collections.abc import Iterator
from typing import Any

#: ``sizeof(MD5_CTX)``: A..D, Nl, Nh (u32), 16 words of data, num (RFC 1321 state plus one block).
_STATE_SIZE = 92

#: Stored states begin with this, so that another layout is never mistaken for this one.
_STATE_TAG = b"md5/1:"


class MD5:
    """A running MD5 (RFC 1321) that can be frozen and thawed.

    :param state: what :meth:`state` returned earlier, to go on from there.
    :raises ValueError: for a state that this class did not make.
    """

    def __init__(self, state: bytes | None = None) -> None:
        library = resumable_md5()
        if library is None:
            raise RuntimeError(
                "this Python's OpenSSL does not offer MD5_Init; hash the file instead"
            )
        self._library = library
        self._context = ctypes.create_string_buffer(_STATE_SIZE)
        if state is None:
            library.MD5_Init(self._context)
        else:
            ctypes.memmove(self._context, _untag(state), _STATE_SIZE)

    @classmethod
    def pick_up(cls, state: bytes | None, seen: int, start: int) -> MD5 | None:
        """Go on from a stored state at ``start``, or begin at 0.

        :param seen: bytes that the stored state has taken in.
        :return: None when the state is missing, of another version, or stands elsewhere.
        """
        if seen != start or (start and not state) or resumable_md5() is None:
            return None
        try:
            return cls(state if start else None)
        except ValueError:
            return None

    def copy(self) -> MD5:
        """Return an independent digest in the same state."""
        return MD5(self.state())

    def update(self, data: bytes) -> None:
        """Take in the next bytes of the file."""
        self._library.MD5_Update(self._context, data, len(data))

    def state(self) -> bytes:
        """Freeze: 98 bytes from which the digest can go on, in any process of this architecture."""
        return _STATE_TAG + self._context.raw

    def hexdigest(self) -> str:
        """Return the MD5 of what was taken in so far, 32 lower-case hex digits."""
        # MD5_Final writes into the context, so it gets a copy and this object can go on.
        final = ctypes.create_string_buffer(self._context.raw, _STATE_SIZE)
        digest = ctypes.create_string_buffer(16)
        self._library.MD5_Final(digest, final)
        return digest.raw.hex()


def _untag(state: bytes) -> bytes:
    if len(state) != len(_STATE_TAG) + _STATE_SIZE or not state.startswith(_STATE_TAG):
        raise ValueError("not a stored MD5 state")
    return state[len(_STATE_TAG) :]


@functools.cache
def resumable_md5() -> Any:
    """Return the ctypes library with a proven ``MD5_*`` API, or None where there is none."""
    for library in _candidates():
        try:
            library.MD5_Init.argtypes = [ctypes.c_void_p]
            library.MD5_Update.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
            library.MD5_Final.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        except AttributeError:  # a libcrypto built without the low-level API
            continue
        if _agrees_with_hashlib(library):
            return library
    return None


def _candidates() -> Iterator[Any]:
    # Statically linked Pythons have no such file, others no OpenSSL at all.
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import _hashlib

        # dlsym on this extension also searches what it is linked with: Python's own libcrypto.
        yield ctypes.CDLL(_hashlib.__file__)
    # Asked only then: it starts a process.
    name = ctypes.util.find_library("crypto")
    if name:
        with contextlib.suppress(OSError):
            yield ctypes.CDLL(name)


def _agrees_with_hashlib(library: Any) -> bool:
    """Freeze and thaw across a block boundary and compare; a foreign layout would differ."""
    sample = bytes(range(256)) * 3
    first = ctypes.create_string_buffer(_STATE_SIZE)
    library.MD5_Init(first)
    library.MD5_Update(first, sample[:100], 100)
    second = ctypes.create_string_buffer(first.raw, _STATE_SIZE)
    library.MD5_Update(second, sample[100:], len(sample) - 100)
    digest = ctypes.create_string_buffer(16)
    library.MD5_Final(digest, second)
    return digest.raw == hashlib.md5(sample, usedforsecurity=False).digest()
