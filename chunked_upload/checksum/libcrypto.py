"""OpenSSL's digests, with a running state that can be stored and continued by another process.

hashlib gives no access to its state, so completing a 100 GB file would mean reading it all again.
OpenSSL's own context (``MD5_CTX``, ``SHA256_CTX``) is a plain C struct without pointers: copying
its bytes out stores the state, and copying them back continues it. The functions come from the
libcrypto that Python itself is linked with. They are called through ctypes (which releases the GIL,
as hashlib does), and checked against hashlib before first use. When they are not available,
:meth:`LibcryptoChecksum.resumable` returns False, and hashlib does the hashing.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True)
class _Functions:
    """One digest's functions in libcrypto."""

    init: Any
    update: Any
    final: Any
    state_size: int
    digest_size: int


class _Struct:
    """A running digest in OpenSSL's struct, with the methods of hashlib's objects."""

    def __init__(self, functions: _Functions, state: bytes | None = None) -> None:
        self._functions = functions
        self._context = ctypes.create_string_buffer(functions.state_size)
        if state is None:
            functions.init(self._context)
        else:
            ctypes.memmove(self._context, state, functions.state_size)

    @property
    def state(self) -> bytes:
        return self._context.raw

    def update(self, data: bytes) -> None:
        self._functions.update(self._context, data, len(data))

    def copy(self) -> _Struct:
        return _Struct(self._functions, self.state)

    def hexdigest(self) -> str:
        # The final function writes into the context, so it gets a copy and this one can continue.
        digest = ctypes.create_string_buffer(self._functions.digest_size)
        self._functions.final(digest, self.copy()._context)
        return digest.raw.hex()


class LibcryptoChecksum:
    """A checksum that OpenSSL computes; see :class:`~.protocol.Checksum` for its methods."""

    #: The checksum's name, which is also hashlib's.
    name: ClassVar[str]
    #: Prefix of OpenSSL's functions, such as ``MD5`` in ``MD5_Update``.
    prefix: ClassVar[str]
    #: ``sizeof`` the struct.
    state_size: ClassVar[int]

    def __init__(self) -> None:
        functions = self._functions()
        self._running: Any = _plain(self.name) if functions is None else _Struct(functions)

    @classmethod
    def resumable(cls) -> bool:
        """Return whether libcrypto has the functions, and they agree with hashlib."""
        return cls._functions() is not None

    @classmethod
    def thaw(cls, state: bytes) -> Self:
        """Continue from a frozen state.

        :raises ValueError: for a state that this class did not make or cannot use here.
        """
        functions, tag = cls._functions(), cls._tag()
        if functions is None or len(state) != len(tag) + cls.state_size or state[: len(tag)] != tag:
            raise ValueError(f"not a stored {cls.name} state")
        thawed = cls()
        thawed._running = _Struct(functions, state[len(tag) :])
        return thawed

    def update(self, data: bytes) -> None:
        """Take in the next bytes of the file."""
        self._running.update(data)

    def freeze(self) -> bytes:
        """Return the state, for any process of this architecture to continue from."""
        state: bytes = self._running.state
        return self._tag() + state

    def copy(self) -> Self:
        """Return an independent digest of the same bytes."""
        other = type(self)()
        other._running = self._running.copy()
        return other

    def hexdigest(self) -> str:
        """Return the digest of the bytes so far in lower-case hex digits."""
        return str(self._running.hexdigest())

    @classmethod
    def _tag(cls) -> bytes:
        # Stored states start with this tag, so that another layout is never mistaken for this one.
        return f"{cls.name}/1:".encode()

    @classmethod
    def _functions(cls) -> _Functions | None:
        return find_functions(cls.name, cls.prefix, cls.state_size)


def _plain(name: str) -> Any:
    # Declared as not for security, so that systems under FIPS rules allow MD5 too.
    return hashlib.new(name, usedforsecurity=False)


@functools.cache
def find_functions(name: str, prefix: str, state_size: int) -> _Functions | None:
    """Return the functions ``<prefix>_Init``, ``_Update`` and ``_Final``, None where they cannot be
    used."""
    for library in _candidates():
        try:
            functions = _Functions(
                getattr(library, f"{prefix}_Init"),
                getattr(library, f"{prefix}_Update"),
                getattr(library, f"{prefix}_Final"),
                state_size,
                _plain(name).digest_size,
            )
        except AttributeError:  # a libcrypto built without the low-level API
            continue
        functions.init.argtypes = [ctypes.c_void_p]
        functions.update.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        functions.final.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        if _agrees_with_hashlib(functions, name):
            return functions
    return None


def _candidates() -> Iterator[Any]:
    # A statically linked Python has no such file, and some have no OpenSSL at all.
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import _hashlib

        # dlsym on this extension also searches what it is linked with: Python's own libcrypto.
        yield ctypes.CDLL(_hashlib.__file__)
    # Last, because find_library starts a process.
    name = ctypes.util.find_library("crypto")
    if name:
        with contextlib.suppress(OSError):
            yield ctypes.CDLL(name)


def _agrees_with_hashlib(functions: _Functions, name: str) -> bool:
    """Return whether freezing and thawing across a block boundary gives hashlib's digest.

    With another struct layout it would not.
    """
    sample = bytes(range(256)) * 3
    first = _Struct(functions)
    first.update(sample[:100])
    second = _Struct(functions, first.state)
    second.update(sample[100:])
    plain = _plain(name)
    plain.update(sample)
    return bool(second.hexdigest() == plain.hexdigest())
